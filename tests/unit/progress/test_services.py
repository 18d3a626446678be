"""What counts, what helped, and the figures read back, on both databases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.catalog.models import Exercise
from app.catalog.status import Status
from app.db import db, now
from app.progress import services
from app.progress.evidence import Wanted
from app.progress.figures import Result
from app.progress.models import Attempt, Help
from tests.conftest import Cast
from tests.factories import make_exercise

pytestmark = pytest.mark.both_databases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Ids of the exercises that these tests attempt."""

    joins: int
    windows: int
    tokens: int


@pytest.fixture
def shelf(app: Flask) -> Shelf:
    """Two exercises of the track sql, one of auth."""
    with app.app_context():
        return Shelf(
            joins=make_exercise("sql", "joins", skills=["joins"]).id,
            windows=make_exercise("sql", "windows", skills=["joins", "windows"], difficulty=3).id,
            tokens=make_exercise("auth", "tokens", skills=["tokens"]).id,
        )


def attempt(learner: int, exercise: int, submission: int, *, solved: bool = False, at: datetime = NOON) -> None:
    services.record_attempt(submission_id=submission, learner_id=learner, exercise_id=exercise, solved=solved, at=at)
    db.session.commit()


def helped_at(moment: datetime) -> None:
    db.session.execute(update(Help).values(at=moment))
    db.session.commit()


def recorded() -> list[tuple[int, bool, bool]]:
    rows = db.session.execute(select(Attempt.submission_id, Attempt.solved, Attempt.unaided).order_by(Attempt.id))
    return [(row.submission_id, row.solved, row.unaided) for row in rows]


def test_an_attempt_counts_once_however_often_it_is_recorded(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.joins, 1, solved=True)
        attempt(cast.lena, shelf.joins, 1, solved=False)
        assert recorded() == [(1, True, True)]


