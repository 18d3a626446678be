"""Seeing the site as a learner: who may, that nothing changes, and that it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.accounts.models import Role, User
from app.audit.models import AuditEntry
from app.catalog.models import Exercise
from app.cohorts.models import CohortMember
from app.db import db, now
from app.notices.services import count_unread, notify
from app.submissions.models import Draft, Submission
from tests.conftest import Cast
from tests.unit.submissions.exercises import ANSWER, URL, double_it

FORM = {"language": "python", "draft_version": "0", "purpose": "submit"}
FILES = {f"files[{path}]": text for path, text in ANSWER.items()}


def begin(browser: FlaskClient, learner_id: int) -> int:
    """Ask to see the site as a learner; return the status."""
    return browser.post(f"/instructor/learners/{learner_id}/act").status_code


def audited(app: Flask) -> list[tuple[str, int | None, str, Any]]:
    """Return what the log says: action, actor, subject and why it ended."""
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [
            (each.action.removeprefix("impersonation."), each.actor_id, each.subject, each.data.get("why"))
            for each in entries
            if each.action.startswith("impersonation.")
        ]


def test_an_instructor_sees_what_the_learner_sees_and_every_page_says_so(
    app: Flask, cast: Cast, ivan: FlaskClient
) -> None:
    with app.app_context():
        db.session.execute(update(User).where(User.id == cast.lena).values(name="Lena Learner"))
        db.session.commit()
    assert begin(ivan, cast.lena) == 303
    for path in ("/progress", "/exercises", "/settings", "/nothing"):
        page = ivan.get(path).text
        assert "You see the site as <strong>Lena Learner</strong>" in page
        assert 'action="/acting/stop"' in page
    assert "lena@example.com" in ivan.get("/settings").text
    assert ivan.get(f"/reports/learner/{cast.lena}").status_code == 200


def test_the_report_offers_it_to_those_who_may(cast: Cast, ivan: FlaskClient, lena: FlaskClient) -> None:
    button = f'action="/instructor/learners/{cast.lena}/act"'
    assert button in ivan.get(f"/reports/learner/{cast.lena}").text
    assert button not in lena.get(f"/reports/learner/{cast.lena}").text
    assert "/act" not in ivan.get(f"/reports/learner/{cast.ivan}").text


def test_stopping_leads_back_and_both_ends_are_in_the_log(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    begin(ivan, cast.lena)
    answer = ivan.post("/acting/stop")
    assert answer.headers["Location"] == f"/reports/learner/{cast.lena}"
    assert "ivan@example.com" in ivan.get("/settings").text
    assert audited(app) == [
        ("began", cast.ivan, f"user:{cast.lena}", None),
        ("ended", cast.ivan, f"user:{cast.lena}", "stopped"),
    ]
    assert ivan.post("/acting/stop").status_code == 303
    assert len(audited(app)) == 2


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", f"{URL}/submissions", {"data": {**FORM, **FILES}}),
        ("PUT", f"{URL}/draft", {"json": {"language": "python", "version": 0, "files": ANSWER}}),
        ("POST", f"{URL}/hints", {"data": {"language": "python", "position": "1"}}),
        ("POST", f"{URL}/solution", {"data": {"language": "python", "sure": "yes"}}),
        ("POST", "/settings", {"data": {"you-name": "Mallory"}}),
        ("POST", "/settings/password", {"data": {}}),
        ("POST", "/settings/sessions", {}),
        ("POST", "/notices/read", {}),
        ("DELETE", "/progress", {}),
        ("OPTIONS", "/progress", {}),
        ("POST", "/nothing", {}),
    ],
)
def test_nothing_can_be_changed(
    app: Flask, cast: Cast, ivan: FlaskClient, method: str, path: str, sent: dict[str, Any]
) -> None:
    with app.app_context():
        double_it()
        notify(cast.lena, "comment.added", "Ivan commented.", "/progress")
        db.session.commit()
    begin(ivan, cast.lena)
    answer = ivan.open(path, method=method, **sent)
    assert answer.status_code == 403
    assert "You see the site as Lena: nothing can be changed." in answer.text
    with app.app_context():
        assert list(db.session.scalars(select(Submission.id))) == list(db.session.scalars(select(Draft.id))) == []
        assert db.session.get_one(User, cast.lena).name == "Lena"
        assert count_unread(cast.lena) == 1


@pytest.mark.own_site
def test_a_page_that_writes_when_it_is_read_is_refused_too(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    def row() -> str:
        notify(cast.lena, "comment.added", "x", "/")
        db.session.commit()
        return "kept"

    def statement() -> str:
        db.session.execute(update(User).where(User.id == cast.lena).values(name="Mallory"))
        db.session.commit()
        return "kept"

    app.add_url_rule("/row", "row", row)
    app.add_url_rule("/statement", "statement", statement)
    begin(ivan, cast.lena)
    assert (ivan.get("/row").status_code, ivan.get("/statement").status_code) == (403, 403)
    with app.app_context():
        assert count_unread(cast.lena) == 0
        assert db.session.get_one(User, cast.lena).name == "Lena"
    ivan.post("/acting/stop")
    assert ivan.get("/row").text == "kept"


@pytest.mark.parametrize("path", ["/instructor/exercises", "/instructor/learners", "/admin/audit"])
def test_pages_of_staff_are_closed_meanwhile(cast: Cast, ada: FlaskClient, path: str) -> None:
    assert ada.get(path).status_code == 200
    begin(ada, cast.lena)
    assert ada.get(path).status_code == 403
    ada.post("/acting/stop")
    assert ada.get(path).status_code == 200


def test_it_does_not_nest(app: Flask, cast: Cast, ada: FlaskClient) -> None:
    begin(ada, cast.lena)
    assert begin(ada, cast.olaf) == 403
    assert "as <strong>Lena" in ada.get("/progress").text
    assert len(audited(app)) == 1


def test_only_those_who_may_read_a_learner_see_the_site_as_them(
    cast: Cast, ivan: FlaskClient, inge: FlaskClient, ada: FlaskClient, olaf: FlaskClient, client: FlaskClient
) -> None:
    assert begin(client, cast.lena) == 303  # to sign in
    assert "You see the site as" not in client.get("/exercises").text
    assert begin(olaf, cast.lena) == 403
    assert begin(inge, cast.lena) == 404
    assert begin(ivan, cast.olaf) == 404
    assert begin(ivan, 987654) == 404
    assert begin(ada, cast.olaf) == 303


def test_nobody_sees_the_site_as_staff_or_as_themselves(
    app: Flask, cast: Cast, ivan: FlaskClient, ada: FlaskClient
) -> None:
    assert begin(ada, cast.ivan) == begin(ada, cast.ada) == begin(ivan, cast.ivan) == 403
    assert begin(ivan, cast.ada) == 404
    assert audited(app) == []


def test_it_ends_by_itself_after_half_an_hour(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        begin(ivan, cast.lena)
        clock.shift(timedelta(minutes=29, seconds=59))
        assert "as <strong>Lena" in ivan.get("/progress").text
        clock.shift(timedelta(seconds=1))
        page = ivan.get("/settings").text
    assert "You see the site as yourself again." in page and "ivan@example.com" in page
    assert audited(app)[1:] == [("ended", cast.ivan, f"user:{cast.lena}", "time is over")]


def test_what_is_sent_after_the_end_is_not_done_in_the_name_of_the_instructor(
    app: Flask, cast: Cast, ivan: FlaskClient
) -> None:
    with app.app_context():
        double_it()
    with time_machine.travel(now(), tick=False) as clock:
        begin(ivan, cast.lena)
        clock.shift(timedelta(minutes=31))
        answer = ivan.post(f"{URL}/submissions", data={**FORM, **FILES})
    assert answer.status_code == 403
    assert "yourself again" in answer.text
    with app.app_context():
        assert list(db.session.scalars(select(Submission.id))) == []


def test_a_form_of_meanwhile_is_dead_afterwards(cast: Cast, ivan: FlaskClient) -> None:
    def token() -> object:
        with ivan.session_transaction() as session:
            return session.get("csrf_token")

    ivan.get("/settings")
    before = token()
    begin(ivan, cast.lena)
    ivan.get("/settings")
    meanwhile = token()
    ivan.post("/acting/stop")
    ivan.get("/settings")
    assert len({before, meanwhile, token(), None}) == 4


def test_it_ends_when_the_learner_leaves_the_class_or_becomes_staff(
    app: Flask, cast: Cast, ivan: FlaskClient, ada: FlaskClient
) -> None:
    begin(ivan, cast.lena)
    begin(ada, cast.olaf)
    with app.app_context():
        db.session.delete(db.session.scalars(select(CohortMember)).one())
        db.session.execute(update(User).where(User.id == cast.olaf).values(role=Role.INSTRUCTOR))
        db.session.commit()
    assert "ivan@example.com" in ivan.get("/settings").text
    assert "ada@example.com" in ada.get("/settings").text
    assert {each[3] for each in audited(app)} == {None, "no longer allowed"}


def test_signing_out_ends_it(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    begin(ivan, cast.lena)
    assert ivan.post("/sign-out").status_code == 303
    assert audited(app)[1:] == [("ended", cast.ivan, f"user:{cast.lena}", "signed out")]
    assert ivan.get("/settings").status_code == 303


def test_the_session_stays_the_instructors(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    begin(ivan, cast.lena)
    with ivan.session_transaction() as session:
        assert session["_user_id"] == f"{cast.ivan}.0"
    with app.app_context():
        db.session.execute(update(User).where(User.id == cast.ivan).values(session_epoch=1))
        db.session.commit()
    assert ivan.get("/settings").status_code == 303  # his session was ended elsewhere: nothing of Lena's is left
    assert ivan.get("/exercises").status_code == 200


def test_a_learner_is_untouched_by_being_looked_at(
    app: Flask, cast: Cast, ivan: FlaskClient, lena: FlaskClient
) -> None:
    with app.app_context():
        double_it()
        assert db.session.scalars(select(Exercise)).one()
    begin(ivan, cast.lena)
    for path in ("/progress", URL, "/notices", "/settings"):
        assert ivan.get(path).status_code == 200
    assert "You see the site as" not in lena.get("/progress").text
    with app.app_context():
        assert list(db.session.scalars(select(Draft.id))) == []
