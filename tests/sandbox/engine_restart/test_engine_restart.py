"""The engine is killed and started again while jobs run. Alone on its engine: it ends every container there is."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox import container, docker_box, engine, owner
from sandbox.docker_box import DockerBox
from sandbox.doctor import examine
from sandbox.errors import EngineUnavailable
from sandbox.job import MIB
from sandbox.outcome import PLATFORM_FAULTS, Ended, Outcome
from tests.sandbox.hostile.suites import accepted
from tests.sandbox.jobs import ADD, calls_job

PATIENCE = 180.0  # a hang guard
THREADS = 2
ENOUGH = 5  # jobs of each thread that must go well, before and after
PROC = Path("/proc")
RIGHT, WRONG = ADD, "def add(a, b):\n    return 0\n"


@pytest.fixture
def box() -> Iterator[DockerBox]:
    """A sandbox of the test's own, its limits proven, with a pool."""
    engine.ensure_engine(lambda line: None)
    box = DockerBox(pool_bytes=512 * MIB)
    report = examine(box)
    assert report.passed, report
    yield box
    box.close()


class Crew:
    """Threads that run one job after the other, right and wrong ones in turn, and note what comes out."""

    def __init__(self, box: DockerBox) -> None:
        self._box, self._done = box, threading.Event()
        self.well = [0] * THREADS  # jobs that completed with the right verdict
        self.faults: list[str] = []  # what the platform said of itself
        self.wrong: list[object] = []  # what must never come out
        self._threads = [threading.Thread(target=self._work, args=(n,), daemon=True) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def _work(self, me: int) -> None:
        right = True
        while not self._done.is_set():
            job = calls_job(RIGHT if right else WRONG)
            try:
                outcome = self._box.run(job, lambda event: None)
            except EngineUnavailable as error:
                self.faults.append(str(error))
                self._done.wait(0.2)
            except BaseException as error:  # whatever else comes out of a job is a defect
                self.wrong.append(error)
                return
            else:
                self._note(me, outcome, as_it_should=accepted(outcome, job) == right)
                right = not right

    def _note(self, me: int, outcome: Outcome, *, as_it_should: bool) -> None:
        if outcome.ended in PLATFORM_FAULTS:
            self.faults.append(outcome.ended)
        elif outcome.ended is Ended.COMPLETED and as_it_should:
            self.well[me] += 1
        else:
            self.wrong.append(outcome)

    def go_on(self, what: str) -> None:
        """Return once each thread has done ENOUGH more jobs well."""
        before, end = list(self.well), time.monotonic() + PATIENCE
        while min(now - was for now, was in zip(self.well, before, strict=True)) < ENOUGH:
            assert self.wrong == []
            assert time.monotonic() < end, f"{what}: {self.well} after {before}, {self.faults[-3:]}"
            time.sleep(0.1)

    def finish(self) -> None:
        """Let the threads end."""
        self._done.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def kill_engine() -> None:
    """Kill the engine's process and return once nobody answers, or another one has been started already."""
    pids = engine._processes(PROC, "dockerd")
    assert pids, "no dockerd runs on this machine: this test has to run where the engine does"
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not set(pids) & set(engine._processes(PROC, "dockerd")), "end of the engine")


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"no {what} within {PATIENCE:.0f} s"
        time.sleep(0.1)


def there(box: DockerBox) -> tuple[set[str], set[str]]:
    """Return the containers and volumes of this process that its pool does not hold."""
    label = [f"{container.APP_LABEL}=sandbox", f"greenroom.owner={owner.owner_token()}"]
    ids = {each["Id"] for each in box.engine().api.containers(all=True, filters={"label": label})}
    volumes = {str(each.id) for each in box.engine().volumes.list(filters={"label": label})}
    return ids - {each.id for member in box.pool.ready() for each in member.containers}, volumes


@pytest.mark.timeout(900)
def test_jobs_go_on_after_the_engine_was_killed_and_started_again(
    box: DockerBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Crew(box)
    try:
        crew.go_on("before")
        kill_engine()
        engine.ensure_engine(lambda line: None)
        crew.go_on("after")
    finally:
        crew.finish()
    assert crew.wrong == []
    assert box.pool.settle(PATIENCE)
    assert box.pool.fill(PATIENCE)
    assert {each.alive() for each in box.pool.ready()} == {True}
    # What was being made when the engine went is on nobody's list; that it is not just being made shows in time.
    monkeypatch.setattr(docker_box, "JUST_MADE", timedelta())

    def clean() -> bool:
        box.sweep()
        return there(box) == (set(), set())

    until(clean, "clean engine")
    job = calls_job(ADD)
    assert accepted(box.run(job, lambda event: None), job)
