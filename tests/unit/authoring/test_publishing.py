"""Publishing: only what is proven, as it is; nobody's work is overwritten unseen."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import Role, User
from app.audit.models import AuditEntry
from app.authoring import copies, prover, publishing
from app.authoring.models import WorkingCopy
from app.authoring.publishing import Overtaken, Unproven, publish
from app.catalog.format import from_files
from app.catalog.models import Exercise, Revision
from app.catalog.services import find, source_of
from app.db import db, now
from app.errors import Conflict, Forbidden, Invalid, NotFound
from sandbox.outcome import Ended, Outcome
from tests.conftest import Cast
from tests.exercise_folders import FILES, changed
from tests.factories import make_exercise, make_person
from tests.unit.authoring.proving import judge, make_copy, proven, work_off

pytestmark = pytest.mark.both_databases

PLACE = {"note": "", "track": "calls", "slug": "double-it"}
NEWER = {**FILES, "README.md": FILES["README.md"] + "\nMind the sign.\n"}
OTHER_ID = changed("3f0c6f3a-5d51-4a3c-8f0e-6a0f4f1f2b11", "3f0c6f3a-5d51-4a3c-8f0e-6a0f4f1f2b12")


def put_out(app: Flask, person: int, copy_id: int, **more: object) -> int:
    """Publish the copy as that person; return the id of the exercise."""
    with app.app_context():
        user, copy = db.session.get_one(User, person), db.session.get_one(WorkingCopy, copy_id)
        return publish(user, copy, now(), **{**PLACE, **more}).id


def rewritten(app: Flask, person: int, copy_id: int, files: dict[str, str]) -> int:
    """Save other files in the copy and have them proven; return its id."""
    with app.app_context():
        copy = db.session.get_one(WorkingCopy, copy_id)
        copies.save(copy, version=copy.version, files=files)
        prover.prove(person, copy, now())
    work_off(app)
    return copy_id


def test_what_is_proven_becomes_an_exercise_of_its_author(app: Flask, cast: Cast) -> None:
    copy_id = proven(app, cast.ivan)
    exercise_id = put_out(app, cast.ivan, copy_id, note=" The first  one. ")
    with app.app_context():
        exercise = find("calls", "double-it")
        assert (exercise.id, exercise.owner_id, exercise.uuid) == (exercise_id, cast.ivan, from_files(FILES).spec.id)
        assert (exercise.title, exercise.kind, exercise.skills, exercise.languages) == (
            "Double it", "calls", ["arithmetic"], ["python"],
        )  # fmt: skip
        assert exercise.summary == "Give back twice of it."
        revision = exercise.current
        assert revision is not None and (revision.number, revision.author_id) == (1, cast.ivan)
        assert revision.note == "The first one."
        assert revision.proof is not None and revision.proof["passed"]
        assert dict(source_of(revision).files) == dict(sorted(FILES.items()))
        copy = db.session.get_one(WorkingCopy, copy_id)
        assert (copy.exercise_id, copy.base_id) == (exercise.id, revision.id)
        (entry,) = db.session.scalars(select(AuditEntry))
        assert (entry.actor_id, entry.action, entry.subject) == (
            cast.ivan,
            "exercise.published",
            f"exercise:{exercise_id}",
        )
        assert entry.data["revision"] == 1 and "def double" not in str(entry.data)


def test_the_next_revision_leaves_the_one_before_as_it_was(app: Flask, cast: Cast) -> None:
    copy_id = proven(app, cast.ivan)
    exercise_id = put_out(app, cast.ivan, copy_id)
    put_out(app, cast.ivan, rewritten(app, cast.ivan, copy_id, NEWER), note="Signs")
    with app.app_context():
        first, second = db.session.scalars(select(Revision).order_by(Revision.number))
        assert (first.number, second.number, second.note) == (1, 2, "Signs")
        assert "Mind the sign" not in first.files["README.md"] and "Mind the sign" in second.files["README.md"]
        assert db.session.get_one(Exercise, exercise_id).current_revision_id == second.id


def test_nothing_is_published_without_a_proof(app: Flask, cast: Cast) -> None:
    with app.app_context():
        copy_id = make_copy(cast.ivan).id
    with pytest.raises(Unproven, match="Prove the exercise first"):
        put_out(app, cast.ivan, copy_id)
    with app.app_context():
        prover.prove(cast.ivan, db.session.get_one(WorkingCopy, copy_id), now())
    with pytest.raises(Unproven, match="Prove the exercise first"):  # it is under way
        put_out(app, cast.ivan, copy_id)


def test_nothing_is_published_that_changed_since_its_proof(app: Flask, cast: Cast) -> None:
    copy_id = proven(app, cast.ivan)
    with app.app_context():
        copy = db.session.get_one(WorkingCopy, copy_id)
        copies.save(copy, version=copy.version, files=NEWER)
    with pytest.raises(Unproven, match="changed since the last proof"):
        put_out(app, cast.ivan, copy_id)


def test_nothing_is_published_whose_proof_does_not_hold(app: Flask, cast: Cast) -> None:
    with app.app_context():
        copy = make_copy(cast.ivan)
        copy_id = copy.id
        prover.prove(cast.ivan, copy, now())
    work_off(app, lambda job: judge(job, {}))
    with pytest.raises(Unproven, match="Every reference passes"):
        put_out(app, cast.ivan, copy_id)


def test_an_older_proof_that_held_does_not_help(app: Flask, cast: Cast) -> None:
    copy_id = proven(app, cast.ivan)
    with app.app_context():
        prover.prove(cast.ivan, db.session.get_one(WorkingCopy, copy_id), now())
    work_off(app, lambda job: Outcome(ended=Ended.NOT_LOADED))
    with pytest.raises(Unproven, match="does not hold"):
        put_out(app, cast.ivan, copy_id)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"slug": "taken"}, "slug"),
        ({"slug": "Not Kebab"}, "slug"),
        ({"track": ""}, "track"),
        ({"note": "x" * 501}, "note"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(app: Flask, cast: Cast, typed: dict[str, str], field: str) -> None:
    copy_id = proven(app, cast.ivan)
    with app.app_context():
        make_exercise("calls", "taken")
    with pytest.raises(Invalid) as caught:
        put_out(app, cast.ivan, copy_id, **typed)
    assert caught.value.field == field


def test_the_id_of_another_exercise_is_refused(app: Flask, cast: Cast) -> None:
    put_out(app, cast.ivan, proven(app, cast.ivan))
    again = proven(app, cast.ivan, NEWER, slug="again")
    with pytest.raises(Invalid, match="is that of calls/double-it") as caught:
        put_out(app, cast.ivan, again, slug="again")
    assert caught.value.field == "id"


def test_a_published_exercise_keeps_its_id(app: Flask, cast: Cast) -> None:
    copy_id = proven(app, cast.ivan)
    put_out(app, cast.ivan, copy_id)
    rewritten(app, cast.ivan, copy_id, OTHER_ID)
    with pytest.raises(Invalid, match="id must stay"):
        put_out(app, cast.ivan, copy_id)


def test_a_newer_revision_of_somebody_else_is_not_overwritten_unseen(app: Flask, cast: Cast) -> None:
    ivans = proven(app, cast.ivan)
    exercise_id = put_out(app, cast.ivan, ivans)
    with app.app_context():
        base_id = db.session.get_one(WorkingCopy, ivans).base_id
    adas = proven(app, cast.ada, NEWER, exercise_id=exercise_id, base_id=base_id)
    put_out(app, cast.ada, adas, note="Ada's")
    rewritten(app, cast.ivan, ivans, {**FILES, "README.md": FILES["README.md"] + "\nIvan's.\n"})
    with pytest.raises(Overtaken) as caught:
        put_out(app, cast.ivan, ivans)
    assert (caught.value.base is not None, caught.value.current.number) == (True, 2)
    with pytest.raises(Overtaken):
        put_out(app, cast.ivan, ivans, over=1)
    put_out(app, cast.ivan, ivans, over=2)
    with app.app_context():
        third = db.session.get_one(Exercise, exercise_id).current
        assert third is not None and (third.number, third.author_id) == (3, cast.ivan)


def test_the_same_files_again_are_no_revision(app: Flask, cast: Cast) -> None:
    copy_id = proven(app, cast.ivan)
    put_out(app, cast.ivan, copy_id)
    with pytest.raises(Conflict, match="holds exactly these files"):
        put_out(app, cast.ivan, copy_id)


def test_nobody_publishes_a_revision_of_somebody_elses_exercise(app: Flask, cast: Cast) -> None:
    exercise_id = put_out(app, cast.ivan, proven(app, cast.ivan))
    with app.app_context():
        igor = make_person("Igor", role=Role.INSTRUCTOR).id
    copy_id = proven(app, igor, NEWER, exercise_id=exercise_id)
    with pytest.raises(Forbidden):
        put_out(app, igor, copy_id)


def test_an_exercise_is_taken_off_the_catalogue_and_put_back(app: Flask, cast: Cast) -> None:
    put_out(app, cast.ivan, proven(app, cast.ivan))
    for shown, action in ((False, "exercise.unpublished"), (True, "exercise.republished")):
        with app.app_context():
            ivan = db.session.get_one(User, cast.ivan)
            for _ in range(2):  # the second time changes nothing
                assert publishing.show_in_catalogue(ivan, "calls", "double-it", shown=shown).published == shown
            entries = list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
            assert entries.count(action) == 1


def test_only_the_owner_and_admins_take_it_off(app: Flask, cast: Cast) -> None:
    put_out(app, cast.ivan, proven(app, cast.ivan))
    with app.app_context():
        house = make_exercise("sql", "of-the-house")
        igor, ada = make_person("Igor", role=Role.INSTRUCTOR), db.session.get_one(User, cast.ada)
        for track, slug in (("calls", "double-it"), (house.track, house.slug)):
            with pytest.raises(NotFound):
                publishing.show_in_catalogue(igor, track, slug, shown=False)
            assert not publishing.show_in_catalogue(ada, track, slug, shown=False).published
