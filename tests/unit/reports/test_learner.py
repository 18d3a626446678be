"""The report of one learner, who may read it, and its CSV."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

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
NUMBER = re.compile(r'<a href="(/reports/learner/\d+/attempts\?result=[^"]*)"[^>]*>(\d+)</a>')
PATHS = ["/reports/learner/{}", "/reports/learner/{}.csv", "/reports/learner/{}/attempts"]


@pytest.fixture
def submissions(app: Flask, cast: Cast) -> list[int]:
    """Lena fails at Joins, then solves it; she solves Windows after a hint; she has not started Tokens."""
    with app.app_context():
        lena = db.session.get_one(User, cast.lena)
        joins = make_exercise("sql", "joins", title="Joins")
        windows = make_exercise("sql", "windows", title="Windows", skills=["windows"])
        make_exercise("auth", "tokens", title="Tokens", skills=["tokens"])
        services.open_hint(cast.lena, windows.id, 1)
        db.session.execute(update(services.Help).values(at=NOON))
        ids = []
        for n, (exercise, solved) in enumerate([(joins, False), (joins, True), (windows, True)], start=1):
            at = NOON + timedelta(hours=n)
            made = make_submission(lena, exercise, verdict="accepted" if solved else "wrong answer", created_at=at)
            services.record_attempt(
                submission_id=made.id, learner_id=cast.lena, exercise_id=exercise.id, solved=solved, at=at
            )
            ids.append(made.id)
        db.session.commit()
        return ids


def read_csv(browser: FlaskClient, learner: int) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get(f"/reports/learner/{learner}.csv").text, newline="")))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("reader", "status"), [("client", 303), ("olaf", 404), ("lena", 200), ("ivan", 200), ("inge", 404), ("ada", 200)]
)
def test_a_report_is_for_the_learner_their_instructors_and_admins(
    request: pytest.FixtureRequest, cast: Cast, path: str, reader: str, status: int
) -> None:
    browser: FlaskClient = request.getfixturevalue(reader)
    assert browser.get(path.format(cast.lena)).status_code == status


@pytest.mark.parametrize("path", PATHS)
def test_a_report_of_somebody_else_and_of_nobody_look_the_same(
    cast: Cast, olaf: FlaskClient, ivan: FlaskClient, path: str
) -> None:
    others, nobodys = olaf.get(path.format(cast.lena)), olaf.get(path.format(987654))
    assert (others.status_code, nobodys.status_code) == (404, 404)
    assert "Lena" not in others.text
    assert ivan.get(path.format(987654)).status_code == 404
    assert ivan.get(path.format(10**30)).status_code == 404


@pytest.mark.both_databases
def test_the_report_says_what_was_solved_how_and_by_which_rule(
    cast: Cast, submissions: list[int], ivan: FlaskClient
) -> None:
    page = " ".join(ivan.get(f"/reports/learner/{cast.lena}").text.split())
    assert "Lena" in page
    assert re.search(r"<dt>Solved of 3</dt> <dd> ?<a [^>]*>2</a> ?</dd>", page)
    assert re.search(r"<dt>Solved unaided</dt> <dd> ?<a [^>]*>1</a> ?</dd>", page)
    assert "with help" in page
    assert "How this is counted" in page
    assert "passed every check" in page
    for submission_id in submissions[1:]:
        assert f'href="/submissions/{submission_id}"' in page


@pytest.mark.both_databases
def test_each_number_of_the_report_opens_to_as_many_rows(cast: Cast, submissions: list[int], ivan: FlaskClient) -> None:
    links = NUMBER.findall(ivan.get(f"/reports/learner/{cast.lena}").text)
    assert len(links) >= 9
    for url, number in links:
        rows = ivan.get(url.replace("&amp;", "&")).text
        assert rows.count('href="/submissions/') == int(number), url


@pytest.mark.both_databases
def test_the_csv_has_one_row_per_exercise_with_ids_and_iso_times(
    cast: Cast, submissions: list[int], lena: FlaskClient
) -> None:
    rows = {row["title"]: row for row in read_csv(lena, cast.lena)}
    assert set(rows) == {"Joins", "Windows", "Tokens"}
    joins = rows["Joins"]
    assert joins["learner_id"] == str(cast.lena)
    assert (joins["status"], joins["attempts"], joins["attempts_needed"]) == ("solved", "2", "2")
    assert (joins["first_attempt_at"], joins["solved_at"]) == ("2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z")
    assert (joins["unaided"], rows["Windows"]["unaided"]) == ("yes", "no")
    assert joins["solving_submission_id"] == str(submissions[1])
    assert (rows["Tokens"]["status"], rows["Tokens"]["attempts_needed"]) == ("not started", "")


def test_the_csv_is_a_file_in_utf_8_with_a_header(cast: Cast, submissions: list[int], lena: FlaskClient) -> None:
    answer = lena.get(f"/reports/learner/{cast.lena}.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.data.split(b"\r\n")[0].startswith(b"learner_id,learner_name,")


def test_a_name_that_is_a_formula_stays_text_in_the_csv(
    app: Flask, cast: Cast, submissions: list[int], ivan: FlaskClient
) -> None:
    with app.app_context():
        db.session.execute(update(User).where(User.id == cast.lena).values(name='=HYPERLINK("http://x")'))
        db.session.commit()
    assert {row["learner_name"] for row in read_csv(ivan, cast.lena)} == {'\'=HYPERLINK("http://x")'}


def test_a_learner_without_attempts_has_a_report_too(cast: Cast, olaf: FlaskClient) -> None:
    page = olaf.get(f"/reports/learner/{cast.olaf}").text
    assert "no attempts yet" in page
    assert "No exercise solved yet." in page


def test_the_report_carries_no_style_attribute(cast: Cast, submissions: list[int], lena: FlaskClient) -> None:
    assert not re.search(r"<[^>]*\sstyle\s*=", lena.get(f"/reports/learner/{cast.lena}").text)
