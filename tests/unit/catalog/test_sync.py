"""What is in the folder is what is published; what learners already sent keeps its revision."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.catalog.models import Exercise, Revision
from app.catalog.services import find, source_of, statement_html, sync
from app.db import db
from app.errors import NotFound
from tests.exercise_folders import FILES, changed, write

pytestmark = pytest.mark.both_databases

OTHER = {**FILES, "exercise.yaml": FILES["exercise.yaml"].replace("3f0c6f3a", "4f0c6f3a").replace("Double", "Triple")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one exercise, calls/double-it."""
    write(tmp_path / "exercises/calls/double-it")
    return tmp_path / "exercises"


def test_a_sync_publishes_and_a_second_one_changes_nothing(app: Flask, root: Path) -> None:
    with app.app_context():
        assert sync(root).created == ["calls/double-it"]
        exercise = find("calls", "double-it")
        assert (exercise.title, exercise.kind, exercise.skills) == ("Double it", "calls", ["arithmetic"])
        assert exercise.summary == "Give back twice of it."
        assert exercise.current is not None and exercise.current.files == FILES
        report = sync(root)
        assert (report.unchanged, report.created, report.updated) == (["calls/double-it"], [], [])
        assert len(db.session.scalars(select(Revision)).all()) == 1


def test_a_change_makes_a_revision_and_keeps_the_old_one(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        old = find("calls", "double-it").current
        assert old is not None
        write(root / "calls/double-it", changed("Give back", "Return", file="README.md"))
        assert sync(root).updated == ["calls/double-it"]
        new = find("calls", "double-it").current
        assert new is not None and (old.number, new.number) == (1, 2)
        assert "Return" in statement_html(new) and "Give back" in statement_html(old)
        assert source_of(old).statement == FILES["README.md"]


def test_a_broken_folder_leaves_what_is_published_as_it_was(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        write(root / "calls/double-it", changed("seconds: 10", "seconds: 0"))
        write(root / "calls/triple-it", {**OTHER, "README.md": ""})
        write(root / "calls/Loud", OTHER)
        report = sync(root)
        assert {(str(Path(problem.file).relative_to(root)), problem.line) for problem in report.problems} >= {
            ("calls/Loud", 0),
            ("calls/double-it/exercise.yaml", 10),
            ("calls/triple-it/README.md", 0),
        }
        assert not report.ok and report.unpublished == []
        assert find("calls", "double-it").published
        with pytest.raises(NotFound):
            find("calls", "triple-it")


def test_an_exercise_that_is_gone_is_unpublished_and_comes_back_as_itself(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        number = find("calls", "double-it").id
        shutil.rmtree(root / "calls/double-it")
        assert sync(root).unpublished == ["calls/double-it"]
        with pytest.raises(NotFound):
            find("calls", "double-it")
        assert db.session.get(Exercise, number) is not None
        write(root / "calls/double-it")
        assert sync(root).updated == ["calls/double-it"]
        assert find("calls", "double-it").id == number


def test_two_folders_with_one_id_are_both_refused(app: Flask, root: Path) -> None:
    with app.app_context():
        write(root / "apis/copy")
        report = sync(root)
        assert [str(problem).removeprefix(f"{root}/") for problem in report.problems] == [
            "apis/copy/exercise.yaml:2: id is also the id of calls/double-it",
            "calls/double-it/exercise.yaml:2: id is also the id of apis/copy",
        ]
        assert db.session.scalars(select(Exercise)).all() == []


def test_exercises_that_swap_their_folders_stay_themselves(app: Flask, root: Path) -> None:
    write(root / "calls/triple-it", OTHER)
    with app.app_context():
        sync(root)
        double, triple = find("calls", "double-it").id, find("calls", "triple-it").id
        for name in ("double-it", "triple-it"):
            shutil.rmtree(root / "calls" / name)
        write(root / "calls/double-it", OTHER)
        write(root / "calls/triple-it")
        sync(root)
        assert (find("calls", "triple-it").id, find("calls", "double-it").id) == (double, triple)


def test_another_exercise_may_take_the_place_of_one_that_is_gone(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        old = find("calls", "double-it").id
        shutil.rmtree(root / "calls/double-it")
        write(root / "calls/double-it", OTHER)
        assert sync(root).created == ["calls/double-it"]
        assert find("calls", "double-it").id != old
        gone = db.session.get(Exercise, old)
        assert gone is not None and not gone.published


def test_a_folder_that_is_not_there_holds_nothing(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        assert sync(tmp_path / "nowhere").ok
