"""What counts and what helped: attempts are recorded here, hints and solutions opened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Insert, Select, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase

from app.catalog.status import Status
from app.db import db, now
from app.progress.models import Attempt, Help

SOLUTION = 0  # the position of the solution among the helps of an exercise


def record_attempt(*, submission_id: int, learner_id: int, exercise_id: int, solved: bool, at: datetime) -> None:
    """Record one submission that counts; the second call for the same submission changes nothing. The caller commits.

    It is unaided when it solved the exercise and the learner had opened neither hint nor solution by `at`.
    """
    helped = select(Help.id).where(Help.learner_id == learner_id, Help.exercise_id == exercise_id, Help.at <= at)
    db.session.execute(
        _insert_once(
            Attempt,
            ["submission_id"],
            submission_id=submission_id,
            learner_id=learner_id,
            exercise_id=exercise_id,
            solved=solved,
            unaided=~helped.exists() if solved else False,
            at=at,
        )
    )


def open_hint(learner_id: int, exercise_id: int, position: int) -> None:
    """Remember that the learner opened hint `position` (1 is the first); only the first opening counts."""
    if position < 1:
        raise ValueError(f"hints are counted from 1, got {position}")
    _open(learner_id, exercise_id, position)


def open_solution(learner_id: int, exercise_id: int) -> None:
    """Remember that the learner opened the solution; only the first opening counts."""
    _open(learner_id, exercise_id, SOLUTION)


def help_opened(learner_id: int, exercise_id: int) -> list[Help]:
    """Return what the learner opened for this exercise, the solution (position 0) first, then hints in order."""
    return list(
        db.session.scalars(
            select(Help).where(Help.learner_id == learner_id, Help.exercise_id == exercise_id).order_by(Help.position)
        )
    )


def statuses(learner_id: int) -> dict[int, Status]:
    """Return exercise id → TRIED or SOLVED; an exercise without an attempt is not in it."""
    rows = db.session.execute(_solved_pairs(learner_id))
    found: dict[int, Status] = {}
    for exercise_id, solved in rows:
        if solved or exercise_id not in found:
            found[exercise_id] = Status.SOLVED if solved else Status.TRIED
    return found


def has_solved(learner_id: int, exercise_id: int) -> bool:
    """Return whether any attempt of the learner solved the exercise, aided or not."""
    solving = select(Attempt.id).where(
        Attempt.learner_id == learner_id, Attempt.exercise_id == exercise_id, Attempt.solved
    )
    return db.session.scalar(solving.limit(1)) is not None


def _solved_pairs(learner_id: int) -> Select[tuple[int, bool]]:
    return select(Attempt.exercise_id, Attempt.solved).where(Attempt.learner_id == learner_id).distinct()


def _open(learner_id: int, exercise_id: int, position: int) -> None:
    db.session.execute(
        _insert_once(
            Help,
            ["learner_id", "exercise_id", "position"],
            learner_id=learner_id,
            exercise_id=exercise_id,
            position=position,
            at=now(),
        )
    )
    db.session.commit()


def _insert_once(model: type[DeclarativeBase], key: list[str], **values: object) -> Insert:
    """Return one INSERT that does nothing when a row with this `key` is there already."""
    if db.session.get_bind().dialect.name == "postgresql":
        return postgresql_insert(model).values(**values).on_conflict_do_nothing(index_elements=key)
    return sqlite_insert(model).values(**values).on_conflict_do_nothing(index_elements=key)
