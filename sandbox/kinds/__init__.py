"""How each kind is run: one module each, with one function `plan(job)`. The registry is this folder."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from sandbox.errors import JobRefused
from sandbox.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a job needs beside its judge: a box for learner code, a service that the judge talks to, or both.

    With both, box and service share their loopback.
    """

    box_command: tuple[str, ...] = ()  # empty: no box
    box_setup: Mapping[str, Any] = field(default_factory=dict)  # first line that the box reads
    service: str = ""  # a folder in sandbox/runtimes/: its container shares a Unix socket with the judge
    service_command: tuple[str, ...] = ()  # the path of the socket's folder is added
    service_setup: Mapping[str, Any] = field(default_factory=dict)  # what the judge makes ready before any job
    judge_fields: Mapping[str, Any] = field(default_factory=dict)  # joined to the judge's job message


def names() -> frozenset[str]:
    """Return the kinds that can be run."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__))


def plan_for(job: Job) -> Plan:
    """Return how `job` is run. Raises JobRefused for an unknown kind."""
    if job.kind not in names():
        raise JobRefused(f"kind must be one of {', '.join(sorted(names()))}, got {job.kind!r}")
    plan: Plan = import_module(f"sandbox.kinds.{job.kind}").plan(job)
    return plan
