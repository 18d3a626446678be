"""Kind http: a shim in the box starts the learner's server and carries the judge's connections to it."""

from __future__ import annotations

from sandbox.errors import JobRefused
from sandbox.job import Job
from sandbox.kinds import Plan


def plan(job: Job) -> Plan:
    """Return how an http job is run. Raises JobRefused when it names no command."""
    if not job.command:
        raise JobRefused("command: kind http needs the command that starts the server")
    return Plan(
        box_command=("python3", "-I", "-u", "/opt/greenroom/shim.py"),
        box_setup={"files": dict(job.files)},
        judge_fields={"command": list(job.command), "ready": job.ready},
    )
