"""Kind calls: a driver beside the learner's code answers the judge's calls."""

from __future__ import annotations

from sandbox.job import Job
from sandbox.kinds import Plan


def plan(job: Job) -> Plan:
    """Return how a calls job is run."""
    return Plan(
        box_command=("python3", "-I", "-u", "/opt/greenroom/driver.py"),
        box_setup={"files": dict(job.files), "entry": job.entry},
    )
