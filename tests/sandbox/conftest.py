"""Fixtures for tests on the real engine. They fail, and never skip, where no engine answers."""

from __future__ import annotations

import pytest

from sandbox.docker_box import DockerBox
from sandbox.doctor import Report, examine


@pytest.fixture(scope="session")
def docker_box() -> DockerBox:
    """The real sandbox, its limits proven."""
    box = DockerBox()
    report = examine(box)
    assert report.passed, report
    return box


@pytest.fixture(scope="session")
def examination(docker_box: DockerBox) -> Report:
    """What the doctor says."""
    return examine(docker_box)
