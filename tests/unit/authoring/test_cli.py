"""`flask exercises`: what it prints, and that its exit status can be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app.catalog.models import Exercise
from app.db import db
from app.submissions.sandboxes import EXTENSION
from sandbox.errors import EngineUnavailable
from sandbox.fake_box import FakeBox
from sandbox.job import Job
from sandbox.outcome import Ended, Outcome
from tests.conftest import MakeApp
from tests.exercise_folders import FILES, changed, write
from tests.unit.authoring.test_proof import judge


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An exercises folder with one exercise, calls/double-it."""
    write(tmp_path / "exercises/calls/double-it")
    return tmp_path / "exercises"


@pytest.fixture
def site(make_app: MakeApp, root: Path) -> Flask:
    """The site on that folder, with a scripted sandbox."""
    app = make_app(exercises_dir=root)
    app.extensions[EXTENSION] = FakeBox(script=judge)
    return app


def run(app: Flask, *words: object) -> Result:
    """The result of `flask exercises …`."""
    return app.test_cli_runner().invoke(args=["exercises", *map(str, words)])


def said(result: Result) -> Any:
    """What was printed, as JSON."""
    return json.loads(result.stdout)


def test_sync_says_what_changed(site: Flask, root: Path) -> None:
    first = run(site, "sync")
    assert (first.exit_code, first.stdout.splitlines()[0]) == (0, "created      calls/double-it")
    assert run(site, "sync").stdout == "1 exercises published, 1 of them as before\n"
    write(root / "calls/double-it", changed("seconds: 10", "seconds: 0"))
    second = run(site, "sync")
    assert second.exit_code == 1
    assert second.stderr == f"{root}/calls/double-it/exercise.yaml:10: limits.seconds must be 1–120, got 0\n"


def test_prove_proves_all_and_keeps_the_card(site: Flask) -> None:
    run(site, "sync")
    result = run(site, "prove")
    assert result.exit_code == 0, result.output
    assert "1 of 1 exercises proven" in result.stdout and "FAIL" not in result.stdout
    with site.app_context():
        exercise = db.session.scalars(db.select(Exercise)).one()
        assert exercise.current is not None and exercise.current.proof is not None
        assert exercise.current.proof["passed"] is True


def test_prove_names_the_rule_and_the_place(site: Flask, root: Path) -> None:
    write(root / "calls/double-it", {"wrong/adds-two/app.py": FILES["solutions/python/app.py"]})
    result = run(site, "prove", root / "calls/double-it")
    assert result.exit_code == 1
    assert "  FAIL  wrong " in result.stdout and "wrong/adds-two: must fail big but passed" in result.stdout
    answer = run(site, "prove", root / "calls", "--json")
    assert answer.exit_code == 1
    assert said(answer)["passed"] is False
    assert [rule["name"] for rule in said(answer)["exercises"][0]["rules"] if not rule["passed"]] == ["wrong"]


def test_prove_reports_a_folder_that_is_no_exercise(site: Flask, tmp_path: Path, root: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run(site, "prove", empty)
    assert result.exit_code == 1 and "exercise.yaml: is missing" in result.stdout
    assert run(site, "prove", tmp_path / "nowhere").exit_code == 2
    (root / "calls/double-it/exercise.yaml").unlink()
    assert run(site, "prove").exit_code == 1  # a broken folder among the shipped ones is not passed over


def test_a_proof_needs_no_database(make_app: MakeApp, root: Path, tmp_path: Path) -> None:
    app = make_app(exercises_dir=root, database_url=f"sqlite:///{tmp_path}/none.sqlite3")
    app.extensions[EXTENSION] = FakeBox(script=judge)
    result = run(app, "prove")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("folder", "status", "verdict"),
    [("solutions/python", 0, "accepted"), ("wrong/takes-none", 1, "wrong answer")],
)
def test_judge_decides_about_any_folder(site: Flask, root: Path, folder: str, status: int, verdict: str) -> None:
    exercise = root / "calls/double-it"
    result = run(site, "judge", exercise, exercise / folder, "--language", "python", "--json")
    assert result.exit_code == status
    assert said(result) == {
        "verdict": verdict,
        "checks": [
            {"id": "twice", "passed": True, "group": "core"},
            {"id": "big", "passed": True, "group": "edge"},
            {"id": "none", "passed": status == 0, "group": "security"},
        ],
        "wall_ms": 1000,
    }
    assert run(site, "judge", exercise, exercise / folder, "--language", "python").stdout.startswith(verdict)


def test_judge_takes_a_seed(site: Flask, root: Path) -> None:
    exercise = root / "calls/double-it"
    run(site, "judge", exercise, exercise / "solutions/python", "--language", "python", "--seed", 5)
    assert site.extensions[EXTENSION].jobs[-1].seed == 5


def broken(_job: Job) -> Outcome:
    """The platform's fault."""
    return Outcome(ended=Ended.JUDGE_BROKE, reason="the judge stopped")


class NoEngine(FakeBox):
    """A sandbox whose engine is gone."""

    def run(self, job: Job, on_event: object) -> Outcome:
        raise EngineUnavailable("no Docker engine answers")


@pytest.mark.parametrize(
    ("box", "reason"), [(FakeBox(script=broken), "the judge stopped"), (NoEngine(), "no Docker engine answers")]
)
def test_a_judge_error_has_its_own_status_and_a_reason(site: Flask, root: Path, box: FakeBox, reason: str) -> None:
    site.extensions[EXTENSION] = box
    exercise = root / "calls/double-it"
    result = run(site, "judge", exercise, exercise / "solutions/python", "--language", "python", "--json")
    assert result.exit_code == 3
    assert (said(result)["verdict"], said(result)["reason"]) == ("judge error", reason)


def test_prove_without_an_engine_says_so(site: Flask) -> None:
    site.extensions[EXTENSION] = NoEngine()
    result = run(site, "prove")
    assert result.exit_code == 3 and "no Docker engine answers" in result.stderr


def test_judge_refuses_bad_input_with_the_place(site: Flask, root: Path, tmp_path: Path) -> None:
    exercise, empty = root / "calls/double-it", tmp_path / "empty"
    empty.mkdir()
    good = exercise / "solutions/python"
    wrong_language = run(site, "judge", exercise, good, "--language", "node")
    assert wrong_language.exit_code == 2 and "--language must be one of python, got 'node'" in wrong_language.stderr
    no_entry = run(site, "judge", exercise, empty, "--language", "python")
    assert no_entry.exit_code == 2 and f"{empty}/app.py: is missing; it is the entry for python" in no_entry.stderr
    missing = run(site, "judge", tmp_path / "nowhere", good, "--language", "python")
    assert missing.exit_code == 2 and "does not exist" in missing.stderr
    assert run(site, "judge", exercise, good).exit_code == 2
    write(exercise, changed("seconds: 10", "seconds: 0"))
    bad = run(site, "judge", exercise, good, "--language", "python")
    assert bad.exit_code == 2 and "exercise.yaml:10: limits.seconds must be 1–120, got 0" in bad.stderr
