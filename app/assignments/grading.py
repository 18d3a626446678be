"""The results of a class: one assignment, every member, every exercise; on a page and as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select

from app.accounts.models import User
from app.assignments.matrix import Column, Learner, LearnerAttempt, Row, matrix
from app.assignments.models import Assignment, Extension
from app.assignments.rules import State
from app.assignments.services import of_cohort
from app.cohorts.models import Cohort, CohortMember
from app.cohorts.services import find_instructed
from app.db import db
from app.errors import NotFound
from app.progress.figures import AttemptFacts
from app.progress.models import Attempt
from app.reports.table import Cell as CsvCell

COLUMNS = (
    "learner_id",
    "learner_name",
    "learner_email",
    "assignment_id",
    "due_at",
    "exercise_id",
    "track",
    "exercise",
    "title",
    "result",
    "points",
    "points_of",
    "attempts",
    "unaided",
    "solved_at",
    "solving_submission_id",
    "latest_attempt_at",
    "latest_submission_id",
)


class Show(StrEnum):
    """Which learners of the matrix are shown."""

    ALL = "all"
    MISSING = "missing"  # who has not solved every exercise


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The results of a class in one assignment; without one, only the class."""

    cohort: Cohort
    assignments: tuple[Assignment, ...]  # to choose from, the one due last first
    assignment: Assignment | None
    state: State | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]  # those asked for, by name
    members: int
    solved_by: tuple[int, ...]  # of all members, per column
    show: Show


def board(reader: User, cohort_id: int, assignment_id: int | None, *, show: Show, at: datetime) -> Board:
    """Return the results, by default of the assignment opened last; all attempts in one query. Raises NotFound."""
    cohort = find_instructed(reader, cohort_id)
    assignments = of_cohort(cohort)
    assignment = _chosen(assignments, assignment_id, at)
    columns = columns_of(assignment) if assignment else ()
    rows = rows_of(assignment, columns) if assignment else []
    shown = [row for row in rows if show is Show.ALL or row.solved < len(columns)]
    return Board(
        cohort=cohort,
        assignments=tuple(assignments),
        assignment=assignment,
        state=assignment.schedule.state(at) if assignment else None,
        columns=columns,
        rows=tuple(shown),
        members=len(rows),
        solved_by=tuple(sum(row.cells[n].solving is not None for row in rows) for n in range(len(columns))),
        show=show,
    )


def columns_of(assignment: Assignment) -> tuple[Column, ...]:
    """Return the exercises of the assignment, in its order."""
    return tuple(
        Column(
            exercise_id=each.exercise_id,
            title=each.exercise.title,
            track=each.exercise.track,
            slug=each.exercise.slug,
            points=each.points,
        )
        for each in assignment.exercises
    )


def rows_of(assignment: Assignment, columns: tuple[Column, ...]) -> list[Row]:
    """Return one row per member of the class, by name. Three queries."""
    members = select(CohortMember.learner_id).where(CohortMember.cohort_id == assignment.cohort_id)
    people = select(User.id, User.name, User.email).where(User.id.in_(members)).order_by(func.lower(User.name), User.id)
    given = select(Extension.learner_id, Extension.due_at).where(Extension.assignment_id == assignment.id)
    sent = select(
        Attempt.learner_id, Attempt.submission_id, Attempt.exercise_id, Attempt.solved, Attempt.unaided, Attempt.at
    ).where(Attempt.exercise_id.in_([each.exercise_id for each in columns]), Attempt.learner_id.in_(members))
    attempts = (
        LearnerAttempt(
            learner_id=learner_id,
            facts=AttemptFacts(
                submission_id=submission_id, exercise_id=exercise_id, solved=solved, unaided=unaided, at=moment
            ),
        )
        for learner_id, submission_id, exercise_id, solved, unaided, moment in db.session.execute(sent)
    )
    return matrix(
        columns,
        [Learner(id=row.id, name=row.name, email=row.email) for row in db.session.execute(people)],
        attempts,
        schedule=assignment.schedule,
        extensions={row.learner_id: row.due_at for row in db.session.execute(given)},
    )


def csv_rows(assignment: Assignment) -> Iterable[list[CsvCell]]:
    """Yield one row per member and exercise, as COLUMNS names them."""
    columns = columns_of(assignment)
    for row in rows_of(assignment, columns):
        for column, cell in zip(columns, row.cells, strict=True):
            yield [
                row.learner.id,
                row.learner.name,
                row.learner.email,
                assignment.id,
                row.due_at,
                column.exercise_id,
                column.track,
                column.slug,
                column.title,
                cell.result,
                cell.points,
                column.points,
                cell.attempts,
                cell.solving.unaided if cell.solving else None,
                cell.solving.at if cell.solving else None,
                cell.solving.submission_id if cell.solving else None,
                cell.latest.at if cell.latest else None,
                cell.latest.submission_id if cell.latest else None,
            ]


def _chosen(assignments: list[Assignment], assignment_id: int | None, at: datetime) -> Assignment | None:
    if assignment_id is not None:
        found = next((each for each in assignments if each.id == assignment_id), None)
        if found is None:
            raise NotFound("There is no such assignment.")
        return found
    opened = [each for each in assignments if each.opens_at <= at]
    return max(opened or assignments, key=lambda each: (each.opens_at, each.id), default=None)
