"""The range on which hostile submissions run, and what must hold after each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sandbox.docker_box import DockerBox
from sandbox.job import Job
from sandbox.outcome import Outcome
from tests.sandbox.hostile.suites import CANARY


@dataclass(slots=True)
class Range:
    """Runs jobs on the real sandbox and remembers their ids."""

    box: DockerBox
    ids: list[str] = field(default_factory=list)

    def run(self, job: Job) -> Outcome:
        """Return the outcome of `job`, in which nothing hidden may stand."""
        self.ids.append(job.id)
        outcome = self.box.run(job, lambda _: None)
        assert CANARY not in repr(outcome)
        return outcome

    def left_behind(self) -> list[str]:
        """Return the containers and volumes that still carry the label of a job run here."""
        left = []
        for id in self.ids:
            wanted = {"label": ["greenroom.app=sandbox", f"greenroom.job={id}"]}
            left += [c["Id"] for c in self.box.client.api.containers(all=True, filters=wanted)]
            left += [v["Name"] for v in self.box.client.api.volumes(filters=wanted)["Volumes"] or ()]
        return left


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
    assert shooting_range.box.client.ping()
    assert shooting_range.left_behind() == []
    shooting_range.ids.clear()