def test_recording_leaves_the_commit_to_the_caller(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        services.record_attempt(submission_id=1, learner_id=cast.lena, exercise_id=shelf.joins, solved=True, at=NOON)
        db.session.rollback()
        assert recorded() == []


def test_solving_without_help_is_unaided(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.joins, 1, solved=True)
        assert recorded() == [(1, True, True)]


def test_an_attempt_that_failed_is_never_unaided(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.joins, 1)
        assert recorded() == [(1, False, False)]


@pytest.mark.parametrize("solution", [False, True], ids=["hint", "solution"])
def test_help_opened_before_the_submission_makes_it_aided(app: Flask, cast: Cast, shelf: Shelf, solution: bool) -> None:
    with app.app_context():
        if solution:
            services.open_solution(cast.lena, shelf.joins)
        else:
            services.open_hint(cast.lena, shelf.joins, 1)
        helped_at(NOON - timedelta(seconds=1))
        attempt(cast.lena, shelf.joins, 1, solved=True)
        assert recorded() == [(1, True, False)]


def test_help_opened_while_the_submission_waited_for_its_verdict_does_not_count(
    app: Flask, cast: Cast, shelf: Shelf
) -> None:
    with app.app_context():
        services.open_hint(cast.lena, shelf.joins, 1)
        helped_at(NOON + timedelta(seconds=1))
        attempt(cast.lena, shelf.joins, 1, solved=True)
        assert recorded() == [(1, True, True)]


def test_help_of_others_or_for_other_exercises_does_not_count(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        services.open_hint(cast.olaf, shelf.joins, 1)
        services.open_hint(cast.lena, shelf.windows, 1)
        helped_at(NOON - timedelta(days=1))
        attempt(cast.lena, shelf.joins, 1, solved=True)
        assert recorded() == [(1, True, True)]


@pytest.mark.parametrize("helped", [False, True])
def test_an_attempt_that_comes_to_solve_is_unaided_as_it_was_when_sent(
    app: Flask, cast: Cast, shelf: Shelf, helped: bool
) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.joins, 1)
        attempt(cast.olaf, shelf.joins, 2)
        services.open_hint(cast.lena, shelf.joins, 1)
        helped_at(NOON - timedelta(seconds=1) if helped else NOON + timedelta(seconds=1))
        one = select(Attempt.submission_id).where(Attempt.submission_id == 1)
        assert services.change_attempts(one, solved=True) == 1
        assert recorded() == [(1, True, not helped), (2, False, False)]
        assert services.change_attempts(one, solved=True) == 0
        assert services.change_attempts(one, solved=False) == 1
        assert recorded() == [(1, False, False), (2, False, False)]


def test_opening_the_same_help_again_keeps_the_first_time(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        services.open_hint(cast.lena, shelf.joins, 2)
        helped_at(NOON)
        services.open_hint(cast.lena, shelf.joins, 2)
        services.open_solution(cast.lena, shelf.joins)
        opened = services.help_opened(cast.lena, shelf.joins)
        assert [one.position for one in opened] == [services.SOLUTION, 2]
        assert opened[1].at == NOON
        assert services.help_opened(cast.olaf, shelf.joins) == []


def test_hints_are_counted_from_one(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context(), pytest.raises(ValueError, match="counted from 1"):
        services.open_hint(cast.lena, shelf.joins, 0)


def test_the_catalogue_learns_what_was_tried_and_solved(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.joins, 1, solved=True)
        attempt(cast.lena, shelf.joins, 2)
        attempt(cast.lena, shelf.windows, 3)
        attempt(cast.olaf, shelf.tokens, 4, solved=True)
        assert services.statuses(cast.lena) == {shelf.joins: Status.SOLVED, shelf.windows: Status.TRIED}
        assert services.has_solved(cast.lena, shelf.joins)
        assert not services.has_solved(cast.lena, shelf.windows)
        assert not services.has_solved(cast.lena, shelf.tokens)


def test_each_figure_of_the_dashboard_is_the_number_of_its_rows(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.joins, 1)
        attempt(cast.lena, shelf.joins, 2, solved=True, at=NOON + timedelta(hours=1))
        services.open_hint(cast.lena, shelf.windows, 1)
        helped_at(NOON)
        attempt(cast.lena, shelf.windows, 3, solved=True, at=NOON + timedelta(hours=2))
        attempt(cast.lena, shelf.tokens, 4, at=NOON + timedelta(hours=3))
        attempt(cast.olaf, shelf.tokens, 5, solved=True)
        shown = services.dashboard(cast.lena, zone=UTC_ZONE, at=NOON + timedelta(hours=4))
        assert (shown.overall.tried, shown.overall.solved, shown.overall.unaided) == (3, 2, 1)
        for figure, scope in (
            [(shown.overall, {})]
            + [(figure, {"track": figure.name}) for figure in shown.tracks]
            + [(figure, {"skill": figure.name}) for figure in shown.skills]
        ):
            for result in Result:
                rows = services.attempts_behind(cast.lena, Wanted(result=result, **scope), zone=UTC_ZONE)
                assert len(rows) == getattr(figure, result.value)


def test_an_attempt_late_in_the_evening_utc_is_on_the_next_day_in_auckland(
    app: Flask, cast: Cast, shelf: Shelf
) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.joins, 1, at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
        shown = services.dashboard(
            cast.lena, zone=ZoneInfo("Pacific/Auckland"), at=datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
        )
        assert [day.on.isoformat() for day in shown.activity.latest_active] == ["2026-03-02"]
        assert shown.activity.streak == 1


def test_a_withdrawn_exercise_counts_only_for_those_who_attempted_it(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        attempt(cast.lena, shelf.tokens, 1, solved=True)
        db.session.execute(update(Exercise).where(Exercise.id == shelf.tokens).values(published=False))
        db.session.commit()
        lena = services.dashboard(cast.lena, zone=UTC_ZONE, at=now())
        olaf = services.dashboard(cast.olaf, zone=UTC_ZONE, at=now())
        assert (lena.overall.total, lena.overall.solved) == (3, 1)
        assert (olaf.overall.total, olaf.overall.solved) == (2, 0)


def test_two_workers_that_record_the_same_submission_leave_one_attempt(app: Flask, cast: Cast, shelf: Shelf) -> None:
    with app.app_context():
        for _ in range(2):
            services.record_attempt(
                submission_id=7, learner_id=cast.lena, exercise_id=shelf.joins, solved=True, at=NOON
            )
        db.session.commit()
        assert db.session.scalar(select(func.count(Attempt.id))) == 1
