"""How two states of an exercise differ, file by file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import undefer

from app.authoring.models import WorkingCopy
from app.catalog.models import Exercise, Revision
from app.db import db
from app.errors import NotFound
from app.submissions.results import DiffLine, file_diffs

LONGEST = 4000  # lines of one file that are compared: difflib is quadratic


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """How one file differs. `lines` is empty where it is too long to be compared, or holds nothing."""

    path: str
    word: str  # "added", "removed" or "changed"
    lines: tuple[DiffLine, ...]
    is_long: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two revisions of one exercise."""

    exercise: Exercise
    revisions: tuple[Revision, ...]  # all there are, newest first
    old: Revision
    new: Revision
    changes: tuple[FileChange, ...]


def compare(track: str, slug: str, old: int | None = None, new: int | None = None) -> Comparison:
    """Return how revision `new`, by default the latest, differs from `old`, by default the one before it.

    Raises NotFound for an exercise or a revision that is not there.
    """
    wanted = select(Exercise).where(Exercise.track == track, Exercise.slug == slug, Exercise.trial.is_(False))
    exercise = db.session.scalar(wanted)
    if exercise is None:
        raise NotFound("There is no such exercise.")
    every = select(Revision).where(Revision.exercise_id == exercise.id).order_by(Revision.number.desc())
    revisions = tuple(db.session.scalars(every))
    if not revisions:
        raise NotFound("There is no such revision.")
    latest = revisions[0].number
    new = latest if new is None else new
    after = _find(exercise.id, new)
    before = _find(exercise.id, max(1, new - 1) if old is None else old)
    return Comparison(
        exercise=exercise, revisions=revisions, old=before, new=after, changes=changes(before.files, after.files)
    )


def changes_since_base(copy: WorkingCopy) -> tuple[FileChange, ...]:
    """Return how `copy` differs from the revision that it began from; from nothing for a new exercise."""
    return changes(copy.base.files if copy.base else {}, copy.files)


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[FileChange, ...]:
    """Return how the files of `new` differ from those of `old`, by path."""
    paths = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
    long = {path for path in paths if max(_lines(old.get(path, "")), _lines(new.get(path, ""))) > LONGEST}
    short = [path for path in paths if path not in long]
    lines = dict(file_diffs({path: new.get(path, "") for path in short}, {path: old.get(path, "") for path in short}))
    return tuple(
        FileChange(
            path=path,
            word="added" if path not in old else "removed" if path not in new else "changed",
            lines=lines.get(path, ()),
            is_long=path in long,
        )
        for path in paths
    )


def number_in(raw: str | None) -> int | None:
    """Return the number that a form or an address names; 0, which no revision has, for what is none."""
    if raw is None:
        return None
    return int(raw) if raw.isdecimal() and len(raw) < 10 else 0


def _lines(text: str) -> int:
    return text.count("\n") + 1


def _find(exercise_id: int, number: int) -> Revision:
    wanted = select(Revision).where(Revision.exercise_id == exercise_id, Revision.number == number)
    revision = db.session.scalar(wanted.options(undefer(Revision.files)))
    if revision is None:
        raise NotFound("There is no such revision.")
    return revision
