"""Ivan's class has one assignment: two exercises, open since yesterday, due tomorrow, late for two days after that."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask

from app.assignments.models import Assignment
from app.db import db, now
from tests.factories import DAY, make_assignment, make_exercise
from tests.unit.submissions.exercises import double_it


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The assignment and its exercises, by id."""

    id: int
    cohort: int
    double: int  # an exercise with files, hints and a solution
    joins: int

    @property
    def path(self) -> str:
        """Where instructors find it."""
        return f"/instructor/cohorts/{self.cohort}/assignments/{self.id}"


@pytest.fixture
def week(app: Flask, cohort_id: int) -> Week:
    """The assignment."""
    with app.app_context():
        double, joins = double_it(), make_exercise("sql", "joins", title="Joins")
        made = make_assignment(
            cohort_id,
            double,
            joins,
            title="Week 1",
            hints_closed=True,
            solutions_closed=True,
            closes_at=now() + 3 * DAY,
        )
        return Week(id=made.id, cohort=cohort_id, double=double.id, joins=joins.id)


def change(app: Flask, week: Week, **columns: object) -> None:
    """Set columns of the assignment, past what its form allows."""
    with app.app_context():
        assignment = db.session.get_one(Assignment, week.id)
        for name, value in columns.items():
            setattr(assignment, name, value)
        db.session.commit()
