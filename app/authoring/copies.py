"""Working copies: what an instructor is writing is kept on the server, and never silently written over.

A copy belongs to its owner; admins may open every one. What is published is made elsewhere, from a copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload, undefer

from app.accounts.models import Role, User
from app.authoring import folder
from app.authoring.models import WorkingCopy
from app.authoring.starts import start_files
from app.authoring.tryout import TRACK, retire
from app.catalog import kinds
from app.catalog.format import FormatError, Problem, Source, from_files
from app.catalog.models import Exercise, Revision
from app.catalog.services import source_of
from app.catalog.spec import KEBAB
from app.db import db, now
from app.errors import Conflict, Forbidden, Invalid, NotFound

LONGEST_TRACK, LONGEST_SLUG = 40, 60
Change = Callable[[Mapping[str, str]], dict[str, str]]


class StaleCopy(Conflict):
    """Somebody, perhaps another tab, saved in between; `current` is what stands."""

    def __init__(self, current: WorkingCopy) -> None:
        super().__init__("This working copy was changed elsewhere in the meantime.")
        self.current = current


def find_own(user: User, copy_id: int) -> WorkingCopy:
    """Return the working copy: one's own, for admins anybody's. Raises NotFound."""
    wanted = select(WorkingCopy).where(WorkingCopy.id == copy_id)
    if user.role != Role.ADMIN:
        wanted = wanted.where(WorkingCopy.owner_id == user.id)
    copy = db.session.scalar(wanted.options(joinedload(WorkingCopy.base), joinedload(WorkingCopy.exercise)))
    if copy is None:
        raise NotFound("There is no such working copy.")
    return copy


def own_copies(user: User) -> list[WorkingCopy]:
    """Return this person's working copies, the last changed first."""
    own = select(WorkingCopy).where(WorkingCopy.owner_id == user.id).options(joinedload(WorkingCopy.exercise))
    return list(db.session.scalars(own.order_by(WorkingCopy.updated_at.desc(), WorkingCopy.id.desc())))


def may_revise(user: User, exercise: Exercise) -> bool:
    """Return whether this person may write the next revision: its owner, or an admin where it is of the house."""
    return exercise.owner_id == user.id or (exercise.owner_id is None and user.role == Role.ADMIN)


def start(user: User, *, kind: str, track: str, slug: str, title: str) -> WorkingCopy:
    """Return a copy that holds the beginnings of a new exercise of `kind`. Commits. Raises Invalid."""
    if kind not in kinds.all_kinds():
        raise Invalid(f"Choose a kind: {', '.join(kinds.all_kinds())}.", "kind")
    title = " ".join(title.split())
    if not 1 <= len(title) <= 160:
        raise Invalid("Write a title of 1 to 160 characters.", "title")
    check_place(track, slug)
    files = start_files(kind, title=title, track=track, slug=slug)
    copy = WorkingCopy(owner_id=user.id, track=track, slug=slug, files=files)
    db.session.add(copy)
    db.session.commit()
    return copy


def fork(user: User, track: str, slug: str) -> WorkingCopy:
    """Return a copy of the exercise there that will be one of its own, with a new id. Commits. Raises NotFound."""
    exercise, revision = _exercise(track, slug)
    files = folder.with_id(revision.files, source_of(revision).spec.id, str(uuid4()))
    copy = WorkingCopy(
        owner_id=user.id, base_id=revision.id, track=exercise.track, slug=_free_slug(user, exercise), files=files
    )
    db.session.add(copy)
    db.session.commit()
    return copy


def revise(user: User, track: str, slug: str, number: int | None = None) -> WorkingCopy:
    """Return a copy for the next revision of the exercise there: the one in work if there is one, else a new one.

    With `number` it is always new and holds the files of that revision: to go back to it. Commits.
    Raises NotFound, and Forbidden for an exercise of somebody else.
    """
    exercise, current = _exercise(track, slug)
    if not may_revise(user, exercise):
        raise Forbidden("This exercise belongs to somebody else. Fork it to write one of your own.")
    if number is None and (begun := in_work(user, exercise)) is not None:
        return begun
    revision = current if number is None else find_revision(exercise, number)
    copy = WorkingCopy(
        owner_id=user.id,
        exercise_id=exercise.id,
        base_id=current.id,  # also when it goes back: what is published last is what it follows
        track=exercise.track,
        slug=exercise.slug,
        files=dict(revision.files),
    )
    db.session.add(copy)
    db.session.commit()
    return copy


def in_work(user: User, exercise: Exercise) -> WorkingCopy | None:
    """Return this person's latest copy for the next revision of `exercise`; None if there is none."""
    own = select(WorkingCopy).where(WorkingCopy.owner_id == user.id, WorkingCopy.exercise_id == exercise.id)
    return db.session.scalar(own.order_by(WorkingCopy.updated_at.desc(), WorkingCopy.id.desc()).limit(1))


def find_revision(exercise: Exercise, number: int) -> Revision:
    """Return that revision with its files. Raises NotFound."""
    wanted = select(Revision).where(Revision.exercise_id == exercise.id, Revision.number == number)
    revision = db.session.scalar(wanted.options(undefer(Revision.files)))
    if revision is None:
        raise NotFound("There is no such revision.")
    return revision


