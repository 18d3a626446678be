"""What counts and what helped: attempts are recorded here, hints and solutions opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select, update

from app.catalog.models import Exercise
from app.catalog.status import Status
from app.db import db, insert_once, now
from app.progress.activity import Activity, activity, days_of
from app.progress.evidence import Evidence, Wanted, behind
from app.progress.figures import (
    AttemptFacts,
    ExerciseFacts,
    Figure,
    Standing,
    by_skill,
    by_track,
    overall,
    standings,
)
from app.progress.models import Attempt, Help
from app.progress.suggestion import Suggestion, next_exercise

SOLUTION = 0  # the position of the solution among the helps of an exercise
RECENT = 5  # attempts listed on the dashboard


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWork:
    """Something a learner is to do by a date: an assignment, which progress does not know."""

    title: str
    group: str  # whose it is: the name of the class
    url: str
    state: str  # not open, open or late
    opens_at: datetime
    due_at: datetime
    closes_at: datetime | None
    solved: int
    total: int


DueWorkOf = Callable[[int, datetime], Sequence[DueWork]]  # learner id, now
_providers: dict[str, DueWorkOf] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """What a learner sees of their own progress."""

    overall: Figure
    tracks: list[Figure]
    skills: list[Figure]
    activity: Activity
    recent: list[Evidence]  # newest first
    suggestion: Suggestion | None  # None: all solved, or no exercises
    due: tuple[DueWork, ...]  # the first due first


def provide_due_work(due_work: DueWorkOf) -> None:
    """Let `due_work` say what a learner is to do by when; assignments hand it in."""
    _providers["due"] = due_work


def record_attempt(*, submission_id: int, learner_id: int, exercise_id: int, solved: bool, at: datetime) -> None:
    """Record one submission that counts; the second call for the same submission changes nothing. The caller commits.

    It is unaided when it solved the exercise and the learner had opened neither hint nor solution by `at`.
    """
    helped = select(Help.id).where(Help.learner_id == learner_id, Help.exercise_id == exercise_id, Help.at <= at)
    db.session.execute(
        insert_once(
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


def change_attempts(submission_ids: Select[int], *, solved: bool) -> int:
    """Let the attempts of these submissions have solved their exercise, or not; return how many that changed.

    Each is unaided as it would have been when the learner submitted. A submission without an attempt gets none.
    The caller commits.
    """
    helped = select(Help.id).where(
        Help.learner_id == Attempt.learner_id, Help.exercise_id == Attempt.exercise_id, Help.at <= Attempt.at
    )
    changed = db.session.execute(
        update(Attempt)
        .where(Attempt.submission_id.in_(submission_ids), Attempt.solved.is_not(solved))
        .values(solved=solved, unaided=~helped.exists() if solved else False)
        .returning(Attempt.id),
        execution_options={"synchronize_session": False},
    )
    return len(changed.all())


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


def standings_of(learner_id: int) -> list[Standing]:
    """Return one standing per exercise the learner attempted or could attempt, by track and slug. Two queries.

    An exercise withdrawn later still counts for those who attempted it.
    """
    attempts = [
        AttemptFacts(
            submission_id=row.submission_id,
            exercise_id=row.exercise_id,
            solved=row.solved,
            unaided=row.unaided,
            at=row.at,
        )
        for row in db.session.execute(
            select(Attempt.submission_id, Attempt.exercise_id, Attempt.solved, Attempt.unaided, Attempt.at).where(
                Attempt.learner_id == learner_id
            )
        )
    ]
    attempted = select(Attempt.exercise_id).where(Attempt.learner_id == learner_id)
    exercises = db.session.scalars(
        select(Exercise)
        .where(or_(Exercise.published, Exercise.id.in_(attempted)))
        .order_by(Exercise.track, Exercise.slug)
    )
    return standings([_facts(exercise) for exercise in exercises], attempts)


def dashboard(learner_id: int, *, zone: ZoneInfo, at: datetime) -> Dashboard:
    """Return what the dashboard shows at time `at`, with days as they fall in `zone`."""
    found = standings_of(learner_id)
    attempts = behind(found, Wanted(), zone)
    counts = days_of((one.attempt.at for one in attempts), zone)
    return Dashboard(
        overall=overall(found),
        tracks=by_track(found),
        skills=by_skill(found),
        activity=activity(counts, at.astimezone(zone).date()),
        recent=attempts[:RECENT],
        suggestion=next_exercise(found),
        due=tuple(_providers["due"](learner_id, at)) if "due" in _providers else (),
    )


def attempts_behind(learner_id: int, wanted: Wanted, *, zone: ZoneInfo) -> list[Evidence]:
    """Return the attempts behind the figure that `wanted` describes, newest first: as many as the figure says."""
    return behind(standings_of(learner_id), wanted, zone)


def _facts(exercise: Exercise) -> ExerciseFacts:
    return ExerciseFacts(
        id=exercise.id,
        track=exercise.track,
        slug=exercise.slug,
        title=exercise.title,
        difficulty=exercise.difficulty,
        minutes=exercise.minutes,
        skills=tuple(exercise.skills),
        published=exercise.published,
    )


def _solved_pairs(learner_id: int) -> Select[int, bool]:
    return select(Attempt.exercise_id, Attempt.solved).where(Attempt.learner_id == learner_id).distinct()


def _open(learner_id: int, exercise_id: int, position: int) -> None:
    db.session.execute(
        insert_once(
            Help,
            ["learner_id", "exercise_id", "position"],
            learner_id=learner_id,
            exercise_id=exercise_id,
            position=position,
            at=now(),
        )
    )
    db.session.commit()
