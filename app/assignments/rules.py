"""When an assignment is open to a learner, and what a solution is worth. Pure.

Solved by the due date, or by the learner's extension: all points. Solved later, while late solutions are taken: the
part that the assignment names. After that: none. Help is marked, not penalised. What was solved before the assignment
opened counts too. A moment on the border is still inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where an assignment is for one learner."""

    NOT_OPEN = "not open"
    OPEN = "open"
    LATE = "late"
    CLOSED = "closed"


class Timing(StrEnum):
    """When a solution came."""

    IN_TIME = "in time"
    LATE = "late"
    TOO_LATE = "too late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The times of an assignment for one learner."""

    opens_at: datetime
    due_at: datetime
    closes_at: datetime | None  # late solutions are taken until then; None: none are
    late_percent: int  # of the points, for a late solution

    def extended(self, due_at: datetime | None) -> Schedule:
        """Return the schedule of a learner whose work is due at `due_at`; never earlier than everybody's."""
        if due_at is None or due_at <= self.due_at:
            return self
        closes_at = max(self.closes_at, due_at) if self.closes_at else None
        return replace(self, due_at=due_at, closes_at=closes_at)

    def state(self, at: datetime) -> State:
        """Return where the assignment is at the time `at`."""
        if at < self.opens_at:
            return State.NOT_OPEN
        timing = self.timing(at)
        return {Timing.IN_TIME: State.OPEN, Timing.LATE: State.LATE, Timing.TOO_LATE: State.CLOSED}[timing]

    def timing(self, at: datetime) -> Timing:
        """Return what a solution that was sent at `at` is."""
        if at <= self.due_at:
            return Timing.IN_TIME
        if self.closes_at is not None and at <= self.closes_at:
            return Timing.LATE
        return Timing.TOO_LATE

    def points(self, worth: int, solved_at: datetime | None) -> int:
        """Return the points for an exercise first solved at `solved_at`, of `worth`; halves are rounded up."""
        if solved_at is None:
            return 0
        timing = self.timing(solved_at)
        percent = {Timing.IN_TIME: 100, Timing.LATE: self.late_percent, Timing.TOO_LATE: 0}[timing]
        return (worth * percent + 50) // 100


def what_is_wrong(schedule: Schedule) -> tuple[str, str] | None:
    """Return the field and the sentence where the times do not fit together, else None."""
    if schedule.due_at <= schedule.opens_at:
        return "due_at", "Choose a due date after the opening."
    if schedule.closes_at is not None and schedule.closes_at <= schedule.due_at:
        return "closes_at", "Choose a time after the due date, or leave it empty."
    if not 0 <= schedule.late_percent <= 100:
        return "late_percent", "Choose 0 to 100 percent."
    return None
