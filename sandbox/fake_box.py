"""The scripted twin of DockerBox: same face, same contract tests, no Docker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.job import Job
from sandbox.outcome import CheckOutcome, Ended, Event, Outcome
from sandbox.sandbox import OnEvent
from sandbox.shelf import PoolStatus

Script = Callable[[Job], Outcome]


def all_pass(job: Job) -> Outcome:
    """The outcome of a submission that passes every check."""
    return Outcome(ended=Ended.COMPLETED, checks=tuple(CheckOutcome(id=c.id, passed=True) for c in job.checks))


@dataclass(slots=True)
class FakeBox:
    """Answers each job by asking `script`; remembers the jobs it was given."""

    script: Script = all_pass
    jobs: list[Job] = field(default_factory=list)
    expected: list[Job] = field(default_factory=list)

    def run(self, job: Job, on_event: OnEvent) -> Outcome:
        """Return the scripted outcome, telling the events that a real box would tell."""
        job.validate()
        self.jobs.append(job)
        on_event(Event(name="box.starting"))
        outcome = self.script(job)
        on_event(Event(name="box.started"))
        for done, check in enumerate(outcome.checks, start=1):
            data = {"id": check.id, "passed": check.passed, "done": done, "total": len(job.checks)}
            on_event(Event(name="check.finished", data=data))
        return outcome

    def keep_ready(self, pool_bytes: int) -> None:
        """Nothing is made ahead."""

    def expect(self, job: Job) -> None:
        """Remember the job that is expected."""
        job.validate()
        self.expected.append(job)

    def status(self) -> PoolStatus:
        """Return an empty pool."""
        return PoolStatus()

    def close(self) -> None:
        """Nothing was made."""

    def sweep(self) -> int:
        """Return 0: a fake leaves nothing behind."""
        return 0
