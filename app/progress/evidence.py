"""The attempts behind a figure. Pure.

A figure is always the number of rows of its evidence: `len(behind(standings, Wanted(result=Result.SOLVED)))` is
`overall(standings).solved`, and so for every result, track and skill.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from app.catalog import tracks
from app.progress.figures import AttemptFacts, ExerciseFacts, Result, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which attempts to show: without `result` every one, else the one per exercise that makes it count."""

    result: Result | None = None
    track: str = ""  # empty: all
    skill: str = ""  # empty: all
    exercise_id: int | None = None  # None: all
    day: date | None = None  # as it falls in the learner's time zone; None: all

    @property
    def track_title(self) -> str:
        """The name of the track asked for, as people read it."""
        return tracks.find(self.track).title


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One attempt, and the standing it belongs to."""

    standing: Standing
    attempt: AttemptFacts

    @property
    def exercise(self) -> ExerciseFacts:
        """The exercise attempted."""
        return self.standing.exercise

    @property
    def number(self) -> int:
        """Which attempt at this exercise it was; 1 is the first."""
        return self.standing.attempts.index(self.attempt) + 1


def behind(standings: Iterable[Standing], wanted: Wanted, zone: ZoneInfo) -> list[Evidence]:
    """Return the attempts that `wanted` asks for, newest first; its day is a day in `zone`."""
    found = [
        Evidence(standing=standing, attempt=attempt)
        for standing in standings
        if _asks_for(wanted, standing.exercise)
        for attempt in _attempts(standing, wanted.result)
        if wanted.day is None or attempt.at.astimezone(zone).date() == wanted.day
    ]
    return sorted(found, key=lambda one: (one.attempt.at, one.attempt.submission_id), reverse=True)


def _attempts(standing: Standing, result: Result | None) -> tuple[AttemptFacts, ...]:
    if result is None:
        return standing.attempts
    attempt = standing.shows(result)
    return (attempt,) if attempt else ()


def _asks_for(wanted: Wanted, exercise: ExerciseFacts) -> bool:
    return (
        (not wanted.track or exercise.track == wanted.track)
        and (not wanted.skill or wanted.skill in exercise.skills)
        and (wanted.exercise_id is None or exercise.id == wanted.exercise_id)
    )
