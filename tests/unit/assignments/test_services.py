"""Setting assignments, giving more time, and what both mean for a learner."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import User
from app.assignments import grading, learning, services
from app.assignments.models import Assignment, AssignmentExercise, Extension
from app.assignments.rules import Schedule, State
from app.assignments.services import Wanted
from app.audit.models import AuditEntry
from app.cohorts.services import archive, leave
from app.db import db, now
from app.errors import Invalid, NotFound
from app.notices.services import latest
from app.progress.services import record_attempt
from tests.conftest import Cast
from tests.factories import DAY, make_assignment, make_exercise
from tests.unit.assignments.conftest import Week

pytestmark = pytest.mark.both_databases


def person(user_id: int) -> User:
    return db.session.get_one(User, user_id)


def wanted(*exercises: tuple[int, int], title: str = "Week 2") -> Wanted:
    schedule = Schedule(opens_at=now(), due_at=now() + DAY, closes_at=None, late_percent=50)
    return Wanted(title=title, schedule=schedule, hints_closed=False, solutions_closed=True, exercises=exercises)


def attempt(number: int, learner: int, exercise: int, *, solved: bool = True, ago: timedelta = timedelta(0)) -> None:
    record_attempt(submission_id=number, learner_id=learner, exercise_id=exercise, solved=solved, at=now() - ago)
    db.session.commit()


def stored(assignment_id: int) -> list[tuple[int, int, int]]:
    own = select(AssignmentExercise).where(AssignmentExercise.assignment_id == assignment_id)
    found = db.session.scalars(own.order_by(AssignmentExercise.position))
    return [(each.position, each.exercise_id, each.points) for each in found]


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_an_assignment_is_set_in_its_order_and_the_members_are_told(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        made = services.create(person(cast.ivan), week.cohort, wanted((week.joins, 5), (week.double, 0)))
        assert stored(made.id) == [(0, week.joins, 5), (1, week.double, 0)]
        (notice,) = latest(cast.lena)
        assert (notice.text, notice.path) == ("New in Ivan's class: Week 2.", f"/assignments/{made.id}")
        assert latest(cast.olaf) == []
        assert actions() == ["assignment.created"]


def test_exercises_are_exchanged_reordered_and_worth_something_else(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        other = make_exercise().id
        services.edit(person(cast.ivan), week.cohort, week.id, wanted((other, 1), (week.double, 2)))
        assert stored(week.id) == [(0, other, 1), (1, week.double, 2)]
        services.edit(person(cast.ivan), week.cohort, week.id, wanted((week.joins, 3), (other, 4)))
        assert stored(week.id) == [(0, week.joins, 3), (1, other, 4)]
        assert actions() == ["assignment.changed"] * 2


def test_what_cannot_be_set_is_refused_by_field_and_changes_nothing(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        ivan, before = person(cast.ivan), stored(week.id)
        hidden = make_exercise(published=False).id
        fine = wanted((week.joins, 5))
        late = replace(fine.schedule, due_at=fine.schedule.opens_at)
        for bad, field in (
            (replace(fine, title=" "), "title"),
            (replace(fine, title="x" * 121), "title"),
            (replace(fine, schedule=late), "due_at"),
            (replace(fine, exercises=()), "exercises"),
            (replace(fine, exercises=((hidden, 1),)), "exercises"),
            (replace(fine, exercises=((987654, 1),)), "exercises"),
            (replace(fine, exercises=((week.joins, 1001),)), "exercises"),
            (replace(fine, exercises=tuple((n, 1) for n in range(51))), "exercises"),
        ):
            with pytest.raises(Invalid) as refused:
                services.edit(ivan, week.cohort, week.id, bad)
            assert refused.value.field == field
            db.session.rollback()
        assert stored(week.id) == before


def test_an_exercise_taken_off_later_may_stay(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        rows = db.session.get_one(Assignment, week.id).exercises
        rows[1].exercise.published = False
        db.session.commit()
        services.edit(person(cast.ivan), week.cohort, week.id, wanted((week.joins, 5)))
        assert stored(week.id) == [(0, week.joins, 5)]


def test_only_who_instructs_the_class_sets_and_reads(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        inge = person(cast.inge)
        for asked in (
            lambda: services.create(inge, week.cohort, wanted((week.joins, 5))),
            lambda: services.edit(inge, week.cohort, week.id, wanted((week.joins, 5))),
            lambda: services.remove(inge, week.cohort, week.id),
            lambda: services.extend(
                inge, week.cohort, week.id, learner_id=cast.lena, due_at=now() + 9 * DAY, reason=""
            ),
            lambda: grading.board(inge, week.cohort, None, show=grading.Show.ALL, at=now()),
        ):
            with pytest.raises(NotFound):
                asked()


def test_deleting_an_assignment_keeps_what_was_sent(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        attempt(1, cast.lena, week.joins)
        services.extend(
            person(cast.ivan), week.cohort, week.id, learner_id=cast.lena, due_at=now() + 9 * DAY, reason="ill"
        )
        services.remove(person(cast.ivan), week.cohort, week.id)
        assert db.session.scalars(select(Assignment)).all() == []
        assert db.session.scalars(select(Extension)).all() == []
        assert actions() == ["extension.given", "assignment.deleted"]


def test_the_later_word_on_an_extension_counts_and_both_are_logged(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        ivan, first, second = person(cast.ivan), now() + 5 * DAY, now() + 3 * DAY
        for due_at in (first, second):
            services.extend(ivan, week.cohort, week.id, learner_id=cast.lena, due_at=due_at, reason=" ill ")
        (given,) = services.extensions_of(week.id)
        assert (given.due_at, given.reason) == (second, "ill")
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [entry.action for entry in entries] == ["extension.given"] * 2
        assert entries[1].data["before"] == first.isoformat()
        assert latest(cast.lena)[0].text == "You have more time for Week 1."


def test_an_extension_is_for_members_and_later_than_the_due_date(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        for learner, due_at, reason, field in (
            (cast.olaf, now() + 5 * DAY, "", "learner"),
            (None, now() + 5 * DAY, "", "learner"),
            (10**30, now() + 5 * DAY, "", "learner"),
            (cast.lena, now(), "", "due_at"),
            (cast.lena, now() + 5 * DAY, "x" * 501, "reason"),
        ):
            with pytest.raises(Invalid) as refused:
                services.extend(
                    person(cast.ivan), week.cohort, week.id, learner_id=learner, due_at=due_at, reason=reason
                )
            assert refused.value.field == field


def test_a_learner_sees_their_own_dates_and_points(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        attempt(1, cast.lena, week.joins, ago=DAY)
        attempt(2, cast.lena, week.double, solved=False)
        attempt(3, cast.olaf, week.double)
        (task,) = learning.tasks_of(cast.lena, now())
        assert (task.state, task.solved, task.points, task.assignment.worth) == (State.OPEN, 1, 10, 20)
        assert [item.cell.result for item in task.items] == ["tried", "solved"]
        late = now() + 2 * DAY
        assert learning.task_of(cast.lena, week.id, late).state is State.LATE
        services.extend(
            person(cast.ivan), week.cohort, week.id, learner_id=cast.lena, due_at=now() + 9 * DAY, reason=""
        )
        extended = learning.task_of(cast.lena, week.id, late)
        assert (extended.state, extended.extended) == (State.OPEN, True)


def test_an_assignment_of_another_class_is_not_there(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        assert learning.tasks_of(cast.olaf, now()) == []
        for stranger in (cast.olaf, cast.ivan, cast.ada):
            with pytest.raises(NotFound):
                learning.task_of(stranger, week.id, now())
        leave(person(cast.lena), week.cohort)
        with pytest.raises(NotFound):
            learning.task_of(cast.lena, week.id, now())


def test_before_it_opens_the_exercises_are_not_told(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        task = learning.task_of(cast.lena, week.id, now() - 2 * DAY)
        assert (task.state, task.items) == (State.NOT_OPEN, ())


def test_help_is_closed_from_the_opening_until_it_is_due(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        closing = learning.closing_of(cast.lena, week.double, now())
        assert closing is not None and closing.because == "Week 1"
        assert closing.hints_until == closing.solution_until == db.session.get_one(Assignment, week.id).due_at
        for learner, exercise, at in (
            (cast.lena, week.double, now() - 2 * DAY),
            (cast.lena, week.double, now() + 2 * DAY),
            (cast.olaf, week.double, now()),
            (cast.lena, make_exercise().id, now()),
        ):
            assert learning.closing_of(learner, exercise, at) is None


def test_with_more_time_help_stays_closed_longer(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        services.extend(
            person(cast.ivan), week.cohort, week.id, learner_id=cast.lena, due_at=now() + 9 * DAY, reason=""
        )
        assert learning.closing_of(cast.lena, week.double, now() + 8 * DAY) is not None
        assert learning.closing_of(cast.lena, week.double, now() + 10 * DAY) is None


def test_of_two_assignments_the_one_due_last_says_until_when(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        double = db.session.get_one(Assignment, week.id).exercises[0].exercise
        longer = make_assignment(week.cohort, double, title="Week 2", due_at=now() + 5 * DAY, hints_closed=True)
        closing = learning.closing_of(cast.lena, week.double, now())
        assert closing is not None and closing.because == "Week 2"
        assert closing.hints_until == longer.due_at
        assert closing.solution_until is not None and closing.solution_until < longer.due_at


def test_an_archived_class_sets_nothing_more(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        archive(person(cast.ivan), week.cohort)
        assert learning.tasks_of(cast.lena, now()) == []
        assert learning.closing_of(cast.lena, week.double, now()) is None
        assert learning.task_of(cast.lena, week.id, now()).assignment.id == week.id  # can still be read
        assert grading.board(person(cast.ivan), week.cohort, None, show=grading.Show.ALL, at=now()).rows


def test_the_board_shows_every_member_and_counts_solutions(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        attempt(1, cast.lena, week.joins)
        attempt(2, cast.olaf, week.joins)  # not in the class
        shown = grading.board(person(cast.ivan), week.cohort, week.id, show=grading.Show.ALL, at=now())
        assert [(row.learner.name, row.points) for row in shown.rows] == [("Lena", 10)]
        assert shown.solved_by == (0, 1)
        attempt(3, cast.lena, week.double)
        missing = grading.board(person(cast.ivan), week.cohort, week.id, show=grading.Show.MISSING, at=now())
        assert (missing.rows, missing.members, missing.solved_by) == ((), 1, (1, 1))


def test_the_board_shows_what_opened_last_unless_asked(app: Flask, cast: Cast, week: Week) -> None:
    with app.app_context():
        joins = db.session.get_one(Assignment, week.id).exercises[1].exercise
        make_assignment(week.cohort, joins, title="To come", opens_at=now() + DAY, due_at=now() + 2 * DAY)
        ivan = person(cast.ivan)
        shown = grading.board(ivan, week.cohort, None, show=grading.Show.ALL, at=now())
        assert shown.assignment is not None and shown.assignment.title == "Week 1"
        with pytest.raises(NotFound):
            grading.board(ivan, week.cohort, 987654, show=grading.Show.ALL, at=now())