def save(copy: WorkingCopy, *, version: int, files: Mapping[str, str]) -> WorkingCopy:
    """Make `files` all the files of `copy`, over the version that the page saw, and return it. Commits.

    Raises StaleCopy when another version stands by now, unless it holds the same text; Invalid for bad files.
    """
    clean = _checked(files)
    unchanged = update(WorkingCopy).where(WorkingCopy.id == copy.id, WorkingCopy.version == version)
    values = unchanged.values(files=clean, version=WorkingCopy.version + 1, updated_at=now())
    saved = db.session.execute(values.returning(WorkingCopy.id).execution_options(synchronize_session=False)).first()
    db.session.commit()
    db.session.refresh(copy)
    if saved is None and copy.files != clean:
        raise StaleCopy(copy)
    return copy


def save_changes(
    copy: WorkingCopy, *, version: int, changed: Mapping[str, str], removed: Collection[str] = ()
) -> WorkingCopy:
    """Save like `save`, but only what differs from that version: texts by path, and paths that are gone. Commits."""
    files = {path: text for path, text in copy.files.items() if path not in removed}
    return save(copy, version=version, files={**files, **changed})


def alter(copy: WorkingCopy, change: Change) -> WorkingCopy:
    """Apply `change` to the files as they stand and return the copy. Commits. Raises Invalid for what cannot be."""
    current = select(WorkingCopy).where(WorkingCopy.id == copy.id).with_for_update()
    copy = db.session.scalars(current.execution_options(populate_existing=True)).one()
    try:
        copy.files = change(copy.files)
    except folder.FolderError as error:
        raise Invalid(str(error), "path") from error
    copy.version += 1
    copy.updated_at = now()
    db.session.commit()
    return copy


def move(copy: WorkingCopy, *, track: str, slug: str) -> None:
    """Choose where a new exercise will be published. Commits. Raises Invalid."""
    if copy.exercise_id is not None:
        raise Invalid("This exercise is published: its track and name in addresses stay as they are.", "slug")
    check_place(track, slug)
    copy.track, copy.slug, copy.updated_at = track, slug, now()
    db.session.commit()


def discard(copy: WorkingCopy) -> None:
    """Delete the copy with its proofs, and close what was tried of it. What is published stays. Commits."""
    retire(copy)
    db.session.execute(delete(WorkingCopy).where(WorkingCopy.id == copy.id))
    db.session.commit()


def source_of_copy(copy: WorkingCopy) -> Source:
    """Return the exercise in `copy`. Raises FormatError with everything that is wrong with it."""
    return from_files(copy.files)


def problems_of(copy: WorkingCopy) -> list[Problem]:
    """Return everything that is wrong with `copy`; empty when it is well-formed."""
    try:
        source_of_copy(copy)
    except FormatError as error:
        return error.problems
    return []


def _exercise(track: str, slug: str) -> tuple[Exercise, Revision]:
    """Return the exercise there, published or not, and its current revision. Raises NotFound."""
    wanted = select(Exercise).where(Exercise.track == track, Exercise.slug == slug, Exercise.trial.is_(False))
    exercise = db.session.scalar(wanted.options(joinedload(Exercise.current).undefer(Revision.files)))
    if exercise is None or exercise.current is None:
        raise NotFound("There is no such exercise.")
    return exercise, exercise.current


def _checked(files: Mapping[str, str]) -> dict[str, str]:
    try:
        return folder.checked(files)
    except folder.FolderError as error:
        raise Invalid(str(error), "files") from error


def check_place(track: str, slug: str) -> None:
    """Raise Invalid where no new exercise may be."""
    for field, value, longest in (("track", track, LONGEST_TRACK), ("slug", slug, LONGEST_SLUG)):
        if not re.fullmatch(KEBAB, value) or len(value) > longest:
            expected = f"lower-case words with - between them, like rate-limits, at most {longest} characters"
            raise Invalid(f"Write {expected}.", field)
    if track == TRACK:
        raise Invalid(f"The track {TRACK} is used by the site itself: choose another one.", "track")
    if _is_taken(track, slug):
        raise Invalid(f"There is an exercise at {track}/{slug} already: choose another name.", "slug")


def _is_taken(track: str, slug: str) -> bool:
    taken = select(Exercise.id).where(Exercise.track == track, Exercise.slug == slug)
    return db.session.scalar(taken) is not None


def _free_slug(user: User, exercise: Exercise) -> str:
    """Return a name beside that of `exercise` that no exercise has yet, and no copy of this person."""
    own = select(WorkingCopy.slug).where(WorkingCopy.owner_id == user.id, WorkingCopy.track == exercise.track)
    begun = set(db.session.scalars(own))
    base = f"{exercise.slug[: LONGEST_SLUG - 9].rstrip('-')}-fork"
    names = [base, *(f"{base}-{number}" for number in range(2, 1000))]
    return next(name for name in names if name not in begun and not _is_taken(exercise.track, name))
