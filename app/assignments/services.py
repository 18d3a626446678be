"""What instructors do with the assignments of their classes.

Who instructs a class is decided by `cohorts.services.find_instructed`; an assignment of another class is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.accounts.models import User
from app.assignments.models import Assignment, AssignmentExercise, Extension
from app.assignments.rules import Schedule, what_is_wrong
from app.audit.services import note
from app.catalog.models import Exercise
from app.cohorts.models import Cohort, CohortMember
from app.cohorts.services import find_instructed
from app.db import db
from app.errors import Invalid, NotFound
from app.notices.services import notify

MAX_TITLE = 120
MAX_EXERCISES = 50
MAX_REASON = 500
POINTS = range(1001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An assignment as an instructor asks for it."""

    title: str
    schedule: Schedule
    hints_closed: bool
    solutions_closed: bool
    exercises: tuple[tuple[int, int], ...]  # exercise id and points, in order


def create(reader: User, cohort_id: int, wanted: Wanted) -> Assignment:
    """Return the new assignment, told to the members. Raises NotFound, Invalid. Commits."""
    cohort = find_instructed(reader, cohort_id)
    assignment = Assignment(cohort_id=cohort_id)
    _fill(assignment, wanted)
    db.session.add(assignment)
    db.session.flush()
    note(reader.id, "assignment.created", subject_of(assignment.id), cohort=cohort_id, **_facts(assignment))
    text = f"New in {cohort.name}: {assignment.title}."
    for learner_id in db.session.scalars(_members(cohort_id)):
        notify(learner_id, "assignment.created", text, f"/assignments/{assignment.id}")
    db.session.commit()
    return assignment


def edit(reader: User, cohort_id: int, assignment_id: int, wanted: Wanted) -> None:
    """Change an assignment. Raises NotFound, Invalid. Commits."""
    assignment = find(reader, cohort_id, assignment_id)
    before = _facts(assignment)
    _fill(assignment, wanted)
    note(reader.id, "assignment.changed", subject_of(assignment_id), before=before, after=_facts(assignment))
    db.session.commit()


def remove(reader: User, cohort_id: int, assignment_id: int) -> None:
    """Delete an assignment and its extensions; attempts stay. Raises NotFound. Commits."""
    assignment = find(reader, cohort_id, assignment_id)
    note(reader.id, "assignment.deleted", subject_of(assignment_id), cohort=cohort_id, **_facts(assignment))
    db.session.delete(assignment)
    db.session.commit()


def extend(
    reader: User, cohort_id: int, assignment_id: int, *, learner_id: int | None, due_at: datetime, reason: str
) -> None:
    """Give one learner until `due_at`; the latest word counts. Raises NotFound, Invalid naming the field. Commits."""
    assignment = find(reader, cohort_id, assignment_id)
    if learner_id is None or learner_id not in set(db.session.scalars(_members(cohort_id))):
        raise Invalid("Choose a member of the class.", "learner")
    if due_at <= assignment.due_at:
        raise Invalid("Choose a time after the due date of the assignment.", "due_at")
    if len(reason.strip()) > MAX_REASON:
        raise Invalid(f"Keep the reason below {MAX_REASON} characters.", "reason")
    # Two who extend at once queue up at the assignment's row.
    db.session.execute(select(Assignment.id).where(Assignment.id == assignment_id).with_for_update())
    given = select(Extension).where(Extension.assignment_id == assignment_id, Extension.learner_id == learner_id)
    extension = db.session.scalar(given)
    before = extension.due_at if extension else assignment.due_at
    if extension is None:
        extension = Extension(assignment_id=assignment_id, learner_id=learner_id)
        db.session.add(extension)
    extension.due_at, extension.reason = due_at, reason.strip()
    facts = {"learner": learner_id, "before": before.isoformat(), "after": due_at.isoformat()}
    note(reader.id, "extension.given", subject_of(assignment_id), **facts)
    text = f"You have more time for {assignment.title}."
    notify(extension.learner_id, "extension.given", text, f"/assignments/{assignment_id}")
    db.session.commit()


