"""Every shipped exercise, and what new ones start from, is proven for real: all that is in it, through Docker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.authoring.proof import prove_folder
from app.authoring.starts import FOLDER as STARTS
from app.catalog.format import load
from app.catalog.sync import folders
from config import ROOT
from sandbox import doctor
from sandbox.docker_box import DockerBox
from sandbox.job import MIB

POOL_BYTES = 1024 * MIB
EXERCISES = list(folders(ROOT / "exercises"))

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def box() -> Iterator[DockerBox]:
    """The real sandbox, its limits proven."""
    box = DockerBox(pool_bytes=POOL_BYTES)
    report = doctor.examine(box)
    assert report.passed, [probe for probe in report.probes if not probe.passed]
    yield box
    box.close()


@pytest.mark.parametrize(
    "folder", [*EXERCISES, *sorted(STARTS.iterdir())], ids=lambda folder: f"{folder.parent.name}/{folder.name}"
)
def test_it_is_proven(folder: Path, box: DockerBox) -> None:
    card = prove_folder(folder, box, at=datetime.now(UTC))
    assert [(rule.name, finding) for rule in card.rules for finding in rule.findings] == []


def test_there_are_the_exercises_that_a_newcomer_is_promised() -> None:
    tracks = [folder.parent.name for folder in EXERCISES]
    assert {track: tracks.count(track) for track in tracks} == {
        "welcome": 1, "apis": 6, "sql": 11, "auth": 8, "caching": 10, "testing": 1,
    }  # fmt: skip


def test_no_two_exercises_share_an_id() -> None:
    ids = [load(folder).spec.id for folder in EXERCISES]
    assert len(set(ids)) == len(ids)
