"""What comes in becomes a working copy of the right exercise, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import User
from app.authoring.imports import Taken, take_in, take_in_archive
from app.authoring.models import WorkingCopy
from app.authoring.transfer import to_zip
from app.catalog.format import FormatError, digest_of, from_files
from app.catalog.models import Exercise
from app.db import db
from app.errors import Forbidden, Invalid
from tests.conftest import Cast
from tests.exercise_folders import FILES, changed
from tests.factories import make_exercise

pytestmark = pytest.mark.both_databases

ID = "3f0c6f3a-5d51-4a3c-8f0e-6a0f4f1f2b11"  # of FILES
CHANGED = changed("Give back", "Return\r\n", file="README.md")


def double_it(owner_id: int | None = None) -> Exercise:
    """FILES, published at calls/double-it."""
    exercise = make_exercise("calls", "double-it", files=FILES, kind="calls", owner_id=owner_id)
    assert exercise.current is not None
    exercise.uuid = ID
    exercise.current.digest = digest_of(FILES)
    db.session.commit()
    return exercise


def take(person_id: int, files: Mapping[str, str] = CHANGED, track: str = "", slug: str = "") -> Taken:
    """What comes of it when this person brings `files` in."""
    return take_in(db.session.get_one(User, person_id), files, track=track, slug=slug)


def test_ones_own_exercise_comes_in_as_its_next_revision(app: Flask, cast: Cast) -> None:
    with app.app_context():
        exercise = double_it(owner_id=cast.ivan)
        taken = take(cast.ivan, track="ignored", slug="ignored")
        assert taken.said == "It will be the next revision of calls/double-it."
        assert (taken.copy.exercise_id, taken.copy.base_id) == (exercise.id, exercise.current_revision_id)
        assert (taken.copy.path, taken.copy.files, taken.problems) == ("calls/double-it", CHANGED, ())


def test_an_exercise_of_the_house_is_revised_by_an_admin_alone(app: Flask, cast: Cast) -> None:
    with app.app_context():
        exercise = double_it()
        assert take(cast.ada).copy.exercise_id == exercise.id
        assert take(cast.ivan, track="calls", slug="mine").copy.exercise_id is None


def test_somebody_elses_exercise_gets_an_id_of_its_own_and_keeps_all_else(app: Flask, cast: Cast) -> None:
    with app.app_context():
        double_it(owner_id=cast.ada)
        taken = take(cast.ivan, track="calls", slug="mine")
        own = from_files(taken.copy.files).spec.id
        assert own != ID
        assert {name: text.replace(own, ID) for name, text in taken.copy.files.items()} == CHANGED
        assert "calls/double-it is not yours to revise" in taken.said


def test_a_new_exercise_keeps_its_id(app: Flask, cast: Cast) -> None:
    with app.app_context():
        taken = take(cast.ivan, track="calls", slug="double-it")
        assert (taken.copy.files, taken.copy.exercise_id, taken.said) == (CHANGED, None, "")


def test_what_is_not_well_formed_yet_comes_in_with_its_problems(app: Flask, cast: Cast) -> None:
    with app.app_context():
        taken = take(cast.ivan, changed("seconds: 10", "seconds: 0"), track="calls", slug="double-it")
        assert [str(problem) for problem in taken.problems] == ["exercise.yaml:10: limits.seconds must be 1–120, got 0"]
        notes = take(cast.ivan, {"notes.txt": "ideas"}, track="calls", slug="ideas")
        assert notes.copy.files == {"notes.txt": "ideas"} and notes.problems


@pytest.mark.parametrize(
    ("field", "track", "slug"), [("track", "", "it"), ("slug", "calls", ""), ("slug", "calls", "It!")]
)
def test_a_place_is_asked_for(app: Flask, cast: Cast, field: str, track: str, slug: str) -> None:
    with app.app_context():
        with pytest.raises(Invalid) as error:
            take(cast.ivan, track=track, slug=slug)
        assert error.value.field == field


def test_the_folder_in_the_archive_gives_the_name(app: Flask, cast: Cast) -> None:
    with app.app_context():
        ivan = db.session.get_one(User, cast.ivan)
        archive = to_zip(FILES, folder="Double_it (2)")
        taken = take_in_archive(ivan, archive, name="x.zip", track="calls", slug="")
        assert (taken.copy.path, taken.copy.files) == ("calls/double-it-2", FILES)


def test_learners_bring_nothing_in(app: Flask, cast: Cast) -> None:
    with app.app_context(), pytest.raises(Forbidden):
        take(cast.lena, track="calls", slug="mine")


@pytest.mark.parametrize("files", [{"../up": ""}, {"a": "", "A": ""}, {"a": "\0"}])
def test_files_that_could_not_stand_in_a_folder_stay_out(app: Flask, cast: Cast, files: dict[str, str]) -> None:
    with app.app_context():
        with pytest.raises(FormatError):
            take(cast.ivan, files, track="calls", slug="mine")
        assert db.session.scalars(select(WorkingCopy)).all() == []
