"""The public face: anything that can run a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sandbox.job import Job
from sandbox.outcome import Event, Outcome
from sandbox.shelf import PoolStatus

OnEvent = Callable[[Event], None]


class Sandbox(Protocol):
    """Runs jobs. `docker_box.DockerBox` is the real one, `fake_box.FakeBox` its scripted twin."""

    def run(self, job: Job, on_event: OnEvent) -> Outcome:
        """Return what happened to `job`; what it ran in is destroyed by then or right after, and never used again.

        Raises JobRefused for a malformed job and LimitsUnproven when the doctor has not passed;
        every failure of engine, box or judge is an `Outcome`, never an exception.
        """
        ...

    def keep_ready(self, pool_bytes: int) -> None:
        """Let what is made ahead of jobs hold so many bytes of memory from now on."""
        ...

    def expect(self, job: Job) -> None:
        """Have ready what a job like this one needs. Returns at once; raises as `run` does."""
        ...

    def status(self) -> PoolStatus:
        """Return what is held ready."""
        ...

    def close(self) -> None:
        """Leave nothing that was made ahead."""
        ...

    def sweep(self) -> int:
        """Remove containers and volumes that nobody owns any more; return how many."""
        ...
