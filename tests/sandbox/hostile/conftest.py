"""The range on which hostile submissions run, and what must hold after each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest

from sandbox import container, owner
from sandbox.docker_box import DockerBox
from sandbox.job import Job
from sandbox.outcome import Outcome
from tests.sandbox.hostile.suites import CANARY

PATIENCE = 60.0  # a hang guard
IN_THE_MAKING = 4  # containers that a pool may be making or giving up at any moment


@dataclass(slots=True)
class Range:
    """Runs jobs on the real sandbox, in boxes and by judges that were made ahead."""

    box: DockerBox

    def run(self, job: Job) -> Outcome:
        """Return the outcome of `job`, in which nothing hidden may stand."""
        outcome = self.box.run(job, lambda _: None)
        assert CANARY not in repr(outcome)
        return outcome


_all_boxes: list[DockerBox] = []


def left_behind(boxes: list[DockerBox]) -> set[str]:
    """Return the containers that nobody of this process will destroy, or that it holds although no pool does."""
    _all_boxes.extend(box for box in boxes if box not in _all_boxes)
    assert all(box.pool.settle() for box in _all_boxes)
    deadline = time.monotonic() + PATIENCE
    while True:
        wanted = {"label": [f"{container.APP_LABEL}=sandbox", f"greenroom.owner={owner.owner_token()}"]}
        there = {c["Id"] for c in shared_engine(boxes).api.containers(all=True, filters=wanted)}
        ready = {each.id for box in _all_boxes for member in box.pool.ready() for each in member.containers}
        forgotten, taken = there - container.held(), container.held() - ready
        if not forgotten and len(taken) <= IN_THE_MAKING * len(_all_boxes):
            return set()
        if time.monotonic() > deadline:
            return forgotten | taken
        time.sleep(0.1)  # one that is just being made or removed


def shared_engine(boxes: list[DockerBox]) -> docker.DockerClient:
    return boxes[0].engine()


@pytest.fixture(scope="session")
def shooting_range(docker_box: DockerBox) -> Range:
    """The one range of the session, for outcomes that several tests look at."""
    return Range(docker_box)


@pytest.fixture
def hostile(shooting_range: Range) -> Range:
    """Where a test runs its hostile job."""
    return shooting_range


@pytest.fixture(params=["handed", "spliced"])
def either(request: pytest.FixtureRequest) -> Range:
    """Where a test runs its hostile job over each of the two channels."""
    if request.param == "handed":
        return Range(request.getfixturevalue("docker_box"))
    return Range(request.getfixturevalue("spliced_box"))


@pytest.fixture
def spliced(spliced_box: DockerBox) -> Range:
    """Where a test runs its hostile job when the box's channel is a pair of pipes."""
    return Range(spliced_box)


@pytest.fixture(autouse=True)
def nothing_is_left_and_the_engine_is_well(request: pytest.FixtureRequest, shooting_range: Range) -> Iterator[None]:
    """After each test: the engine answers, and nothing of the test's jobs is left."""
    yield
    assert shooting_range.box.engine().ping()
    others = {"spliced_box", "cold_box"} & set(request.fixturenames)
    boxes = [shooting_range.box, *(request.getfixturevalue(name) for name in others)]
    boxes += [range.box for name, range in request.node.funcargs.items() if name == "either"]
    assert left_behind(boxes) == set()
