"""Attempts → active days, streaks and the heat map, in the learner's time zone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEKS_SHOWN = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One cell of the heat map. `level` is 0 (no attempt) to 4."""

    on: date
    attempts: int
    level: int
    week: int  # column, 0 is the oldest
    weekday: int  # row, 0 is Monday


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The days of the last weeks, oldest first, and what they add up to."""

    days: tuple[Day, ...]
    attempts: int
    active_days: int
    streak: int  # days in a row up to today, or to yesterday while today has none
    longest_streak: int  # of all time

    @property
    def latest_active(self) -> tuple[Day, ...]:
        """The active days shown, newest first."""
        return tuple(day for day in reversed(self.days) if day.attempts)


def days_of(times: Iterable[datetime], zone: ZoneInfo) -> Counter[date]:
    """Return local date → number of `times` on it."""
    return Counter(time.astimezone(zone).date() for time in times)


def activity(counts: Mapping[date, int], today: date, *, weeks: int = WEEKS_SHOWN) -> Activity:
    """Return the activity of the last `weeks` calendar weeks; the current one is the last and ends today."""
    monday = today - DAY * today.weekday()
    start = monday - timedelta(weeks=weeks - 1)
    days = tuple(_day(start, start + DAY * n, counts) for n in range((today - start).days + 1))
    return Activity(
        days=days,
        attempts=sum(day.attempts for day in days),
        active_days=sum(1 for day in days if day.attempts),
        streak=_streak(counts, today),
        longest_streak=_longest_streak(counts),
    )


def _day(start: date, on: date, counts: Mapping[date, int]) -> Day:
    attempts = counts.get(on, 0)
    return Day(on=on, attempts=attempts, level=_level(attempts), week=(on - start).days // 7, weekday=on.weekday())


def _level(attempts: int) -> int:
    """Return 0 for none, then 1 (one), 2 (up to 3), 3 (up to 6), 4 (more)."""
    return sum(attempts >= least for least in (1, 2, 4, 7))


def _streak(counts: Mapping[date, int], today: date) -> int:
    day = today if counts.get(today) else today - DAY
    length = 0
    while counts.get(day):
        length, day = length + 1, day - DAY
    return length


def _longest_streak(counts: Mapping[date, int]) -> int:
    longest = current = 0
    previous: date | None = None
    for day in sorted(day for day, attempts in counts.items() if attempts):
        current = current + 1 if previous is not None and day - previous == DAY else 1
        longest, previous = max(longest, current), day
    return longest
