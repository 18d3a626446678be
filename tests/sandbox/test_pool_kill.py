"""Of a worker that is killed with full shelves nothing is left: no container, no volume, no door."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config import ROOT
from sandbox import door, owner
from sandbox.container import APP_LABEL
from sandbox.docker_box import DockerBox

PATIENCE = 120.0  # a hang guard
WORKER = """
import json, sys, time
from sandbox import owner
from sandbox.docker_box import DockerBox
from tests.sandbox.jobs import ADD, calls_job, http_job, sql_job

box = DockerBox(proven=True, pool_bytes=1 << 30)
print(json.dumps({"owner": owner.owner_token()}), flush=True)
box.expect(calls_job(ADD))
box.expect(http_job("", "def test_one(shared): pass", "test_one"))
box.expect(sql_job("select 1", "def test_one(sql): pass", "test_one"))
if sys.argv[1] == "full":
    assert box.pool.fill(100)
    print(json.dumps({"ready": [c.id for m in box.pool.ready() for c in m.containers]}), flush=True)
elif sys.argv[1] == "judging":
    slow = calls_job("import time\\ntime.sleep(60)\\n" + ADD)
    box.run(slow, lambda event: print(json.dumps({"event": event.name}), flush=True))
time.sleep(600)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What there is of a process."""

    containers: set[str]
    volumes: set[str]
    doors: set[str]


def left(box: DockerBox, token: str) -> Left:
    """Return what bears the owner `token`."""
    wanted: dict[str, Any] = {"label": [f"{APP_LABEL}=sandbox", f"greenroom.owner={token}"]}
    owners = Path(tempfile.gettempdir()).glob(f"{door.PREFIX}*/{door.OWNER}")
    return Left(
        containers={each["Id"] for each in box.engine().api.containers(all=True, filters=wanted)},
        volumes={str(each.id) for each in box.engine().volumes.list(filters=wanted)},
        doors={str(path.parent) for path in owners if path.read_text(encoding="ascii") == token},
    )


NOTHING = Left(containers=set(), volumes=set(), doors=set())


class Worker:
    """A process with a pool; what it says is one JSON object per line."""

    def __init__(self, what: str) -> None:
        command = [sys.executable, "-c", WORKER, what]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.owner = str(self.says()["owner"])

    def says(self) -> dict[str, Any]:
        """Return the next thing it says."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def kill(self) -> None:
        """Kill it so that it cannot clear up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def worker() -> Iterator[Callable[[str], Worker]]:
    """Starts workers; whatever still runs at the end is killed."""
    started: list[Worker] = []

    def start(what: str) -> Worker:
        started.append(Worker(what))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        assert each.process.stdout is not None
        each.process.stdout.close()


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"no {what} within {PATIENCE:.0f} s"
        time.sleep(0.2)


def test_one_sweep_removes_what_a_worker_killed_with_full_shelves_had(
    docker_box: DockerBox, worker: Callable[[str], Worker]
) -> None:
    killed = worker("full")
    shelved = set(killed.says()["ready"])
    docker_box.sweep()
    before = left(docker_box, killed.owner)
    assert before.containers == shelved, "of a living worker nothing is removed"
    assert (len(shelved), len(before.volumes), len(before.doors)) == (
        6,
        1,
        1,
    )  # two judges and boxes, one with a server
    killed.kill()
    assert not owner.lives(killed.owner)
    assert left(docker_box, killed.owner) == before, "a killed worker cannot clean up: otherwise this shows nothing"
    assert docker_box.sweep() >= 7
    assert left(docker_box, killed.owner) == NOTHING


def test_sweeps_remove_what_a_worker_killed_while_it_fills_its_shelves_had(
    docker_box: DockerBox, worker: Callable[[str], Worker]
) -> None:
    killed = worker("filling")
    until(lambda: len(left(docker_box, killed.owner).containers) >= 2, "containers")
    killed.kill()
    # What the engine was just asked for may come up a little later: whoever lives sweeps every minute.
    until(lambda: docker_box.sweep() == 0 and left(docker_box, killed.owner) == NOTHING, "clean engine")
    time.sleep(1)
    assert left(docker_box, killed.owner) == NOTHING


def test_sweeps_remove_what_a_worker_killed_while_it_judges_had(
    docker_box: DockerBox, worker: Callable[[str], Worker]
) -> None:
    killed = worker("judging")
    while killed.says().get("event") != "box.started":
        pass
    killed.kill()
    assert left(docker_box, killed.owner).containers
    until(lambda: docker_box.sweep() == 0 and left(docker_box, killed.owner) == NOTHING, "clean engine")
