"""From a proven working copy to what learners see, and off the catalogue again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Role, User
from app.audit.services import note as audit
from app.authoring import copies
from app.authoring.models import ProofRun, ProofStage, WorkingCopy
from app.catalog.format import Source, digest_of, from_files
from app.catalog.models import Exercise, Revision
from app.catalog.sync import add_revision, describe
from app.db import db
from app.errors import Conflict, Forbidden, Invalid, NotFound

LONGEST_NOTE = 500
FilePair = tuple[Mapping[str, str], Mapping[str, str]]


class Unproven(Conflict):
    """The files as they are now have no proof that holds; the message says what is missing."""


class Overtaken(Conflict):
    """A newer revision was published since the copy was begun; `current` is the newer one."""

    def __init__(self, base: Revision | None, current: Revision) -> None:
        super().__init__(f"Revision {current.number} was published since you began. Look at it before you go on.")
        self.base = base
        self.current = current


def publish(
    user: User, copy: WorkingCopy, now: datetime, *, note: str, track: str, slug: str, over: int = 0
) -> Exercise:
    """Return the exercise whose current revision holds the files of `copy` from now on. Commits.

    A new exercise stands at `track`/`slug`, one that is published stays where it is. `over` is the number of the newer
    revision that the author knows of and publishes over. Raises Unproven, Overtaken, Forbidden, and Invalid for what
    was typed and for an id that is not the exercise's own.
    """
    locked = select(WorkingCopy).where(WorkingCopy.id == copy.id).with_for_update()
    copy = db.session.scalars(locked.execution_options(populate_existing=True)).one()
    card = proof_that_holds(copy)
    note = _checked(note)
    source = from_files(copy.files)
    exercise = _new(copy, source, track, slug) if copy.exercise_id is None else _known(user, copy, source, over)
    describe(source, exercise)
    _flush(exercise)
    revision = add_revision(exercise, source, author_id=user.id, note=note, proof=card)
    exercise.published = True
    copy.exercise_id, copy.base_id = exercise.id, revision.id
    copy.track, copy.slug, copy.updated_at = exercise.track, exercise.slug, now
    subject, published = f"exercise:{exercise.id}", {"revision": revision.number, "path": exercise.path}
    audit(user.id, "exercise.published", subject, **published, note=note, over=over or None)
    db.session.commit()
    return exercise


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaking:
    """Both revisions that an author has to choose between, for the page that says so."""

    copy: WorkingCopy
    base: Revision | None
    base_author: str
    current: Revision
    current_author: str
    theirs: FilePair  # files as the copy began, and as they were published since
    yours: FilePair  # files as they were published since, and as they are in the copy


def overtaking(copy: WorkingCopy, error: Overtaken) -> Overtaking:
    """Return what `error` is about."""
    base, current = error.base, error.current
    return Overtaking(
        copy=copy,
        base=base,
        base_author=_author(base),
        current=current,
        current_author=_author(current),
        theirs=(base.files if base else {}, current.files),
        yours=(current.files, copy.files),
    )


def _author(revision: Revision | None) -> str:
    person = db.session.get(User, revision.author_id) if revision and revision.author_id else None
    return person.name if person else ""


def proof_that_holds(copy: WorkingCopy) -> dict[str, Any]:
    """Return the card of the newest finished proof, which is of the files of `copy` as they are. Raises Unproven."""
    finished = select(ProofRun).where(ProofRun.copy_id == copy.id, ProofRun.stage == ProofStage.DONE)
    newest = db.session.scalar(finished.order_by(ProofRun.id.desc()).limit(1))
    if newest is None or newest.card is None:
        raise Unproven("Prove the exercise first: nothing is published that was not proven.")
    if newest.digest != digest_of(copy.files):
        raise Unproven("The files were changed since the last proof. Prove them again, then publish.")
    broken = [rule["title"] for rule in newest.card["rules"] if not rule["passed"]]
    if broken:
        raise Unproven(f"The proof does not hold: {'; '.join(broken)}. Mend that, prove again, then publish.")
    return newest.card


def may_shelve(user: User, exercise: Exercise) -> bool:
    """Return whether this person may take `exercise` off the catalogue: its owner, or an admin."""
    return exercise.owner_id == user.id or user.role == Role.ADMIN


def show_in_catalogue(user: User, track: str, slug: str, *, shown: bool) -> Exercise:
    """Put one's own exercise, for admins any, on the catalogue or take it off, and return it. Commits.

    Raises NotFound.
    """
    mine: ColumnElement[bool] = Exercise.owner_id == user.id
    if user.role == Role.ADMIN:
        mine = or_(mine, Exercise.trial.is_(False))
    wanted = select(Exercise).where(Exercise.track == track, Exercise.slug == slug, Exercise.trial.is_(False), mine)
    exercise = db.session.scalar(wanted.with_for_update())
    if exercise is None or exercise.current_revision_id is None:
        raise NotFound("There is no such exercise of yours.")
    if exercise.published != shown:
        exercise.published = shown
        action = "exercise.republished" if shown else "exercise.unpublished"
        audit(user.id, action, f"exercise:{exercise.id}", path=exercise.path)
    db.session.commit()
    return exercise


def _checked(note: str) -> str:
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"Write at most {LONGEST_NOTE} characters; there are {len(note)}.", "note")
    return note


def _new(copy: WorkingCopy, source: Source, track: str, slug: str) -> Exercise:
    copies.check_place(track, slug)
    other = db.session.scalar(select(Exercise).where(Exercise.uuid == source.spec.id))
    if other is not None:
        message = f"exercise.yaml: id must be one of its own; {source.spec.id} is that of {other.path}."
        raise Invalid(message, "id")
    exercise = Exercise(uuid=source.spec.id, track=track, slug=slug, owner_id=copy.owner_id)
    db.session.add(exercise)
    return exercise


def _known(user: User, copy: WorkingCopy, source: Source, over: int) -> Exercise:
    wanted = select(Exercise).where(Exercise.id == copy.exercise_id).with_for_update()
    exercise = db.session.scalars(wanted.execution_options(populate_existing=True)).one()
    if not (copies.may_revise(user, exercise) or user.role == Role.ADMIN):
        raise Forbidden("This exercise belongs to somebody else. Fork it to publish one of your own.")
    if source.spec.id != exercise.uuid:
        raise Invalid(f"exercise.yaml: id must stay {exercise.uuid}: it is what tells exercises apart.", "id")
    current = exercise.current
    if current is not None and current.digest == source.digest:
        raise Conflict(f"Revision {current.number} holds exactly these files already.")
    if current is not None and current.id != copy.base_id and over != current.number:
        raise Overtaken(copy.base, current)
    return exercise


def _flush(exercise: Exercise) -> None:
    """Write the exercise, so that it has an id. Raises Invalid if somebody just took its place."""
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Invalid(f"There is an exercise at {exercise.path} already: choose another name.", "slug") from error
