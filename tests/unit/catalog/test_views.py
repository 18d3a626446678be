"""The catalogue page: what a visitor and a learner see, and what the filters in the URL leave."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from app.db import db
from app.progress.services import record_attempt
from app.submissions.verdict import Verdict
from tests.conftest import Cast
from tests.factories import NOON, make_exercise, make_submission

pytestmark = pytest.mark.both_databases


@pytest.fixture
def shelf(app: Flask, cast: Cast) -> Iterator[dict[str, int]]:
    """Four exercises: Lena solved joins, tried windows, and has not started the others."""
    with app.app_context():
        ids = {
            "joins": make_exercise("sql", "joins", title="Joins", skills=["joins"], difficulty=1),
            "windows": make_exercise("sql", "windows", title="Windows", skills=["windows"], difficulty=4, minutes=90),
            "cache": make_exercise(
                "caching", "cache", title="Cache", kind="calls", skills=["expiry"], languages=["python"]
            ),
            "hello": make_exercise(
                "welcome", "hello", title="Hello", kind="calls", skills=["text"], languages=["python"], minutes=3
            ),
        }
        make_exercise("sql", "gone", title="Gone", published=False)
        lena = db.session.get_one(User, cast.lena)
        for name, verdicts in (("joins", ("wrong answer", "accepted")), ("windows", ("wrong answer", "judge error"))):
            for verdict in verdicts:
                submission = make_submission(lena, ids[name], verdict=verdict)
                if verdict != Verdict.JUDGE_ERROR:
                    record_attempt(
                        submission_id=submission.id,
                        learner_id=lena.id,
                        exercise_id=ids[name].id,
                        solved=verdict == Verdict.ACCEPTED,
                        at=NOON,
                    )
        db.session.commit()
        numbers = {name: exercise.id for name, exercise in ids.items()}
    yield numbers


def titles(client: FlaskClient, query: str = "") -> list[str]:
    """The titles on the page, in order."""
    page = client.get(f"/exercises{query}")
    assert page.status_code == 200
    return re.findall(r'<a href="/exercises/[a-z]+/[a-z]+">(\w+)</a>', page.text)


def test_tracks_come_in_their_order_and_easy_ones_first(client: FlaskClient, shelf: dict[str, int]) -> None:
    assert titles(client) == ["Hello", "Joins", "Windows", "Cache"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=not-solved", ["Hello", "Windows", "Cache"]),
        ("?status=tried", ["Windows"]),
        ("?status=solved", ["Joins"]),
        ("?status=solved&status=tried", ["Joins", "Windows"]),
        ("?status=not-started&kind=calls&track=caching", ["Cache"]),
        ("?q=wind", ["Windows"]),
        ("?skill=joins&difficulty=1", ["Joins"]),
        ("?sort=hardest", ["Windows", "Hello", "Cache", "Joins"]),
        ("?sort=shortest", ["Hello", "Joins", "Cache", "Windows"]),
        ("?sort=title", ["Cache", "Hello", "Joins", "Windows"]),
        ("?sort=acceptance", ["Joins", "Windows", "Hello", "Cache"]),
        ("?q=nothing", []),
    ],
)
def test_filters_and_order(lena: FlaskClient, shelf: dict[str, int], query: str, found: list[str]) -> None:
    assert titles(lena, query) == found


def test_a_learner_sees_their_status_in_a_word_and_a_visitor_none(
    client: FlaskClient, lena: FlaskClient, olaf: FlaskClient, shelf: dict[str, int]
) -> None:
    def words(browser: FlaskClient) -> list[str]:
        return re.findall(r'table-cell">\s*<span class="gr-status-dot[^>]*>([\w ]+)<', browser.get("/exercises").text)

    assert words(lena) == ["Not started", "Solved", "Tried", "Not started"]
    assert words(olaf) == ["Not started"] * 4
    assert words(client) == []
    assert "1 of 2 solved" in lena.get("/exercises").text


def test_acceptance_counts_neither_runs_nor_judge_errors(client: FlaskClient, shelf: dict[str, int]) -> None:
    page = client.get("/exercises").text
    assert re.findall(r"(\d+) % accepted", page) == ["50", "0"]
    assert page.count("nothing judged yet") == 2


def test_an_empty_answer_offers_to_clear_the_filters(client: FlaskClient, shelf: dict[str, int]) -> None:
    page = client.get("/exercises?q=%3Cscript%3E").text
    assert "No exercise fits" in page and "Clear filters" in page
    assert '<script>"' not in page and 'value="&lt;script&gt;"' in page


def test_an_empty_catalogue_says_so(client: FlaskClient) -> None:
    assert "There are no exercises yet" in client.get("/exercises").text


def test_a_random_pick_fits_and_is_not_solved_yet(lena: FlaskClient, shelf: dict[str, int]) -> None:
    for _ in range(5):
        answer = lena.get("/exercises/random?track=sql")
        assert (answer.status_code, answer.location) == (303, "/exercises/sql/windows")
    assert lena.get("/exercises/random?skill=joins").location == "/exercises/sql/joins"


def test_a_random_pick_from_nothing_goes_back_with_the_filters(client: FlaskClient, shelf: dict[str, int]) -> None:
    answer = client.get("/exercises/random?q=nothing")
    assert (answer.status_code, answer.location) == (303, "/exercises?q=nothing")
    assert "No exercise fits these filters." in client.get("/exercises?q=nothing").text


def test_the_first_page_names_the_tracks(client: FlaskClient, shelf: dict[str, int]) -> None:
    page = client.get("/").text
    assert 'href="/exercises?track=sql"' in page and "2 exercises" in page
