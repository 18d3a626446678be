"""Kind mutation: a runner beside the learner's tests runs them; what they test runs in the judge's container."""

from __future__ import annotations

from sandbox.job import Job
from sandbox.kinds import Plan


def plan(job: Job) -> Plan:
    """Return how a mutation job is run."""
    return Plan(
        box_command=("python3", "-I", "-B", "-u", "/opt/greenroom/runner.py"),
        box_setup={"files": dict(job.files)},
    )
