"""Exercises that come in from elsewhere become working copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import select

from app.accounts.models import User
from app.authoring.copies import check_place, may_revise, problems_of
from app.authoring.folder import with_id
from app.authoring.models import WorkingCopy
from app.authoring.transfer import from_zip
from app.catalog.format import FormatError, Problem, nul_problems, path_problems
from app.catalog.manifest import NAME
from app.catalog.models import Exercise
from app.catalog.spec import UUID
from app.db import db
from app.errors import Forbidden

_NO_NAME = re.compile(r"[^a-z0-9]+")
_ID = re.compile(rf"^id:[ \t]*[\"']?({UUID.strip('^$')})", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came in."""

    copy: WorkingCopy
    said: str  # what became of it, in one sentence
    problems: tuple[Problem, ...]  # what has to be put right before it is an exercise


def take_in_archive(user: User, archive: bytes, *, name: str, track: str, slug: str) -> Taken:
    """Return the working copy made of a zip that was called `name`. Commits. Raises like `take_in`."""
    unpacked = from_zip(archive)
    return take_in(user, unpacked.files, track=track, slug=slug, called=unpacked.folder or name.removesuffix(".zip"))


def take_in(user: User, files: Mapping[str, str], *, track: str, slug: str, called: str = "") -> Taken:
    """Return a new working copy that holds `files`, which need not be well-formed. Commits.

    Files of an exercise that `user` may revise become its next revision. Files of somebody else's get an id of their
    own. Those, and new ones, will be published at `track` and `slug`, by default the name that they were `called` by.
    Raises FormatError for files that could not stand in a folder, Invalid for a place, Forbidden for learners.
    """
    if not user.instructs:
        raise Forbidden("Only instructors write exercises.")
    unsafe = [*path_problems(files), *nul_problems(files)]
    if unsafe:
        raise FormatError(unsafe)
    exercise = _exercise_in(files)
    if exercise is not None and may_revise(user, exercise):
        copy = WorkingCopy(
            owner_id=user.id,
            exercise_id=exercise.id,
            base_id=exercise.current_revision_id,
            track=exercise.track,
            slug=exercise.slug,
            files=dict(files),
        )
        said = f"It will be the next revision of {exercise.path}."
    else:
        slug = slug or _NO_NAME.sub("-", called.lower()).strip("-")
        check_place(track, slug)
        own = with_id(files, exercise.uuid, str(uuid4())) if exercise else dict(files)
        copy = WorkingCopy(owner_id=user.id, track=track, slug=slug, files=own)
        said = f"{exercise.path} is not yours to revise: the copy has an id of its own." if exercise else ""
    db.session.add(copy)
    db.session.commit()
    return Taken(copy=copy, said=said, problems=tuple(problems_of(copy)))


def _exercise_in(files: Mapping[str, str]) -> Exercise | None:
    """Return the exercise on this site whose id the files have, also where they are not well-formed."""
    found = _ID.search(files.get(NAME, ""))
    if found is None:
        return None
    return db.session.scalar(select(Exercise).where(Exercise.uuid == found[1], Exercise.trial.is_(False)))
