"""What is in the folder is what is published; what learners already sent keeps its revision."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.catalog.format import from_files
from app.catalog.models import Exercise, Revision
from app.catalog.services import find, source_of, statement_html, sync
from app.catalog.standing import Side
from app.catalog.sync import Conflict, conflict_of
from app.db import db
from app.errors import NotFound
from tests.exercise_folders import FILES, changed, write
from tests.factories import make_exercise, make_person

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


PATH = "calls/double-it"
IN_THE_BROWSER = changed("Multiply.", "Multiply by two.")
IN_THE_FOLDER = changed("Give back", "Return", file="README.md")


def edit_in_browser(files: dict[str, str] = IN_THE_BROWSER) -> Exercise:
    """Ivan publishes `files` as the next revision of calls/double-it."""
    ivan, exercise = make_person("Ivan"), find("calls", "double-it")
    assert exercise.current is not None
    exercise.current = Revision(
        exercise_id=exercise.id,
        number=exercise.current.number + 1,
        digest=from_files(files).digest,
        files=files,
        author_id=ivan.id,
    )
    db.session.commit()
    return exercise


def current_files() -> dict[str, str]:
    """What is published at calls/double-it."""
    current = find("calls", "double-it").current
    assert current is not None
    return current.files


def test_what_was_changed_in_the_browser_alone_stays(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        edit_in_browser()
        report = sync(root)
        assert (report.kept, report.updated, report.ok) == ([PATH], [], True)
        assert current_files() == IN_THE_BROWSER
        write(root / PATH, IN_THE_BROWSER)  # exported and committed
        assert sync(root).unchanged == [PATH]
        write(root / PATH, IN_THE_FOLDER)  # from now on the folder is ahead again
        assert sync(root).updated == [PATH]
        assert current_files() == IN_THE_FOLDER


def test_what_was_changed_on_both_sides_waits_for_a_decision(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        exercise = edit_in_browser()
        write(root / PATH, IN_THE_FOLDER)
        for _ in range(2):
            report = sync(root)
            assert report.conflicts == [Conflict(path=PATH, files=("README.md", "exercise.yaml"))]
            assert not report.ok and report.updated == report.unchanged == []
        assert current_files() == IN_THE_BROWSER
        assert find("calls", "double-it").title == "Double it"
        assert conflict_of(exercise, root) == report.conflicts[0]


def test_the_folder_may_be_taken(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        exercise = edit_in_browser()
        write(root / PATH, IN_THE_FOLDER)
        report = sync(root, decided={PATH: Side.FOLDER})
        assert (report.updated, report.ok) == ([PATH], True)
        assert current_files() == IN_THE_FOLDER
        assert exercise.current is not None and (exercise.current.number, exercise.current.author_id) == (3, None)
        assert sync(root).unchanged == [PATH]


def test_the_site_may_be_taken_and_the_folder_counts_as_seen(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        exercise = edit_in_browser()
        write(root / PATH, IN_THE_FOLDER)
        assert sync(root, decided={PATH: Side.SITE}).kept == [PATH]
        assert sync(root).kept == [PATH]
        assert (current_files(), conflict_of(exercise, root)) == (IN_THE_BROWSER, None)


def test_a_decision_about_no_folder_is_refused(app: Flask, root: Path) -> None:
    with app.app_context():
        report = sync(root, decided={"calls/triple-it": Side.SITE})
        assert [str(problem) for problem in report.problems] == ["calls/triple-it: is not a folder of an exercise"]


@pytest.mark.parametrize(("files", "kept", "conflicts"), [(FILES, 1, 0), (IN_THE_FOLDER, 0, 1)])
def test_rows_from_before_remember_the_folder_by_their_revisions(
    app: Flask, root: Path, files: dict[str, str], kept: int, conflicts: int
) -> None:
    with app.app_context():
        sync(root)
        edit_in_browser().synced_digest = None
        db.session.commit()
        write(root / PATH, files)
        report = sync(root)
        assert (len(report.kept), len(report.conflicts)) == (kept, conflicts)


def test_a_row_from_before_that_nobody_edited_follows_its_folder(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        find("calls", "double-it").synced_digest = None
        db.session.commit()
        write(root / PATH, IN_THE_FOLDER)
        assert sync(root).updated == [PATH]
        assert find("calls", "double-it").synced_digest == from_files(IN_THE_FOLDER).digest


def test_an_exercise_made_in_the_browser_needs_no_folder(app: Flask, root: Path) -> None:
    with app.app_context():
        ivan = make_person("Ivan")
        own = make_exercise("calls", "triple-it", files=OTHER, kind="calls", owner_id=ivan.id)
        assert sync(root).unpublished == []
        assert find("calls", "triple-it").id == own.id


def test_a_folder_does_not_drive_out_what_was_made_in_the_browser(app: Flask, root: Path) -> None:
    with app.app_context():
        own = make_exercise("calls", "double-it", files=OTHER, kind="calls", owner_id=make_person("Ivan").id)
        report = sync(root)
        assert (report.taken, report.created, report.ok) == (["calls/double-it"], [], False)
        assert find("calls", "double-it").id == own.id
        assert len(db.session.scalars(select(Exercise)).all()) == 1


def test_nothing_takes_the_place_of_an_exercise_in_conflict(app: Flask, root: Path) -> None:
    write(root / "calls/triple-it", OTHER)
    with app.app_context():
        sync(root)
        double, triple = find("calls", "double-it").id, find("calls", "triple-it").id
        edit_in_browser()
        for name in ("double-it", "triple-it"):
            shutil.rmtree(root / "calls" / name)
        write(root / "calls/double-it", OTHER)
        write(root / "calls/triple-it", IN_THE_FOLDER)
        report = sync(root)
        assert [conflict.path for conflict in report.conflicts] == ["calls/triple-it"]
        assert (report.taken, report.problems) == (["calls/double-it"], [])
        assert report.unpublished == []
        assert (find("calls", "double-it").id, find("calls", "triple-it").id) == (double, triple)


def test_what_an_author_is_trying_is_not_touched(app: Flask, root: Path) -> None:
    with app.app_context():
        tried = make_exercise("calls", "double-it", published=False, trial=True, owner_id=make_person("Ivan").id)
        tried.slug = "copy-1"
        db.session.commit()
        assert sync(root).created == [PATH]
        assert (tried.slug, tried.published) == ("copy-1", False)


def test_what_a_person_took_off_the_catalogue_stays_off(app: Flask, root: Path) -> None:
    with app.app_context():
        sync(root)
        exercise = find("calls", "double-it")
        exercise.published = False
        db.session.commit()
        for files in (FILES, IN_THE_FOLDER):
            write(root / PATH, files)
            sync(root)
            assert not exercise.published
