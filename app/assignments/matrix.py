"""Attempts of many learners → one row per learner, one cell per exercise. Pure.

The cell shows the best result and the latest one: the first solution decides the points, since nothing sent later can
be worth more. Reads each attempt once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.assignments.rules import Schedule, Timing
from app.progress.figures import AttemptFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One exercise of the assignment."""

    exercise_id: int
    title: str
    track: str
    slug: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """Whose row it is."""

    id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerAttempt:
    """An attempt and whose it is."""

    learner_id: int
    facts: AttemptFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How one learner stands with one exercise."""

    attempts: int = 0
    solving: AttemptFacts | None = None  # the first that solved it
    latest: AttemptFacts | None = None
    timing: Timing | None = None  # of the solving one
    points: int = 0

    @property
    def assisted(self) -> bool:
        """Whether it was solved after a hint or the solution was opened."""
        return self.solving is not None and not self.solving.unaided

    @property
    def fell_back(self) -> bool:
        """Whether the latest attempt failed although an earlier one solved it."""
        return self.solving is not None and self.latest is not None and not self.latest.solved

    @property
    def marks(self) -> tuple[str, ...]:
        """What is to be known of a solution besides its points."""
        if self.solving is None:
            return ()
        late = (str(self.timing),) if self.timing is not Timing.IN_TIME else ()
        return late + ("with help",) * self.assisted + ("latest failed",) * self.fell_back

    @property
    def result(self) -> str:
        """How it went, in words."""
        if self.solving is None:
            return "tried" if self.attempts else "not started"
        return ", ".join(("solved", *self.marks))


EMPTY = Cell()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One learner over all exercises."""

    learner: Learner
    due_at: datetime
    extended: bool
    cells: tuple[Cell, ...]  # as the columns

    @property
    def points(self) -> int:
        """The sum over all exercises."""
        return sum(cell.points for cell in self.cells)

    @property
    def solved(self) -> int:
        """How many exercises were solved, in time or not."""
        return sum(cell.solving is not None for cell in self.cells)


def matrix(
    columns: Sequence[Column],
    learners: Iterable[Learner],
    attempts: Iterable[LearnerAttempt],
    *,
    schedule: Schedule,
    extensions: Mapping[int, datetime],
) -> list[Row]:
    """Return one row per learner, in the order given; `extensions` are due dates by learner id."""
    found: dict[tuple[int, int], list[AttemptFacts]] = {}
    for each in attempts:
        found.setdefault((each.learner_id, each.facts.exercise_id), []).append(each.facts)

    def row(learner: Learner) -> Row:
        own = schedule.extended(extensions.get(learner.id))
        cells = tuple(cell_of(found.get((learner.id, each.exercise_id), ()), own, each.points) for each in columns)
        return Row(learner=learner, due_at=own.due_at, extended=own.due_at != schedule.due_at, cells=cells)

    return [row(learner) for learner in learners]


def cell_of(attempts: Sequence[AttemptFacts], schedule: Schedule, worth: int) -> Cell:
    """Return the cell of one learner's attempts at one exercise, in any order."""
    if not attempts:
        return EMPTY
    ordered = sorted(attempts, key=lambda attempt: (attempt.at, attempt.submission_id))
    solving = next((attempt for attempt in ordered if attempt.solved), None)
    return Cell(
        attempts=len(ordered),
        solving=solving,
        latest=ordered[-1],
        timing=schedule.timing(solving.at) if solving else None,
        points=schedule.points(worth, solving.at if solving else None),
    )
