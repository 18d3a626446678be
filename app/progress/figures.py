"""Attempts → how a learner stands with each exercise → figures per track and skill. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.catalog import tracks
from app.catalog.status import Status


class Result(StrEnum):
    """What is counted. Every unaided exercise is solved, every solved one tried."""

    TRIED = "tried"
    SOLVED = "solved"
    UNAIDED = "unaided"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseFacts:
    """What the figures need to know of an exercise."""

    id: int
    track: str
    slug: str
    title: str
    difficulty: int
    minutes: int
    skills: tuple[str, ...]
    published: bool = True

    @property
    def track_title(self) -> str:
        """The name of its track, as people read it."""
        return tracks.find(self.track).title


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """What the figures need to know of an attempt."""

    submission_id: int
    exercise_id: int
    solved: bool
    unaided: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One exercise and one learner's attempts at it, oldest first."""

    exercise: ExerciseFacts
    attempts: tuple[AttemptFacts, ...]

    @property
    def status(self) -> Status:
        """Not started, tried or solved."""
        if not self.attempts:
            return Status.NOT_STARTED
        return Status.SOLVED if self.solving else Status.TRIED

    @property
    def solving(self) -> AttemptFacts | None:
        """The first attempt that solved it, or None."""
        return next((attempt for attempt in self.attempts if attempt.solved), None)

    @property
    def unaided(self) -> bool:
        """Whether it was first solved without hint or solution."""
        return self.solving is not None and self.solving.unaided

    @property
    def needed(self) -> int:
        """Attempts up to and with the first that solved it; 0 while it is not solved."""
        return self.attempts.index(self.solving) + 1 if self.solving else 0

    @property
    def last(self) -> AttemptFacts | None:
        """The latest attempt, or None."""
        return self.attempts[-1] if self.attempts else None

    def shows(self, result: Result) -> AttemptFacts | None:
        """Return the attempt that makes this exercise count for `result`, or None when it does not count."""
        if result is Result.TRIED:
            return self.attempts[0] if self.attempts else None
        if result is Result.SOLVED or self.unaided:
            return self.solving
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How many exercises of a track, of a skill, or of all (`name` is empty) were tried, solved, solved unaided."""

    name: str  # as in URLs
    title: str  # as people read it
    total: int
    tried: int
    solved: int
    unaided: int
    attempts: int
    first_at: datetime | None  # first and latest attempt
    last_at: datetime | None


def standings(exercises: Iterable[ExerciseFacts], attempts: Iterable[AttemptFacts]) -> list[Standing]:
    """Return one standing per exercise, in the order given. Attempts at other exercises are left out."""
    by_exercise: dict[int, list[AttemptFacts]] = {}
    for attempt in sorted(attempts, key=lambda attempt: (attempt.at, attempt.submission_id)):
        by_exercise.setdefault(attempt.exercise_id, []).append(attempt)
    return [Standing(exercise=exercise, attempts=tuple(by_exercise.get(exercise.id, ()))) for exercise in exercises]


def overall(standings: Sequence[Standing]) -> Figure:
    """Return the figure over all exercises."""
    return _figure("", standings)


def by_track(standings: Sequence[Standing]) -> list[Figure]:
    """Return one figure per track, in the order of the catalogue."""
    found = sorted({standing.exercise.track for standing in standings}, key=tracks.order)
    return [
        _figure(track, [s for s in standings if s.exercise.track == track], title=tracks.find(track).title)
        for track in found
    ]


def by_skill(standings: Sequence[Standing]) -> list[Figure]:
    """Return one figure per skill, by name; an exercise counts for each of its skills."""
    skills = sorted({skill for standing in standings for skill in standing.exercise.skills})
    return [_figure(skill, [s for s in standings if skill in s.exercise.skills]) for skill in skills]


def _figure(name: str, standings: Sequence[Standing], *, title: str = "") -> Figure:
    times = [attempt.at for standing in standings for attempt in standing.attempts]
    return Figure(
        name=name,
        title=title or name,
        total=len(standings),
        tried=sum(1 for standing in standings if standing.shows(Result.TRIED)),
        solved=sum(1 for standing in standings if standing.shows(Result.SOLVED)),
        unaided=sum(1 for standing in standings if standing.shows(Result.UNAIDED)),
        attempts=len(times),
        first_at=min(times, default=None),
        last_at=max(times, default=None),
    )
