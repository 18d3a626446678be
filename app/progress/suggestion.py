"""What to do next, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.catalog import tracks
from app.catalog.status import Status
from app.progress.figures import ExerciseFacts, Standing

WELCOME = "welcome"  # the track of the exercise a newcomer starts with


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One exercise and the reason to do it now, a sentence for the learner."""

    exercise: ExerciseFacts
    reason: str


def next_exercise(standings: Sequence[Standing]) -> Suggestion | None:
    """Return what to do next, or None when every published exercise is solved.

    The welcome exercise for a newcomer; else the exercise tried last and not solved; else the easiest one not started
    in the track with the smallest part solved.
    """
    offered = [standing for standing in standings if standing.exercise.published]
    if not any(standing.attempts for standing in standings):
        return _welcome(offered)
    return _unfinished(offered) or _weakest(offered)


def _welcome(offered: Sequence[Standing]) -> Suggestion | None:
    welcoming = [
        standing.exercise for standing in offered if WELCOME in {standing.exercise.track, standing.exercise.slug}
    ]
    exercises = welcoming or [standing.exercise for standing in offered]
    if not exercises:
        return None
    return Suggestion(exercise=min(exercises, key=_ease), reason="A short one to learn how solving works here.")


def _unfinished(offered: Sequence[Standing]) -> Suggestion | None:
    tried = [(_last_at(standing), standing) for standing in offered if standing.status is Status.TRIED]
    if not tried:
        return None
    _, standing = max(tried, key=lambda pair: (pair[0], pair[1].exercise.id))
    count = len(standing.attempts)
    times = "once" if count == 1 else f"{count} times"
    return Suggestion(exercise=standing.exercise, reason=f"You tried it {times} and have not solved it yet.")


def _weakest(offered: Sequence[Standing]) -> Suggestion | None:
    fresh = [standing.exercise for standing in offered if standing.status is Status.NOT_STARTED]
    if not fresh:
        return None
    track = min(
        {exercise.track for exercise in fresh}, key=lambda track: (_part_solved(offered, track), tracks.order(track))
    )
    exercise = min((exercise for exercise in fresh if exercise.track == track), key=_ease)
    solved, total = _solved_of(offered, track)
    return Suggestion(
        exercise=exercise,
        reason=f"The easiest you have not started in the track where you have solved least ({solved} of {total}).",
    )


def _solved_of(offered: Sequence[Standing], track: str) -> tuple[int, int]:
    inside = [standing for standing in offered if standing.exercise.track == track]
    return sum(standing.status is Status.SOLVED for standing in inside), len(inside)


def _part_solved(offered: Sequence[Standing], track: str) -> float:
    solved, total = _solved_of(offered, track)
    return solved / total


def _last_at(standing: Standing) -> datetime:
    return standing.attempts[-1].at


def _ease(exercise: ExerciseFacts) -> tuple[int, int, str]:
    return exercise.difficulty, exercise.minutes, exercise.slug
