"""Which sandbox this process drives: chosen here and nowhere else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from flask import Flask

from config import Config
from sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from sandbox.doctor import Report

EXTENSION = "greenroom.sandbox"

_choosing = threading.Lock()


def sandbox_of(app: Flask) -> Sandbox:
    """Return the sandbox in `app.extensions[EXTENSION]`; at the first call, unless a test put one there, Docker's.

    Raises EngineUnavailable when no engine answers; the next call tries again.
    """
    with _choosing:
        if EXTENSION not in app.extensions:
            config = cast(Config, app.extensions["greenroom.config"])
            # Imported late: a site whose workers run elsewhere needs no Docker.
            from sandbox.docker_box import DockerBox

            app.extensions[EXTENSION] = DockerBox(runtime=config.container_runtime)
        return cast(Sandbox, app.extensions[EXTENSION])


def unproven(sandbox: Sandbox) -> list[str]:
    """Return what the doctor did not see bite, in words; empty when learner code may run. Takes seconds."""
    return [f"{probe.name}: {probe.detail}" for probe in examine(sandbox).probes if not probe.passed]


def examine(sandbox: Sandbox) -> Report:
    """Return the doctor's report on `sandbox`. A sandbox other than Docker's has no limits to prove."""
    from sandbox import doctor
    from sandbox.docker_box import DockerBox

    if isinstance(sandbox, DockerBox):
        return doctor.examine(sandbox)
    return doctor.Report(probes=(doctor.Probe(name="no containers", passed=True, detail=type(sandbox).__name__),))
