"""Help that is closed for a while, say until an assignment is due. Who closes it hands that in; nobody: all is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.errors import Forbidden

Closings = Callable[[int, int, datetime], "Closing | None"]  # learner id, exercise id, now
_providers: dict[str, Closings] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Which help with an exercise is closed to a learner; None: that one is open."""

    because: str  # the title of what closes it
    hints_until: datetime | None
    solution_until: datetime | None


OPEN = Closing(because="", hints_until=None, solution_until=None)


def provide_closings(closings: Closings) -> None:
    """Let `closings` say which help is closed to a learner; assignments hand it in, which submissions do not know."""
    _providers["closings"] = closings


def closing_for(learner_id: int, exercise_id: int, at: datetime) -> Closing:
    """Return which help with the exercise is closed to the learner at the time `at`."""
    ask = _providers.get("closings")
    return (ask(learner_id, exercise_id, at) if ask else None) or OPEN


def refuse_closed_hints(learner_id: int, exercise_id: int, at: datetime) -> None:
    """Raise Forbidden where hints are closed to the learner."""
    found = closing_for(learner_id, exercise_id, at)
    if found.hints_until is not None:
        raise Forbidden(f"Hints are closed until the assignment “{found.because}” is due.")


def refuse_closed_solution(learner_id: int, exercise_id: int, at: datetime) -> None:
    """Raise Forbidden where the solution is closed to the learner."""
    found = closing_for(learner_id, exercise_id, at)
    if found.solution_until is not None:
        raise Forbidden(f"The solution is closed until the assignment “{found.because}” is due.")
