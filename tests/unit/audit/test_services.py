"""The audit log: added to with the change that it tells of, read by admins."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import services
from app.db import db
from tests.conftest import Cast


@pytest.mark.both_databases
def test_entries_come_newest_first_and_can_be_narrowed(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PER_PAGE", 2)
    with app.app_context():
        for number in range(3):
            services.note(cast.ivan, "exercise.published", f"exercise:{number}", revision=number)
        services.note(None, "role.changed", "user:1", before="learner", after="instructor")
        db.session.commit()
        found = services.entries()
        assert [entry.subject for entry in found.entries] == ["user:1", "exercise:2"]
        assert (found.page, found.pages, found.actions) == (1, 2, ("exercise.published", "role.changed"))
        assert [entry.subject for entry in services.entries(page=9).entries] == ["exercise:1", "exercise:0"]
        assert [entry.data for entry in services.entries(subject="exercise:1").entries] == [{"revision": 1}]
        assert services.entries(action="nothing").entries == ()


def test_what_is_rolled_back_was_never_noted(app: Flask, cast: Cast) -> None:
    with app.app_context():
        services.note(cast.ivan, "exercise.published", "exercise:1")
        db.session.rollback()
        assert services.entries().entries == ()


def test_admins_read_it_and_nobody_else(
    app: Flask, cast: Cast, ada: FlaskClient, ivan: FlaskClient, lena: FlaskClient, client: FlaskClient
) -> None:
    with app.app_context():
        services.note(cast.ivan, "exercise.published", "exercise:<1>", note="<b>")
        db.session.commit()
    page = ada.get("/admin/audit")
    assert page.status_code == 200
    assert "exercise:&lt;1&gt;" in page.text
    assert "&lt;b&gt;" in page.text
    assert "No change of that sort" in ada.get("/admin/audit?action=none").text
    assert [each.get("/admin/audit").status_code for each in (ivan, lena, client)] == [403, 403, 303]
