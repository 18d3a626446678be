"""Drafts: what a learner is editing is kept on the server, and never silently written over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Update, select, update
from sqlalchemy.exc import IntegrityError

from app.catalog.models import Exercise
from app.catalog.services import source_of
from app.db import db, now
from app.errors import Conflict, Invalid
from app.submissions.models import Draft, Submission
from app.submissions.services import files_for


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDraft:
    """A draft as it stands. Version 0 is the starter: nothing was saved yet."""

    language: str
    version: int
    files: Mapping[str, str]
    saved_at: datetime | None
    can_undo: bool = False  # the last change was a reset or a restore


class StaleDraft(Conflict):
    """Somebody, perhaps another tab, saved in between; `current` is what stands."""

    def __init__(self, current: SavedDraft) -> None:
        super().__init__("This draft was changed elsewhere in the meantime.")
        self.current = current


def draft_of(learner_id: int, exercise: Exercise, language: str) -> SavedDraft:
    """Return the learner's draft, or the starter as version 0.

    Where a new revision renamed files, the draft's files that still exist are kept and the others are the starter's.
    """
    draft = db.session.scalars(select(Draft).where(*_key(learner_id, exercise, language))).one_or_none()
    starter = starter_of(exercise, language)
    if draft is None:
        return SavedDraft(language=language, version=0, files=starter, saved_at=None)
    files = {name: draft.files.get(name, text) for name, text in starter.items()}
    return SavedDraft(
        language=language,
        version=draft.version,
        files=files,
        saved_at=draft.updated_at,
        can_undo=draft.previous is not None,
    )


def starter_of(exercise: Exercise, language: str) -> dict[str, str]:
    """Return the files a learner begins with. Raises Invalid for a language that the exercise does not offer."""
    assert exercise.current is not None, "only published exercises are drafted"
    if language not in exercise.languages:
        raise Invalid("This exercise is not offered in that language.", "language")
    files: dict[str, str] = source_of(exercise.current).starter(language)
    return files


def language_of(learner_id: int, exercise: Exercise) -> str:
    """Return the language the learner last wrote this exercise in, or its first one."""
    latest = (
        select(Draft.language)
        .where(
            Draft.learner_id == learner_id,
            Draft.exercise_id == exercise.id,
            Draft.language.in_(exercise.languages),
        )
        .order_by(Draft.updated_at.desc())
        .limit(1)
    )
    return db.session.scalar(latest) or exercise.languages[0]


def save_draft(
    learner_id: int, exercise: Exercise, *, language: str, version: int, files: Mapping[str, str]
) -> SavedDraft:
    """Save `files` over the version that the page saw and return the draft. Commits.

    Raises StaleDraft when another version stands by now, unless it holds the same text; Invalid for bad files.
    """
    clean = files_for(exercise, language, files, may_be_empty=True)
    if version == 0:
        saved = _insert(learner_id, exercise, language, clean)
    else:
        unchanged = update(Draft).where(*_key(learner_id, exercise, language), Draft.version == version)
        saved = _changes(unchanged.values(files=clean, previous=None))
    db.session.commit()
    current = draft_of(learner_id, exercise, language)
    if not saved and current.files != clean:
        raise StaleDraft(current)
    return current


def keep_draft(learner_id: int, exercise: Exercise, *, language: str, version: int, files: Mapping[str, str]) -> int:
    """Save like `save_draft` and return the version; 0 where another draft stands: it is left alone. Commits."""
    try:
        return save_draft(learner_id, exercise, language=language, version=version, files=files).version
    except StaleDraft:
        return 0


def reset_draft(learner_id: int, exercise: Exercise, language: str) -> SavedDraft:
    """Put the starter back, remembering what was there for `undo_reset`. Commits."""
    starter = starter_of(exercise, language)
    # A second reset in a row must not replace what the first one remembered.
    reset = update(Draft).where(*_key(learner_id, exercise, language), Draft.previous.is_(None))
    _changes(reset.values(previous=Draft.files, files=starter))
    db.session.commit()
    return draft_of(learner_id, exercise, language)


def restore_draft(learner_id: int, submission: Submission) -> None:
    """Put the files of `submission` into the draft, remembering what was there for `undo_reset`. Commits."""
    key = _key(learner_id, submission.exercise, submission.language)
    if not _insert(learner_id, submission.exercise, submission.language, submission.files):
        _changes(update(Draft).where(*key).values(previous=Draft.files, files=submission.files))
    db.session.commit()


def undo_reset(learner_id: int, exercise: Exercise, language: str) -> SavedDraft:
    """Bring back what the last reset or restore replaced; changes nothing if saved since. Commits."""
    undo = update(Draft).where(*_key(learner_id, exercise, language), Draft.previous.is_not(None))
    _changes(undo.values(files=Draft.previous, previous=None))
    db.session.commit()
    return draft_of(learner_id, exercise, language)


def _key(learner_id: int, exercise: Exercise, language: str) -> tuple[ColumnElement[bool], ...]:
    return (Draft.learner_id == learner_id, Draft.exercise_id == exercise.id, Draft.language == language)


def _changes(change: Update) -> bool:
    """Apply `change` as the next version; return whether there was a draft to change. The caller commits."""
    change = change.values(version=Draft.version + 1, updated_at=now()).returning(Draft.id)
    return db.session.execute(change.execution_options(synchronize_session=False)).first() is not None


def _insert(learner_id: int, exercise: Exercise, language: str, files: dict[str, str]) -> bool:
    """Insert the first version; return False if there is one already. The caller commits."""
    try:
        with db.session.begin_nested():
            db.session.add(Draft(learner_id=learner_id, exercise_id=exercise.id, language=language, files=files))
    except IntegrityError:
        return False
    return True