def find(reader: User, cohort_id: int, assignment_id: int) -> Assignment:
    """Return the assignment of a class that `reader` instructs, with its exercises. Raises NotFound."""
    find_instructed(reader, cohort_id)
    wanted = select(Assignment).where(Assignment.id == assignment_id, Assignment.cohort_id == cohort_id)
    assignment: Assignment | None = db.session.scalar(wanted.options(*with_exercises()))
    if assignment is None:
        raise NotFound("There is no such assignment.")
    return assignment


def of_cohort(cohort: Cohort) -> list[Assignment]:
    """Return the assignments of a class that the reader has found before, the one due last first."""
    own = select(Assignment).where(Assignment.cohort_id == cohort.id).options(*with_exercises())
    return list(db.session.scalars(own.order_by(Assignment.due_at.desc(), Assignment.id.desc())))


def extensions_of(assignment_id: int) -> list[Extension]:
    """Return who has more time, by name."""
    given = select(Extension).join(Extension.learner).where(Extension.assignment_id == assignment_id)
    return list(db.session.scalars(given.options(joinedload(Extension.learner)).order_by(User.name, User.id)))


def exercises_to_choose() -> list[Exercise]:
    """Return every exercise that can be set, by track and title."""
    offered = select(Exercise).where(Exercise.published, Exercise.trial.is_(False))
    return list(db.session.scalars(offered.order_by(Exercise.track, Exercise.title)))


def subject_of(assignment_id: int) -> str:
    """Return what the audit log calls an assignment."""
    return f"assignment:{assignment_id}"


def with_exercises() -> tuple[ExecutableOption, ...]:
    """Return the options that load the exercises together with assignments."""
    return (selectinload(Assignment.exercises).joinedload(AssignmentExercise.exercise),)


def _members(cohort_id: int) -> Select[int]:
    return select(CohortMember.learner_id).where(CohortMember.cohort_id == cohort_id)


def _fill(assignment: Assignment, wanted: Wanted) -> None:
    """Write what is wanted into the row. Raises Invalid naming the field. The caller commits."""
    title = " ".join(wanted.title.split())
    if not 1 <= len(title) <= MAX_TITLE:
        raise Invalid(f"Enter a title of at most {MAX_TITLE} characters.", "title")
    wrong = what_is_wrong(wanted.schedule)
    if wrong is not None:
        field, sentence = wrong
        raise Invalid(sentence, field)
    _choose(assignment, wanted.exercises)
    schedule = wanted.schedule
    assignment.title = title
    assignment.opens_at, assignment.due_at, assignment.closes_at = (
        schedule.opens_at,
        schedule.due_at,
        schedule.closes_at,
    )
    assignment.late_percent = schedule.late_percent
    assignment.hints_closed, assignment.solutions_closed = wanted.hints_closed, wanted.solutions_closed


def _choose(assignment: Assignment, chosen: Sequence[tuple[int, int]]) -> None:
    """Set the exercises; rows of those that stay are kept. Raises Invalid. The caller commits."""
    points: Mapping[int, int] = dict(chosen)
    if not 1 <= len(points) <= MAX_EXERCISES:
        raise Invalid(f"Choose 1 to {MAX_EXERCISES} exercises.", "exercises")
    if any(each not in POINTS for each in points.values()):
        raise Invalid(f"Points are whole numbers from 0 to {POINTS[-1]}.", "exercises")
    there = {each.exercise_id: each for each in assignment.exercises}
    offered = select(Exercise.id).where(Exercise.published, Exercise.trial.is_(False), Exercise.id.in_(points))
    unknown = points.keys() - there.keys() - set(db.session.scalars(offered))
    if unknown:
        raise Invalid("One of the exercises is no longer offered. Choose again.", "exercises")
    rows = []
    for position, (exercise_id, worth) in enumerate(points.items()):
        row = there.get(exercise_id) or AssignmentExercise(exercise_id=exercise_id)
        row.position, row.points = position, worth
        rows.append(row)
    assignment.exercises = rows


def _facts(assignment: Assignment) -> dict[str, object]:
    """Return what the audit log keeps of an assignment."""
    closes_at = assignment.closes_at
    return {
        "title": assignment.title,
        "opens_at": assignment.opens_at.isoformat(),
        "due_at": assignment.due_at.isoformat(),
        "closes_at": closes_at.isoformat() if closes_at else None,
        "late_percent": assignment.late_percent,
        "exercises": {str(each.exercise_id): each.points for each in assignment.exercises},
    }
