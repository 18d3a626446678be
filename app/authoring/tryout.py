"""Trying an exercise as a learner before it is published: a working copy frozen as an exercise that only one sees.

Its submissions are judged like all others and never count.
"""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import or_, select

from app.accounts.models import User
from app.authoring.models import WorkingCopy
from app.catalog.format import from_files
from app.catalog.models import Exercise
from app.catalog.sync import add_revision, describe
from app.db import db

TRACK = "try"


def try_copy(user: User, copy: WorkingCopy) -> Exercise:
    """Return the exercise in which `user` tries `copy` as its files stand now. Commits. Raises FormatError."""
    source = from_files(copy.files)
    slug = f"copy-{copy.id}" if user.id == copy.owner_id else f"copy-{copy.id}-by-{user.id}"
    exercise = db.session.scalar(select(Exercise).where(Exercise.track == TRACK, Exercise.slug == slug))
    if exercise is None:
        exercise = Exercise(uuid=str(uuid4()), track=TRACK, slug=slug, published=False, trial=True, owner_id=user.id)
        db.session.add(exercise)
    describe(source, exercise)
    db.session.flush()
    if exercise.current is None or exercise.current.digest != source.digest:
        add_revision(exercise, source, author_id=user.id)
    db.session.commit()
    return exercise


def retire(copy: WorkingCopy) -> None:
    """Let nobody open what was tried of `copy` any more; submissions refer to it, so it stays. The caller commits."""
    own = or_(Exercise.slug == f"copy-{copy.id}", Exercise.slug.like(f"copy-{copy.id}-by-%"))
    for exercise in db.session.scalars(select(Exercise).where(Exercise.trial, Exercise.track == TRACK, own)):
        exercise.owner_id = None
        exercise.slug = f"{exercise.slug}~{exercise.id}"  # ids of copies may come again
