"""Assignments as a learner meets them: what is due, how far they are, and which help is closed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import joinedload

from app.assignments.matrix import Cell, cell_of
from app.assignments.models import Assignment, AssignmentExercise, Extension
from app.assignments.rules import Schedule, State
from app.assignments.services import with_exercises
from app.cohorts.models import Cohort, CohortMember
from app.db import db
from app.errors import NotFound
from app.progress.figures import AttemptFacts
from app.progress.models import Attempt
from app.progress.services import DueWork
from app.submissions.closing import Closing


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One exercise of an assignment and how the learner stands with it."""

    row: AssignmentExercise
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An assignment as one learner sees it."""

    assignment: Assignment
    schedule: Schedule  # their own
    extended: bool
    state: State
    items: tuple[Item, ...]

    @property
    def solved(self) -> int:
        """How many exercises are solved."""
        return sum(item.cell.solving is not None for item in self.items)

    @property
    def points(self) -> int:
        """The points so far."""
        return sum(item.cell.points for item in self.items)


def tasks_of(learner_id: int, at: datetime) -> list[Task]:
    """Return the learner's assignments, archived classes left out, the one due last first. Four queries."""
    own = _assigned_to(learner_id).where(Cohort.archived_at.is_(None))
    found = db.session.execute(own.order_by(Assignment.due_at.desc(), Assignment.id.desc())).unique().all()
    return _tasks(learner_id, [(assignment, more) for assignment, more in found], at)


def task_of(learner_id: int, assignment_id: int, at: datetime) -> Task:
    """Return one assignment of a class that the learner is in. Raises NotFound."""
    found = db.session.execute(_assigned_to(learner_id).where(Assignment.id == assignment_id)).unique().one_or_none()
    if found is None:
        raise NotFound("There is no such assignment.")
    return _tasks(learner_id, [(found[0], found[1])], at)[0]


def due_work(learner_id: int, at: datetime) -> list[DueWork]:
    """Return what the dashboard shows: what can still be handed in or is to come, the first due first."""
    shown = [task for task in tasks_of(learner_id, at) if task.state is not State.CLOSED]
    return [
        DueWork(
            title=task.assignment.title,
            group=task.assignment.cohort.name,
            url=url_for("assignments.show", assignment_id=task.assignment.id),
            state=task.state.value,
            opens_at=task.schedule.opens_at,
            due_at=task.schedule.due_at,
            closes_at=task.schedule.closes_at,
            solved=task.solved,
            total=len(task.assignment.exercises),
        )
        for task in sorted(shown, key=lambda task: (task.schedule.due_at, task.assignment.id))
    ]


def closing_of(learner_id: int, exercise_id: int, at: datetime) -> Closing | None:
    """Return which help with the exercise an open assignment keeps closed, until the latest due date; None: none."""
    wanted = (
        _assigned_to(learner_id)
        .join(Assignment.exercises)
        .where(
            AssignmentExercise.exercise_id == exercise_id,
            Cohort.archived_at.is_(None),
            Assignment.opens_at <= at,
            or_(Assignment.hints_closed, Assignment.solutions_closed),
            or_(Assignment.due_at >= at, Extension.due_at >= at),
        )
    )
    found = db.session.execute(wanted).unique().all()
    if not found:
        return None
    dues = [(assignment, assignment.schedule.extended(more).due_at) for assignment, more in found]
    last, _ = max(dues, key=lambda pair: pair[1])
    return Closing(
        because=last.title,
        hints_until=max((due for assignment, due in dues if assignment.hints_closed), default=None),
        solution_until=max((due for assignment, due in dues if assignment.solutions_closed), default=None),
    )


def _assigned_to(learner_id: int) -> Select[Assignment, datetime | None]:
    """Select the assignments of the classes that the learner is in, each with their extension."""
    more = and_(Extension.assignment_id == Assignment.id, Extension.learner_id == learner_id)
    return (
        select(Assignment, Extension.due_at)
        .join(Assignment.cohort)
        .join(CohortMember, CohortMember.cohort_id == Cohort.id)
        .outerjoin(Extension, more)
        .where(CohortMember.learner_id == learner_id)
        .options(joinedload(Assignment.cohort), *with_exercises())
    )


def _tasks(learner_id: int, found: Sequence[tuple[Assignment, datetime | None]], at: datetime) -> list[Task]:
    ids = {row.exercise_id for assignment, _ in found for row in assignment.exercises}
    attempts: dict[int, list[AttemptFacts]] = {}
    for facts in _attempts(learner_id, ids):
        attempts.setdefault(facts.exercise_id, []).append(facts)

    def task(assignment: Assignment, more: datetime | None) -> Task:
        schedule = assignment.schedule.extended(more)
        state = schedule.state(at)
        rows = assignment.exercises if state is not State.NOT_OPEN else []
        return Task(
            assignment=assignment,
            schedule=schedule,
            extended=schedule != assignment.schedule,
            state=state,
            items=tuple(
                Item(row=row, cell=cell_of(attempts.get(row.exercise_id, []), schedule, row.points)) for row in rows
            ),
        )

    return [task(assignment, more) for assignment, more in found]


def _attempts(learner_id: int, exercise_ids: set[int]) -> list[AttemptFacts]:
    columns = select(Attempt.submission_id, Attempt.exercise_id, Attempt.solved, Attempt.unaided, Attempt.at)
    own = columns.where(Attempt.learner_id == learner_id, Attempt.exercise_id.in_(exercise_ids))
    return [AttemptFacts(**row._mapping) for row in db.session.execute(own)]
