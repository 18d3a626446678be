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


def examine(sandbox: Sandbox) -> Report:
    """Return what the doctor says: whether each limit of `sandbox` bites. Takes seconds."""
    from sandbox import doctor

    return doctor.examine(sandbox)
