"""Kind sql: no box; a PostgreSQL of the job's own, which the judge reaches over a Unix socket."""

from __future__ import annotations

from sandbox.errors import JobRefused
from sandbox.job import Job
from sandbox.kinds import Plan

MODES = ("query", "script", "statements")


def plan(job: Job) -> Plan:
    """Return how an sql job is run. Raises JobRefused for an unknown mode."""
    if job.mode not in MODES:
        raise JobRefused(f"mode must be one of {', '.join(MODES)}, got {job.mode!r}")
    return Plan(
        service="postgres",
        service_command=("/opt/greenroom/postgres-box",),
        service_setup={"mode": job.mode},
        judge_fields={"text": job.files[job.entry]},
    )
