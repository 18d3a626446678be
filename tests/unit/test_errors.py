"""Every error is a friendly page, or JSON for scripts, and tells nothing of the inside."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy import text

from app.db import db
from app.errors import Conflict, Forbidden, GreenroomError, Invalid, NotFound, TooLarge, TooMany
from app.security import public
from tests.conftest import MakeApp

pytestmark = pytest.mark.own_site

JSON = {"Accept": "application/json"}
STATUSES = [
    (NotFound("There is no such exercise."), 404),
    (Forbidden("That is not yours."), 403),
    (Invalid("Choose a language.", "language"), 400),
    (Conflict("Saved in another tab."), 409),
    (TooMany("Two runs at a time."), 429),
    (TooLarge("A file holds 64 KB."), 413),
]


def raising(app: Flask, error: BaseException) -> None:
    """Add a page that fails."""

    def view() -> str:
        raise error

    app.add_url_rule("/fails", "fails", public(view))


@pytest.mark.parametrize(("error", "status"), STATUSES, ids=lambda value: type(value).__name__)
def test_what_services_raise_becomes_its_status_and_says_why(app: Flask, error: GreenroomError, status: int) -> None:
    raising(app, error)
    client = app.test_client()
    page = client.get("/fails")
    assert page.status_code == status
    assert str(error) in page.text and "<nav" in page.text
    script = client.get("/fails", headers=JSON)
    assert (script.status_code, script.json) == (status, {"error": str(error)})


def test_a_message_is_text_never_markup(app: Flask) -> None:
    raising(app, NotFound("No <script>alert(1)</script> here."))
    assert "<script>alert" not in app.test_client().get("/fails").text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 418, 429, 503])
def test_every_status_has_a_page_and_a_sentence(app: Flask, status: int) -> None:
    app.add_url_rule("/fails", "fails", public(lambda: abort(status)))
    client = app.test_client()
    page = client.get("/fails")
    assert page.status_code == status
    assert f">{status}<" in page.text and "Werkzeug" not in page.text
    script = client.get("/fails", headers=JSON)
    assert script.status_code == status
    assert script.json is not None and script.json["error"].endswith(".")


def test_a_missing_page_and_a_wrong_method_are_friendly(client: FlaskClient) -> None:
    assert "There is nothing here" in client.get("/nowhere").text
    wrong = client.post("/")
    assert wrong.status_code == 405
    assert set(wrong.headers["Allow"].split(", ")) >= {"GET"}


def broken(make_app: MakeApp, **settings: Any) -> Flask:
    """Return a site, as it runs outside tests, with a page that breaks."""
    app = make_app(**settings)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    raising(app, RuntimeError("password=hunter2 in /srv/secret/module.py"))
    return app


def test_what_breaks_leaks_nothing_and_names_the_log_line(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    client = broken(make_app).test_client()
    with caplog.at_level(logging.INFO, logger="greenroom"):
        page = client.get("/fails")
    assert page.status_code == 500
    assert not any(word in page.text for word in ("hunter2", "RuntimeError", "Traceback", "module.py"))
    number = page.headers["X-Request-ID"]
    assert number in page.text
    assert any("request.failed" in line and number in line and "hunter2" in line for line in caplog.messages)
    script = client.get("/fails", headers=JSON)
    assert script.json == {"error": "Something broke on our side."}


def test_the_page_for_what_breaks_needs_no_database(make_app: MakeApp) -> None:
    app = broken(make_app)
    app.add_url_rule("/query", "query", public(lambda: str(db.session.execute(text("SELECT * FROM nowhere")))))
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "1.0"
    with app.app_context():
        db.session.execute(text("DROP TABLE user_account"))
        db.session.commit()
    for path in ("/query", "/fails", "/settings", "/"):
        page = client.get(path)
        assert page.status_code == 500
        assert "Something broke on our side" in page.text and "SELECT" not in page.text


def test_what_a_service_had_begun_is_undone_before_the_error_page(app: Flask, lena: FlaskClient, cast: Any) -> None:
    def view() -> str:
        db.session.execute(text("UPDATE user_account SET name = 'Half done'"))
        raise Conflict("Saved in another tab.")

    app.add_url_rule("/fails", "fails", view)
    assert "Half done" not in lena.get("/fails").text
    with app.app_context():
        assert "Half done" not in set(db.session.scalars(text("SELECT name FROM user_account")))


def test_production_logs_one_json_object_per_line(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    client = broken(make_app, production=True, secure_cookies=True, secret_key="k" * 40).test_client()
    with caplog.at_level(logging.INFO, logger="greenroom"):
        client.get("/fails?token=not-for-the-log", base_url="https://localhost")
    failed, answered = (json.loads(line) for line in caplog.messages)
    assert (failed["event"], answered["event"]) == ("request.failed", "request.answered")
    assert failed["request_id"] == answered["request_id"]
    assert (answered["path"], answered["status"], answered["method"]) == ("/fails", 500, "GET")
    assert "not-for-the-log" not in "".join(caplog.messages)


def test_the_log_of_a_failed_statement_holds_no_values(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = broken(make_app)
    code = "print('mi" + "ne')"  # so that the traceback's own line does not hold it
    failing = text("INSERT INTO nowhere (code) VALUES (:code)")
    app.add_url_rule("/keep", "keep", public(lambda: str(db.session.execute(failing, {"code": code}))))
    with caplog.at_level(logging.INFO, logger="greenroom"):
        assert app.test_client().get("/keep").status_code == 500
    assert "INSERT INTO nowhere" in caplog.text
    assert "print('mine')" not in caplog.text


def test_the_log_says_who_asked(lena: FlaskClient, cast: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="greenroom"):
        lena.get("/settings")
    assert f" user={cast.lena} " in caplog.messages[-1]
