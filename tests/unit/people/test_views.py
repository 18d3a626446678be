"""Admins find people and change their roles; nobody else does."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import User
from app.audit.models import AuditEntry
from app.db import db
from app.people.services import PER_PAGE, find_people
from tests.conftest import Cast
from tests.factories import make_person


@pytest.mark.parametrize(("reader", "status"), [("client", 303), ("lena", 403), ("ivan", 403), ("ada", 200)])
def test_the_list_is_for_admins(request: pytest.FixtureRequest, cast: Cast, reader: str, status: int) -> None:
    browser: FlaskClient = request.getfixturevalue(reader)
    assert browser.get("/admin/people").status_code == status


@pytest.mark.both_databases
def test_people_are_found_by_name_email_and_role(app: Flask, cast: Cast) -> None:
    with app.app_context():
        assert [each.name for each in find_people(query="LEN").people] == ["Lena"]
        assert [each.name for each in find_people(query="inge@").people] == ["Inge"]
        assert [each.name for each in find_people(role="instructor").people] == ["Inge", "Ivan"]
        assert find_people(role="king", query="%").total == 0
        assert find_people(role="king").total == 5


def test_long_lists_come_in_pages(app: Flask, cast: Cast) -> None:
    with app.app_context():
        for _ in range(PER_PAGE):
            make_person()
        first, last = find_people(page=-1), find_people(page=10**9)
        assert (first.page, last.page, len(first.people), len(last.people)) == (1, 2, PER_PAGE, 5)


@pytest.mark.both_databases
def test_a_role_is_changed_at_once_and_logged(app: Flask, cast: Cast, ada: FlaskClient, olaf: FlaskClient) -> None:
    assert olaf.get("/instructor/cohorts").status_code == 403
    path = f"/admin/people/{cast.olaf}/role"
    page = ada.post(path, data={"role": "instructor"}, follow_redirects=True).text
    assert "Olaf is now an instructor." in page
    ada.post(path, data={"role": "instructor"})
    assert olaf.get("/instructor/cohorts").status_code == 200
    with app.app_context():
        (entry,) = db.session.scalars(select(AuditEntry)).all()
        assert (entry.actor_id, entry.action, entry.subject) == (cast.ada, "role.changed", f"user:{cast.olaf}")
        assert entry.data == {"before": "learner", "after": "instructor"}


def test_nobody_changes_their_own_role(app: Flask, cast: Cast, ada: FlaskClient) -> None:
    assert ada.post(f"/admin/people/{cast.ada}/role", data={"role": "learner"}).status_code == 409
    with app.app_context():
        assert db.session.get_one(User, cast.ada).role == "admin"


@pytest.mark.parametrize("role", ["", "king"])
def test_a_role_that_there_is_not_is_refused(ada: FlaskClient, cast: Cast, role: str) -> None:
    assert ada.post(f"/admin/people/{cast.olaf}/role", data={"role": role}).status_code == 400


def test_a_person_that_there_is_not_is_not_found(ada: FlaskClient, cast: Cast) -> None:
    assert ada.post("/admin/people/987654/role", data={"role": "learner"}).status_code == 404
