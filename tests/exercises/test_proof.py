"""Every shipped exercise, and what new ones start from, is proven for real: all that is in it, through Docker."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.authoring import gate
from app.authoring.proof import draw_seeds
from app.authoring.starts import FOLDER as STARTS
from app.authoring.trials import Role, plan, run_all
from app.catalog.format import load
from app.catalog.sync import folders
from config import ROOT
from sandbox import doctor
from sandbox.docker_box import DockerBox
from sandbox.job import MIB

POOL_BYTES = 1024 * MIB
DRAWN = 3  # wrong solutions and cheats of each exercise, where not all are run
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
    """References, starters and a draw of the rest; of one exercise in three, drawn anew each time, all of it.

    All of everything is what `make prove` runs: it takes two cores longer than a change may wait for its tests.
    """
    source = load(folder)
    whole = secrets.randbelow(3) == 0
    trials = plan(source, draw_seeds()[:1])
    rest = [trial for trial in trials if trial.role in {Role.WRONG, Role.CHEAT}]
    drawn = rest if whole else secrets.SystemRandom().sample(rest, min(DRAWN, len(rest)))
    trials = [trial for trial in trials if trial not in rest or trial in drawn]
    results = run_all(source, trials, box, side_by_side=2, job_prefix="proof", on_result=lambda _result: None)
    rules = [rule for rule in gate.rules(source, results) if whole or rule.name != "dead-checks"]
    assert [(rule.name, finding) for rule in rules for finding in rule.findings] == []


def test_there_are_the_exercises_that_a_newcomer_is_promised() -> None:
    tracks = [folder.parent.name for folder in EXERCISES]
    assert {track: tracks.count(track) for track in tracks} == {
        "welcome": 1, "apis": 10, "sql": 11, "auth": 10, "caching": 11, "testing": 1,
    }  # fmt: skip


def test_no_two_exercises_share_an_id() -> None:
    ids = [load(folder).spec.id for folder in EXERCISES]
    assert len(set(ids)) == len(ids)
