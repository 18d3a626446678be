"""Published exercises, handed out as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import undefer

from app.catalog.format import digest_of
from app.catalog.models import Exercise, Revision
from app.db import db
from app.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One revision of an exercise, to be handed out."""

    exercise: Exercise
    number: int
    files: Mapping[str, str]


def published(track: str, slug: str, number: int | None = None) -> Published:
    """Return revision `number` of the exercise there, by default the current one. Raises NotFound."""
    there = select(Exercise).where(Exercise.track == track, Exercise.slug == slug, Exercise.trial.is_(False))
    exercise = db.session.scalar(there)
    if exercise is None:
        raise NotFound("There is no such exercise.")
    which = Revision.id == exercise.current_revision_id if number is None else Revision.number == number
    wanted = select(Revision).where(Revision.exercise_id == exercise.id, which)
    revision = db.session.scalar(wanted.options(undefer(Revision.files)))
    if revision is None:
        raise NotFound("There is no such revision.")
    return Published(exercise=exercise, number=revision.number, files=revision.files)


def is_known(exercise: Exercise, files: Mapping[str, str]) -> bool:
    """Return whether the site has seen exactly these files of `exercise`: nothing is lost when others replace them."""
    digest = digest_of(files)
    kept = select(Revision.id).where(Revision.exercise_id == exercise.id, Revision.digest == digest)
    return digest == exercise.synced_digest or db.session.scalar(kept.limit(1)) is not None
