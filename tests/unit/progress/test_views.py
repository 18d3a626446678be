"""The dashboard and the attempts behind its figures, as a learner sees them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.accounts.models import User
from app.db import db
from app.progress import services
from tests.conftest import Cast
from tests.factories import make_exercise, make_submission

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = re.compile(r'<a href="(/progress/attempts\?result=[^"]*)"[^>]*>(\d+)</a>')


def attempted(app: Flask, cast: Cast, *, solved: bool = True, at: datetime = NOON, title: str = "Joins") -> int:
    """Give Lena one attempt at a new exercise and return the id of its submission."""
    with app.app_context():
        exercise = make_exercise("sql", title=title)
        lena = db.session.get_one(User, cast.lena)
        verdict = "accepted" if solved else "wrong answer"
        submission_id = make_submission(lena, exercise, verdict=verdict, created_at=at).id
        services.record_attempt(
            submission_id=submission_id, learner_id=cast.lena, exercise_id=exercise.id, solved=solved, at=at
        )
        db.session.commit()
        return submission_id


def test_a_newcomer_is_shown_where_to_begin(app: Flask, lena: FlaskClient) -> None:
    with app.app_context():
        make_exercise("sql", "hard", title="Something hard", difficulty=5)
        make_exercise("welcome", "hello", title="A first exercise", difficulty=1)
    page = lena.get("/progress").text
    assert "Nothing here yet" in page
    assert "A first exercise" in page
    assert "/exercises/welcome/hello" in page
    assert "Something hard" not in page


def test_a_newcomer_on_a_site_without_exercises_is_told_so(lena: FlaskClient) -> None:
    assert "There are no exercises to start with" in lena.get("/progress").text


def test_each_number_on_the_dashboard_opens_to_as_many_rows(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    attempted(app, cast)
    attempted(app, cast, solved=False)
    links = NUMBER.findall(lena.get("/progress").text)
    assert len(links) >= 9  # all, one track, one skill: tried, solved, unaided
    for url, number in links:
        rows = lena.get(url.replace("&amp;", "&")).text
        assert rows.count('href="/submissions/') == int(number), url


def test_the_dashboard_links_the_submission_behind_an_attempt(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    submission_id = attempted(app, cast)
    assert f'href="/submissions/{submission_id}"' in lena.get("/progress").text


def test_the_next_exercise_comes_with_its_reason(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    attempted(app, cast, solved=False, title="Not yet")
    page = lena.get("/progress").text
    assert "You tried it once and have not solved it yet." in page


def test_times_are_in_the_learners_zone(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    attempted(app, cast, at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    with app.app_context():
        db.session.execute(update(User).where(User.id == cast.lena).values(time_zone="Pacific/Auckland"))
        db.session.commit()
    assert "2 Mar 2026, 12:30" in lena.get("/progress").text
    assert 'href="/submissions/' in lena.get("/progress/attempts?day=2026-03-02").text
    assert 'href="/submissions/' not in lena.get("/progress/attempts?day=2026-03-01").text


def test_nobody_sees_the_attempts_of_another(app: Flask, cast: Cast, olaf: FlaskClient) -> None:
    attempted(app, cast)
    assert 'href="/submissions/' not in olaf.get("/progress").text
    assert 'href="/submissions/' not in olaf.get("/progress/attempts").text


def test_a_figure_nobody_counts_is_an_empty_list(lena: FlaskClient) -> None:
    page = lena.get("/progress/attempts?result=solved&track=nowhere")
    assert page.status_code == 200
    assert "No attempt counts for this figure" in page.text


@pytest.mark.parametrize("query", ["result=best", "exercise=x", "day=2026-02-30", "day=yesterday"])
def test_a_figure_that_cannot_be_is_not_found(lena: FlaskClient, query: str) -> None:
    assert lena.get(f"/progress/attempts?{query}").status_code == 404


@pytest.mark.parametrize("path", ["/progress", "/progress/attempts?result=solved"])
def test_a_visitor_is_sent_to_sign_in_and_back(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 303
    target = urlsplit(answer.headers["Location"])
    assert (target.path, parse_qs(target.query)["next"]) == ("/sign-in", [path])


def test_titles_are_text_never_markup(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    attempted(app, cast, title="<script>alert(1)</script>")
    for path in ("/progress", "/progress/attempts"):
        page = lena.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_no_page_of_progress_carries_a_style_attribute(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    attempted(app, cast)
    for path in ("/progress", "/progress/attempts"):
        assert not re.search(r"<[^>]*\sstyle\s*=", lena.get(path).text)
