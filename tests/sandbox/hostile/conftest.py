"""The range on which hostile submissions run, and what must hold after each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox import container, owner
from sandbox.docker_box import DockerBox
from sandbox.job import Job
from sandbox.outcome import Outcome
from tests.sandbox.hostile.suites import CANARY

PATIENCE = 20.0  # a hang guard


@dataclass(slots=True)
class Range:
    """Runs jobs on the real sandbox, in boxes and by judges that were made ahead."""

    box: DockerBox

    def run(self, job: Job) -> Outcome:
        """Return the outcome of `job`, in which nothing hidden may stand."""
        outcome = self.box.run(job, lambda _: None)
        assert CANARY not in repr(outcome)
        return outcome

    def left_behind(self) -> set[str]:
        """Return the containers of this process that are neither held ready by the pool nor about to go."""
        assert self.box.pool.settle()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ready = {each.id for member in self.box.pool.ready() for each in member.containers}
            wanted = {"label": [f"{container.APP_LABEL}=sandbox", f"greenroom.owner={owner.owner_token()}"]}
            there = {c["Id"] for c in self.box.engine().api.containers(all=True, filters=wanted)}
            if there <= ready:
                return set()
            time.sleep(0.1)  # one that is just being made
        return there - ready


@pytest.fixture(scope="session")
def shooting_range(docker_box: DockerBox) -> Range:
    """The one range of the session, for outcomes that several tests look at."""
    return Range(docker_box)


@pytest.fixture
def hostile(shooting_range: Range) -> Range:
    """Where a test runs its hostile job."""
    return shooting_range


@pytest.fixture(autouse=True)
def nothing_is_left_and_the_engine_is_well(shooting_range: Range) -> Iterator[None]:
    """After each test: the engine answers, and nothing of the test's jobs is left."""
    yield
    assert shooting_range.box.engine().ping()
    assert shooting_range.left_behind() == set()
