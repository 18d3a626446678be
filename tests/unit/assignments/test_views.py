"""The pages of assignments, and what they change on others."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.accounts.models import User
from app.assignments.models import Assignment
from app.db import db, now
from app.progress.models import Help
from app.progress.services import open_hint, record_attempt
from tests.conftest import Cast
from tests.factories import DAY, make_exercise
from tests.unit.assignments.conftest import Week, change
from tests.unit.submissions.exercises import URL

TIMES = {"opens_at": "2026-03-02T08:00", "due_at": "2026-03-09T23:59", "closes_at": "", "late_percent": "50"}


def form(week: Week, **more: object) -> dict[str, object]:
    """Return what the form of an assignment sends."""
    return {
        "title": "Week 2",
        **TIMES,
        "exercise": [str(week.joins)],
        f"points-{week.joins}": "7",
        "do": "save",
        **more,
    }


def attempt(app: Flask, number: int, learner: int, exercise: int, *, solved: bool = True) -> None:
    with app.app_context():
        record_attempt(submission_id=number, learner_id=learner, exercise_id=exercise, solved=solved, at=now())
        db.session.commit()


def test_times_are_typed_in_the_instructors_time_zone(app: Flask, cast: Cast, ivan: FlaskClient, week: Week) -> None:
    with app.app_context():
        db.session.execute(update(User).where(User.id == cast.ivan).values(time_zone="America/New_York"))
        db.session.commit()
    made = ivan.post(f"/instructor/cohorts/{week.cohort}/assignments/new", data=form(week))
    number = int(made.headers["Location"].rpartition("=")[2])
    with app.app_context():
        stored = db.session.get_one(Assignment, number)
        assert stored.opens_at == datetime(2026, 3, 2, 13, 0, tzinfo=UTC)  # winter
        assert stored.due_at == datetime(2026, 3, 10, 3, 59, tzinfo=UTC)  # summer time has begun
        assert [(each.exercise_id, each.points) for each in stored.exercises] == [(week.joins, 7)]
    page = ivan.get(f"/instructor/cohorts/{week.cohort}/assignments/{number}").text
    assert 'value="2026-03-09T23:59"' in page
    assert "Times in America/New_York" in page


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"title": ""}, "Enter a title."),
        ({"due_at": "soon"}, "Enter day and time like"),
        ({"due_at": "9999-12-31T23:59"}, "Enter day and time like"),
        ({"due_at": ""}, "Enter when it is due."),
        ({"due_at": "2026-03-01T08:00"}, "Choose a due date after the opening."),
        ({"closes_at": "2026-03-01T08:00"}, "Choose a time after the due date"),
        ({"late_percent": "101"}, "0 to 100 percent"),
        ({"exercise": []}, "Choose 1 to 50 exercises."),
        ({"exercise": ["x"]}, "Choose exercises from the list."),
        ({"exercise": ["987654"]}, "no longer offered"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    ivan: FlaskClient, week: Week, more: dict[str, object], said: str
) -> None:
    answer = ivan.post(f"/instructor/cohorts/{week.cohort}/assignments/new", data=form(week, **more))
    assert answer.status_code == 422
    assert said in answer.text
    for name, value in {"title": "Week 2", **TIMES, **more}.items():
        if isinstance(value, str) and value:
            assert re.search(rf'name="{name}"[^>]*value="{value}"', " ".join(answer.text.split())), name
    assert 'value="7"' in answer.text


def test_points_that_are_no_number_are_said_at_the_list(ivan: FlaskClient, week: Week) -> None:
    sent = form(week, **{f"points-{week.joins}": "many"})
    answer = ivan.post(f"/instructor/cohorts/{week.cohort}/assignments/new", data=sent)
    assert answer.status_code == 422
    assert "Points are whole numbers from 0 to 1000." in answer.text
    assert 'value="many"' in answer.text


def test_looking_for_exercises_keeps_what_was_typed_and_chosen(app: Flask, ivan: FlaskClient, week: Week) -> None:
    with app.app_context():
        make_exercise("auth", title="Tokens that rotate")
        make_exercise("auth", title="Sessions")
    sent = form(week, do="find", q="rotate", due_at="half typed")
    answer = ivan.post(f"/instructor/cohorts/{week.cohort}/assignments/new", data=sent)
    assert answer.status_code == 200
    page = " ".join(answer.text.split())
    assert "Tokens that rotate" in page and "Sessions" not in page
    assert re.search(rf'value="{week.joins}" checked', page)
    assert 'value="half typed"' in page and "invalid-feedback" not in page


def test_places_say_the_order(app: Flask, ivan: FlaskClient, week: Week) -> None:
    ticked = [str(week.double), str(week.joins)]
    sent = form(week, exercise=ticked, **{f"position-{week.double}": "2", f"position-{week.joins}": "1"})
    assert ivan.post(week.path, data=sent).status_code == 303
    with app.app_context():
        rows = db.session.get_one(Assignment, week.id).exercises
        assert [each.exercise_id for each in rows] == [week.joins, week.double]


def test_an_assignment_is_deleted(app: Flask, ivan: FlaskClient, week: Week) -> None:
    page = ivan.post(f"{week.path}/delete", follow_redirects=True).text
    assert "The assignment is deleted." in page and "No assignment yet" in page


def test_the_board_opens_every_cell_to_what_is_behind_it(app: Flask, cast: Cast, ivan: FlaskClient, week: Week) -> None:
    attempt(app, 41, cast.lena, week.joins)
    attempt(app, 42, cast.lena, week.double, solved=False)
    page = ivan.get(f"/instructor/cohorts/{week.cohort}").text
    assert 'href="/submissions/41">10 points' in page
    assert f'href="/reports/learner/{cast.lena}/attempts?exercise={week.double}"' in page
    assert "1 of 1 solved" in page
    assert "Olaf" not in page
    for query, status in (("assignment=x", 404), ("assignment=999999", 404), ("assignment=&show=odd", 200)):
        assert ivan.get(f"/instructor/cohorts/{week.cohort}?{query}").status_code == status


def test_the_results_are_a_csv_with_names_ids_and_times(app: Flask, cast: Cast, ivan: FlaskClient, week: Week) -> None:
    attempt(app, 41, cast.lena, week.joins)
    with app.app_context():
        db.session.execute(update(User).where(User.id == cast.lena).values(name="=Lena"))
        db.session.commit()
    answer = ivan.get(f"{week.path}.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["title"] for row in rows] == ["Double it", "Joins"]
    assert {row["learner_name"] for row in rows} == {"'=Lena"}
    assert (rows[1]["result"], rows[1]["points"], rows[1]["solving_submission_id"]) == ("solved", "10", "41")
    assert rows[1]["solved_at"].endswith("Z")
    assert (rows[0]["result"], rows[0]["solved_at"]) == ("not started", "")


def test_a_class_without_members_or_assignments_says_what_to_do(inge: FlaskClient, cast: Cast) -> None:
    where = inge.post("/instructor/cohorts", data={"name": "New"}).headers["Location"].removesuffix("/members")
    assert "No assignment yet" in inge.get(where).text


def test_more_time_is_given_and_shown_to_the_learner(
    app: Flask, cast: Cast, ivan: FlaskClient, lena: FlaskClient, week: Week
) -> None:
    sent = {"learner": str(cast.lena), "due_at": "2099-01-01T12:00", "reason": "ill"}
    page = ivan.post(f"{week.path}/extensions", data=sent, follow_redirects=True).text
    assert "The extension is given" in page and "ill" in page
    own = lena.get(f"/assignments/{week.id}").text
    assert "extended for you" in own and "1 Jan 2099" in own and "reason" not in own.lower()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"due_at": "2000-01-01T12:00"}, "after the due date"),
        ({"due_at": "never"}, "Enter day and time like"),
        ({"learner": "987654"}, "Choose a member"),
        ({"reason": "x" * 501}, "Keep the reason below"),
    ],
)
def test_an_extension_that_cannot_be_is_said_at_its_field(
    ivan: FlaskClient, cast: Cast, week: Week, more: dict[str, str], said: str
) -> None:
    sent = {"learner": str(cast.lena), "due_at": "2099-01-01T12:00", "reason": "because", **more}
    answer = ivan.post(f"{week.path}/extensions", data=sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert sent["due_at"] in answer.text and sent["reason"] in answer.text


def test_the_dashboard_says_what_is_due_also_to_newcomers(app: Flask, lena: FlaskClient, week: Week) -> None:
    page = " ".join(lena.get("/progress").text.split())
    assert f'href="/assignments/{week.id}"' in page
    assert "Ivan&#39;s class · 0 of 2 solved" in page
    change(app, week, opens_at=now() - 3 * DAY, due_at=now() - DAY)
    assert "was due" in lena.get("/progress").text
    change(app, week, closes_at=now() - DAY / 2)
    assert f'href="/assignments/{week.id}"' not in lena.get("/progress").text
    assert f'href="/assignments/{week.id}"' in lena.get("/assignments").text


def test_before_it_opens_a_learner_reads_when_and_not_what(app: Flask, lena: FlaskClient, week: Week) -> None:
    change(app, week, opens_at=now() + DAY / 2)
    page = lena.get(f"/assignments/{week.id}").text
    assert "Not open yet" in page and "Double it" not in page
    assert "opens" in lena.get("/progress").text


def test_hints_and_solution_are_closed_on_the_page_and_behind_it(
    app: Flask, cast: Cast, lena: FlaskClient, week: Week
) -> None:
    page = lena.get(URL).text
    assert "Hints are closed until" in page and "The solution opens on" in page
    assert "Give up" not in page and "Show hint" not in page
    hint = lena.post(f"{URL}/hints", data={"position": "1"})
    solution = lena.post(f"{URL}/solution", data={"sure": "yes"})
    assert (hint.status_code, solution.status_code) == (403, 403)
    assert "Hints are closed until the assignment “Week 1” is due." in hint.text
    assert "The solution is closed until the assignment “Week 1” is due." in solution.text
    with app.app_context():
        assert db.session.scalars(select(Help)).all() == []


def test_a_solution_is_closed_to_those_who_solved_it_too_and_hints_once_opened_stay(
    app: Flask, cast: Cast, lena: FlaskClient, week: Week
) -> None:
    with app.app_context():
        open_hint(cast.lena, week.double, 1)
    attempt(app, 41, cast.lena, week.double)
    page = lena.get(URL).text
    assert "First hint." in page and "Second hint." not in page
    assert "# the reference" not in page
    change(app, week, opens_at=now() - 3 * DAY, due_at=now() - DAY)
    assert "# the reference" in lena.get(URL).text
    assert lena.post(f"{URL}/hints", data={"position": "2"}).status_code == 303


def test_who_is_not_in_the_class_finds_help_open(olaf: FlaskClient, week: Week) -> None:
    assert "Show hint 1" in olaf.get(URL).text
    assert olaf.post(f"{URL}/hints", data={"position": "1"}).status_code == 303


def test_a_learner_without_a_class_is_told_so(olaf: FlaskClient) -> None:
    assert "No assignments" in olaf.get("/assignments").text
