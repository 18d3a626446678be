"""An engine that goes away under load and comes back: no wrong verdict, no new sandbox needed, nothing left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import container, owner
from sandbox.docker_box import DockerBox
from sandbox.engine import ensure_engine
from sandbox.errors import SandboxError
from sandbox.outcome import PLATFORM_FAULTS, Ended, Outcome
from tests.sandbox.jobs import ADD, calls_job

pytestmark = pytest.mark.timeout(400)

WRONG = "def add(a, b):\n    return 0\n"
PATIENCE = 120.0  # a hang guard
STOPS_WITHIN = 40.0  # seconds for the engine to end by itself: it waits for its containers, and for open requests


def engine_pid() -> int | None:
    """Return the pid of the engine on this machine, or None. One that has ended and is not yet collected is none."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if (folder / "comm").read_text().strip() == "dockerd" and state != "Z":
                return int(folder.name)
        except OSError:
            continue
    return None


@pytest.fixture
def engine() -> Iterator[None]:
    """Makes sure that an engine answers again afterwards, whatever the test did."""
    yield
    ensure_engine(print)


def right(outcome: Outcome, *, correct: bool) -> bool:
    """Return whether a completed job's checks say what they must: all pass, or the arithmetic ones fail."""
    passed = {check.id for check in outcome.checks if check.passed}
    return passed == {"small", "large", "text"} if correct else not passed & {"small", "large"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may stop the engine, and only root's tests started it")
def test_an_engine_that_is_restarted_under_load_costs_retries_and_no_verdict(
    docker_box: DockerBox, engine: None
) -> None:
    assert docker_box.run(calls_job(ADD), lambda _: None).ended is Ended.COMPLETED
    assert docker_box.pool.fill(PATIENCE)
    done = threading.Event()
    wrong: list[Outcome] = []
    completed: list[float] = []

    def load(correct: bool) -> None:
        while not done.is_set():
            try:
                outcome = docker_box.run(calls_job(ADD if correct else WRONG), lambda _: None)
            except SandboxError:
                time.sleep(0.2)  # said before anything was started: the job would wait
                continue
            if outcome.ended is Ended.COMPLETED:
                completed.append(time.monotonic())
                if not right(outcome, correct=correct):
                    wrong.append(outcome)
            elif outcome.ended not in PLATFORM_FAULTS:
                wrong.append(outcome)

    threads = [threading.Thread(target=load, args=(correct,)) for correct in (True, False)]
    for thread in threads:
        thread.start()
    pid = engine_pid()
    assert pid is not None
    time.sleep(1.0)
    os.kill(pid, signal.SIGTERM)
    give_up = time.monotonic() + STOPS_WITHIN

    def ended() -> bool:
        if time.monotonic() > give_up and engine_pid() == pid:
            os.kill(pid, signal.SIGKILL)  # as a service manager does with one that does not come to its end
        return engine_pid() != pid

    _until(ended, "the engine's end")
    time.sleep(1.0)
    ensure_engine(print)
    back = time.monotonic()
    _until(lambda: sum(when > back for when in completed) >= 4, "jobs that complete after the restart")
    done.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert wrong == []
    assert docker_box.pool.settle()
    _until(lambda: _there(docker_box) <= _ready(docker_box), "an engine with nothing left on it", docker_box)


def _ready(box: DockerBox) -> set[str]:
    return {each.id for member in box.pool.ready() for each in member.containers}


def _there(box: DockerBox) -> set[str]:
    wanted = {"label": [f"{container.APP_LABEL}=sandbox", f"greenroom.owner={owner.owner_token()}"]}
    return {each["Id"] for each in box.engine().api.containers(all=True, filters=wanted)}


def _until(true: object, what: str, box: DockerBox | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, f"no {what}"
        if box is not None:
            box.sweep()
        time.sleep(0.2)
