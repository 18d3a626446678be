"""Fixtures for tests on the real engine. They fail, and never skip, where no engine answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.docker_box import DockerBox
from sandbox.doctor import Report, examine
from sandbox.job import MIB

POOL_BYTES = 2 * 1024 * MIB


@pytest.fixture(scope="session")
def docker_box() -> Iterator[DockerBox]:
    """The real sandbox, its limits proven, with a pool: what most tests run in was made ahead."""
    box = DockerBox(pool_bytes=POOL_BYTES)
    report = examine(box)
    assert report.passed, report
    yield box
    box.close()


@pytest.fixture(scope="session")
def spliced_box(docker_box: DockerBox) -> Iterator[DockerBox]:
    """The real sandbox as it is where boxes cannot dial the worker: on another kernel than the engine's."""
    box = DockerBox(proven=docker_box.proven, pool_bytes=POOL_BYTES, doors=False)
    yield box
    box.close()


@pytest.fixture(scope="session")
def cold_box() -> Iterator[DockerBox]:
    """The real sandbox without a pool: everything is made for its job."""
    box = DockerBox(proven=True)
    yield box
    box.close()


@pytest.fixture(scope="session")
def examination(docker_box: DockerBox) -> Report:
    """What the doctor says."""
    return examine(docker_box)
