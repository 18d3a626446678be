"""Working copies: whose they are, how they begin, and that nothing typed is silently written over."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import User
from app.authoring import copies
from app.authoring.folder import added, removed
from app.authoring.models import ProofRun, WorkingCopy
from app.authoring.tryout import try_copy
from app.catalog.format import FormatError
from app.catalog.models import Exercise, Revision
from app.db import db
from app.errors import Forbidden, Invalid, NotFound
from tests.conftest import Cast
from tests.exercise_folders import FILES
from tests.factories import make_exercise, make_person

pytestmark = pytest.mark.both_databases


def person(id: int) -> User:
    return db.session.get_one(User, id)


def exercise(**more: object) -> Exercise:
    """The exercise of the house, in its second revision."""
    made = make_exercise("calls", "double-it", files={**FILES, "data/old": "1"}, kind="calls", **more)
    second = Revision(exercise=made, number=2, digest="2" * 64, files=FILES)
    db.session.add(second)
    made.current = second
    db.session.commit()
    return made


def copy_of(owner: int, files: Mapping[str, str] = FILES) -> WorkingCopy:
    made = WorkingCopy(owner_id=owner, track="calls", slug="mine", files=dict(files))
    db.session.add(made)
    db.session.commit()
    return made


def test_a_copy_is_its_owners_and_admins_may_open_it(app: Flask, cast: Cast) -> None:
    with app.app_context():
        id = copy_of(cast.ivan).id
        other = make_person(role="instructor")
        assert copies.find_own(person(cast.ivan), id).id == id
        assert copies.find_own(person(cast.ada), id).id == id
        with pytest.raises(NotFound):
            copies.find_own(other, id)
        assert [one.id for one in copies.own_copies(person(cast.ivan))] == [id]
        assert copies.own_copies(person(cast.ada)) == []


def test_a_new_exercise_begins_with_files_of_its_kind(app: Flask, cast: Cast) -> None:
    with app.app_context():
        copy = copies.start(person(cast.ivan), kind="sql", track="sql", slug="late-orders", title=" Late   orders ")
        assert (copy.path, copy.version, copy.exercise_id, copy.base_id) == ("sql/late-orders", 1, None, None)
        assert "kind: sql" in copy.files["exercise.yaml"] and "Late orders" in copy.files["exercise.yaml"]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"kind": "essay"}, "kind", "calls, http, mutation, sql"),
        ({"title": " "}, "title", "1 to 160"),
        ({"title": "x" * 161}, "title", "1 to 160"),
        ({"track": "Big Track"}, "track", "lower-case"),
        ({"track": "try"}, "track", "used by the site"),
        ({"slug": "x" * 61}, "slug", "at most 60"),
        ({"slug": "late\n"}, "slug", "lower-case"),
        ({"track": "calls", "slug": "double-it"}, "slug", "already"),
    ],
)
def test_what_no_exercise_can_be_called_is_said_at_its_field(
    app: Flask, cast: Cast, changes: dict[str, str], field: str, said: str
) -> None:
    with app.app_context():
        exercise()
        wanted = {"kind": "sql", "track": "sql", "slug": "late-orders", "title": "Late orders", **changes}
        with pytest.raises(Invalid, match=said) as refused:
            copies.start(person(cast.ivan), **wanted)
        assert refused.value.field == field
        assert db.session.scalars(select(WorkingCopy)).all() == []


def test_a_fork_is_an_exercise_of_its_own(app: Flask, cast: Cast) -> None:
    with app.app_context():
        original = exercise()
        forked = copies.fork(person(cast.ivan), "calls", "double-it")
        assert (forked.exercise_id, forked.base_id, forked.path) == (
            None,
            original.current_revision_id,
            "calls/double-it-fork",
        )
        source = copies.source_of_copy(forked)
        assert source.spec.id != "3f0c6f3a-5d51-4a3c-8f0e-6a0f4f1f2b11"
        assert {**source.files, "exercise.yaml": ""} == {**FILES, "exercise.yaml": ""}
        make_exercise("calls", "double-it-fork-2")
        assert copies.fork(person(cast.ivan), "calls", "double-it").slug == "double-it-fork-3"


def test_the_next_revision_is_for_the_owner_and_of_the_house_for_admins(app: Flask, cast: Cast) -> None:
    with app.app_context():
        exercise()
        ivan, ada = person(cast.ivan), person(cast.ada)
        with pytest.raises(Forbidden):
            copies.revise(ivan, "calls", "double-it")
        copy = copies.revise(ada, "calls", "double-it")
        assert (copy.files, copy.exercise is not None) == (FILES, True)
        assert copies.revise(ada, "calls", "double-it").id == copy.id, "the one in work is gone on with"
        copy.exercise.owner_id = ivan.id
        db.session.commit()
        assert copies.revise(ivan, "calls", "double-it").owner_id == ivan.id
        with pytest.raises(Forbidden):
            copies.revise(ada, "calls", "double-it")


def test_going_back_is_a_new_copy_with_the_files_of_then(app: Flask, cast: Cast) -> None:
    with app.app_context():
        current = exercise().current_revision_id
        ada = person(cast.ada)
        begun = copies.revise(ada, "calls", "double-it")
        back = copies.revise(ada, "calls", "double-it", 1)
        assert back.id != begun.id
        assert (back.files["data/old"], back.base_id) == ("1", current)
        with pytest.raises(NotFound):
            copies.revise(ada, "calls", "double-it", 3)


def test_a_trial_is_neither_forked_nor_revised(app: Flask, cast: Cast) -> None:
    with app.app_context():
        ivan = person(cast.ivan)
        trial = try_copy(ivan, copy_of(cast.ivan))
        for begin in (copies.fork, copies.revise):
            with pytest.raises(NotFound):
                begin(ivan, trial.track, trial.slug)


def test_a_save_names_the_version_it_saw(app: Flask, cast: Cast) -> None:
    with app.app_context():
        copy = copy_of(cast.ivan)
        assert copies.save(copy, version=1, files={"README.md": "# One\r\n"}).version == 2
        assert copy.files == {"README.md": "# One\n"}
        with pytest.raises(copies.StaleCopy) as refused:
            copies.save(copy, version=1, files={"README.md": "# Other"})
        assert (refused.value.current.version, refused.value.current.files) == (2, {"README.md": "# One\n"})
        again = copies.save(copy, version=1, files={"README.md": "# One\n"})
        assert again.version == 2, "the same text sent twice is no conflict"


def test_a_save_may_send_only_what_changed(app: Flask, cast: Cast) -> None:
    with app.app_context():
        copy = copy_of(cast.ivan)
        copies.save_changes(copy, version=1, changed={"README.md": "# New"}, removed=["solutions/notes.md"])
        assert copy.files == {**{p: t for p, t in FILES.items() if p != "solutions/notes.md"}, "README.md": "# New"}


def test_bad_files_change_nothing(app: Flask, cast: Cast) -> None:
    with app.app_context():
        copy = copy_of(cast.ivan)
        with pytest.raises(Invalid, match="cannot be a path"):
            copies.save(copy, version=1, files={"../up": ""})
        with pytest.raises(Invalid, match="is there already"):
            copies.alter(copy, lambda files: added(files, "README.md"))
        db.session.rollback()
        assert (copies.find_own(person(cast.ivan), copy.id).version, copy.files) == (1, FILES)


def test_files_are_added_and_removed_whatever_was_saved_in_between(app: Flask, cast: Cast) -> None:
    with app.app_context():
        copy = copy_of(cast.ivan)
        copies.save(copy, version=1, files={**FILES, "README.md": "# Typed"})
        copies.alter(copy, lambda files: added(files, "data/x.csv", "1"))
        copies.alter(copy, lambda files: removed(files, "wrong"))
        assert (copy.version, copy.files["README.md"], copy.files["data/x.csv"]) == (4, "# Typed", "1")
        assert not any(path.startswith("wrong/") for path in copy.files)


def test_a_new_exercise_moves_and_a_published_one_stays(app: Flask, cast: Cast) -> None:
    with app.app_context():
        exercise()
        copy = copy_of(cast.ivan)
        copies.move(copy, track="apis", slug="other-name")
        assert copy.path == "apis/other-name"
        with pytest.raises(Invalid, match="already"):
            copies.move(copy, track="calls", slug="double-it")
        with pytest.raises(Invalid, match="stay as they are"):
            copies.move(copies.revise(person(cast.ada), "calls", "double-it"), track="apis", slug="x")


def test_what_is_wrong_is_said_with_its_place(app: Flask, cast: Cast) -> None:
    with app.app_context():
        fine, bad = copy_of(cast.ivan), copy_of(cast.ivan, {**FILES, "tests/hidden/test_hidden.py": "def ("})
        assert copies.problems_of(fine) == []
        assert copies.source_of_copy(fine).spec.title == "Double it"
        assert [(problem.file, problem.line) for problem in copies.problems_of(bad)] == [
            ("tests/hidden/test_hidden.py", 1)
        ]
        with pytest.raises(FormatError):
            copies.source_of_copy(bad)


def test_a_discarded_copy_takes_its_proofs_along_and_leaves_what_is_published(app: Flask, cast: Cast) -> None:
    with app.app_context():
        exercise()
        copy = copies.revise(person(cast.ada), "calls", "double-it")
        db.session.add(ProofRun(copy_id=copy.id, digest="1" * 64, files=FILES))
        db.session.commit()
        copies.discard(copy)
        assert db.session.scalars(select(WorkingCopy)).all() == []
        assert db.session.scalars(select(ProofRun)).all() == []
        assert len(db.session.scalars(select(Revision)).all()) == 2
