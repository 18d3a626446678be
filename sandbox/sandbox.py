"""The public face: anything that can run a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sandbox.job import Job
from sandbox.outcome import Event, Outcome

OnEvent = Callable[[Event], None]


class Sandbox(Protocol):
    """Runs jobs. `docker_box.DockerBox` is the real one, `fake_box.FakeBox` its scripted twin."""

    def run(self, job: Job, on_event: OnEvent) -> Outcome:
        """Return what happened to `job`; blocks until all of it is over and removed.

        Raises JobRefused for a malformed job and LimitsUnproven when the doctor has not passed;
        every failure of engine, box or judge is an `Outcome`, never an exception.
        """
        ...

    def sweep(self) -> int:
        """Remove containers and volumes that nobody owns any more; return how many."""
        ...
