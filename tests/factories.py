"""Rows for tests. Each function adds, commits and returns the row; call them inside an application context."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

from app.accounts.models import Role, User
from app.accounts.passwords import hash_password
from app.assignments.models import Assignment, AssignmentExercise
from app.catalog.models import Exercise, Revision
from app.cohorts.models import Cohort, CohortInstructor, CohortMember
from app.db import db, now
from app.submissions.models import Draft, Purpose, Stage, Submission

PASSWORD = "four words in a row"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

_number = count(1)


@cache
def password_hash() -> str:
    """The hash of PASSWORD, made once: it costs tens of milliseconds."""
    return hash_password(PASSWORD)


def make_person(name: str = "", *, role: Role = Role.LEARNER, **more: Any) -> User:
    """An account; its password is PASSWORD."""
    number = next(_number)
    name = name or f"Person {number}"
    email = more.pop("email", f"{name.split()[0].lower()}{number}@example.com")
    return _kept(User(name=name, email=email, role=role, **{"password_hash": password_hash(), **more}))


def make_cohort(*learners: User, instructor: User, name: str = "", **more: Any) -> Cohort:
    """A class of `instructor` with these learners."""
    number = next(_number)
    cohort = _kept(Cohort(name=name or f"Class {number}", join_code=f"CODE{number:04}", **more))
    db.session.add(CohortInstructor(cohort_id=cohort.id, instructor_id=instructor.id))
    db.session.add_all(CohortMember(cohort_id=cohort.id, learner_id=learner.id) for learner in learners)
    return _kept(cohort)


def make_assignment(cohort_id: int, *exercises: Exercise, **more: Any) -> Assignment:
    """An assignment of these exercises, 10 points each, that is open since yesterday and due tomorrow."""
    columns = {
        "title": f"Week {next(_number)}",
        "opens_at": now() - DAY,
        "due_at": now() + DAY,
        "solutions_closed": False,
    }
    rows = [AssignmentExercise(exercise_id=each.id, position=n, points=10) for n, each in enumerate(exercises)]
    return _kept(Assignment(cohort_id=cohort_id, exercises=rows, **{**columns, **more}))


def make_exercise(track: str = "sql", slug: str = "", *, files: dict[str, str] | None = None, **more: Any) -> Exercise:
    """A published exercise with one revision holding `files`."""
    number = next(_number)
    columns = {
        "title": f"Exercise {number}",
        "kind": "sql",
        "difficulty": 2,
        "minutes": 20,
        "skills": ["joins"],
        "languages": ["sql"],
    }
    exercise = Exercise(uuid=str(uuid4()), track=track, slug=slug or f"exercise-{number}", **{**columns, **more})
    revision = Revision(exercise=exercise, number=1, digest=f"{number:064x}", files=files or {"README.md": "# It"})
    exercise.current = revision
    db.session.add(revision)
    return _kept(exercise)


def make_draft(learner: User, exercise: Exercise, *, language: str = "sql", **more: Any) -> Draft:
    """What `learner` is editing."""
    return _kept(
        Draft(learner_id=learner.id, exercise_id=exercise.id, language=language, **{"files": {"a.sql": ""}, **more})
    )


def make_submission(learner: User, exercise: Exercise, *, verdict: str | None = None, **more: Any) -> Submission:
    """A submission of `learner`; judged if it has a verdict, else queued."""
    columns = {
        "revision_id": exercise.current_revision_id,
        "language": "sql",
        "files": {"answer.sql": "SELECT 1;"},
        "purpose": Purpose.SUBMIT,
        "seed": 1,
        "stage": Stage.JUDGED if verdict else Stage.QUEUED,
        "verdict": verdict,
    }
    return _kept(Submission(learner_id=learner.id, exercise_id=exercise.id, **{**columns, **more}))


def _kept(row: Any) -> Any:
    db.session.add(row)
    db.session.commit()
    return row
