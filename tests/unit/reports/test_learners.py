"""The list of learners, for instructors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from app.db import db
from app.progress import services
from app.progress.evidence import Wanted
from app.progress.figures import Result
from app.reports.learners import PER_PAGE, Order, find_learners
from tests.conftest import Cast
from tests.factories import make_exercise, make_person

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ada_of(cast: Cast) -> User:
    """Ada, who reads about everybody."""
    return db.session.get_one(User, cast.ada)


def attempts(learner: int, first_submission: int, *outcomes: bool) -> None:
    """Record one attempt at a new exercise per outcome; and the last one a second time."""
    for n, solved in enumerate([*outcomes, outcomes[-1]]):
        if n < len(outcomes):
            exercise = make_exercise().id
        services.record_attempt(
            submission_id=first_submission + n,
            learner_id=learner,
            exercise_id=exercise,
            solved=solved,
            at=NOON + timedelta(days=first_submission, hours=n),
        )
    db.session.commit()


@pytest.mark.both_databases
def test_each_learner_is_counted_by_exercises_not_by_attempts(app: Flask, cast: Cast) -> None:
    with app.app_context():
        attempts(cast.lena, 10, False, True, True)
        rows = {row.name: row for row in find_learners(reader=ada_of(cast)).rows}
        assert set(rows) == {"Lena", "Olaf"}  # instructors and admins are not learners
        lena, olaf = rows["Lena"], rows["Olaf"]
        assert (lena.tried, lena.solved, lena.unaided) == (3, 2, 2)
        assert lena.last_at == NOON + timedelta(days=10, hours=3)
        assert (olaf.tried, olaf.solved, olaf.unaided, olaf.last_at) == (0, 0, 0, None)


@pytest.mark.both_databases
def test_the_list_and_the_report_agree(app: Flask, cast: Cast) -> None:
    with app.app_context():
        attempts(cast.lena, 10, False, True, True)
        lena = next(row for row in find_learners(reader=ada_of(cast)).rows if row.id == cast.lena)
        for result in Result:
            rows = services.attempts_behind(cast.lena, Wanted(result=result), zone=services.ZoneInfo("UTC"))
            assert getattr(lena, result.value) == len(rows)


@pytest.mark.both_databases
def test_learners_are_found_by_part_of_name_or_email_in_any_case(app: Flask, cast: Cast) -> None:
    with app.app_context():
        make_person("Percy 100%", email="percy@school.example")
        assert [row.name for row in find_learners(reader=ada_of(cast), query="LEN").rows] == ["Lena"]
        assert [row.name for row in find_learners(reader=ada_of(cast), query="school").rows] == ["Percy 100%"]
        assert [row.name for row in find_learners(reader=ada_of(cast), query="0%").rows] == ["Percy 100%"]
        assert [row.name for row in find_learners(reader=ada_of(cast), query="%").rows] == ["Percy 100%"]
        assert find_learners(reader=ada_of(cast), query="ivan").rows == []


@pytest.mark.both_databases
def test_the_list_sorts_by_name_activity_and_success(app: Flask, cast: Cast) -> None:
    with app.app_context():
        anna = make_person("anna").id
        attempts(cast.lena, 10, True, True)
        attempts(cast.olaf, 20, True)
        assert [row.name for row in find_learners(reader=ada_of(cast)).rows] == ["anna", "Lena", "Olaf"]
        assert [row.name for row in find_learners(reader=ada_of(cast), order=Order.ACTIVE).rows] == [
            "Olaf",
            "Lena",
            "anna",
        ]
        assert [row.name for row in find_learners(reader=ada_of(cast), order=Order.SOLVED).rows] == [
            "Lena",
            "Olaf",
            "anna",
        ]
        assert anna


def test_long_lists_come_in_pages_and_no_page_is_out_of_range(app: Flask, cast: Cast) -> None:
    with app.app_context():
        db.session.add_all(
            User(name=f"P{n:03}", email=f"p{n:03}@example.com", password_hash="x") for n in range(PER_PAGE)
        )
        db.session.commit()
        first, last = find_learners(reader=ada_of(cast), page=-5), find_learners(reader=ada_of(cast), page=10**9)
        assert (first.page, last.page, last.pages, last.total) == (1, 2, 2, PER_PAGE + 2)
        assert {row.id for row in first.rows}.isdisjoint(row.id for row in last.rows)
        assert len(first.rows) + len(last.rows) == PER_PAGE + 2


@pytest.mark.parametrize(("reader", "status"), [("client", 303), ("lena", 403), ("ivan", 200), ("ada", 200)])
def test_only_instructors_see_the_list(app: Flask, request: pytest.FixtureRequest, reader: str, status: int) -> None:
    browser: FlaskClient = request.getfixturevalue(reader)
    assert browser.get("/instructor/learners").status_code == status


@pytest.mark.both_databases
def test_an_instructor_sees_the_learners_of_their_classes_alone(app: Flask, cast: Cast) -> None:
    with app.app_context():
        ivan, inge = db.session.get_one(User, cast.ivan), db.session.get_one(User, cast.inge)
        assert [row.name for row in find_learners(reader=ivan).rows] == ["Lena"]
        assert find_learners(reader=ivan, query="olaf").rows == []
        assert find_learners(reader=inge).total == 0


def test_an_instructor_without_learners_is_told_where_they_come_from(inge: FlaskClient) -> None:
    assert "No learners yet" in inge.get("/instructor/learners").text


def test_the_list_links_each_report_and_keeps_the_search(cast: Cast, ada: FlaskClient) -> None:
    page = ada.get("/instructor/learners?q=lena&sort=active").text
    assert f'href="/reports/learner/{cast.lena}"' in page
    assert f'href="/reports/learner/{cast.olaf}"' not in page
    assert 'value="lena"' in page


def test_a_search_without_a_match_says_so(cast: Cast, ivan: FlaskClient) -> None:
    assert "No name or email holds" in ivan.get("/instructor/learners?q=zzz").text


@pytest.mark.parametrize("query", ["sort=worst", "page=x", "page=0", "page=-1", "q=%27%22%3Cb%3E"])
def test_an_odd_query_still_gives_a_list(cast: Cast, ivan: FlaskClient, query: str) -> None:
    answer = ivan.get(f"/instructor/learners?{query}")
    assert answer.status_code == 200
    assert "<b>" not in answer.text
