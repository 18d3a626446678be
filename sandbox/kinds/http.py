"""Kind http: a shim in the box starts the learner's server and carries the judge's connections to it.

With services, their container has the loopback that the box joins; see docs/decisions/services.md.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.errors import JobRefused
from sandbox.job import Job
from sandbox.kinds import Plan

SERVICES = ("postgres", "redis", "upstream")
KEEPER = ("python3", "-I", "-S", "-u", "/opt/greenroom/keeper.py")


def plan(job: Job) -> Plan:
    """Return how an http job is run. Raises JobRefused when it names no command, or a service that there is not."""
    if not job.command:
        raise JobRefused("command: kind http needs the command that starts the server")
    if not set(job.services) <= set(SERVICES):
        raise JobRefused(f"services must be among {', '.join(SERVICES)}, got {', '.join(job.services)}")
    plan = Plan(
        box_command=("python3", "-I", "-u", "/opt/greenroom/shim.py"),
        box_setup={"files": dict(job.files)},
        judge_fields={"command": list(job.command), "ready": job.ready},
    )
    return with_services(plan, job.services) if job.services else plan


def with_services(plan: Plan, services: tuple[str, ...]) -> Plan:
    """Return `plan` with `services` beside the box, whose shim is told of them: it may load clients ahead."""
    wanted = [name for name in SERVICES if name in services]
    return replace(
        plan,
        box_command=(*plan.box_command, *wanted),
        service="services",
        service_command=(*KEEPER, *wanted),
        service_setup={"services": wanted},
    )
