"""The account pages as a browser meets them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts.landing import TrackCard, provide_tracks
from app.accounts.models import Theme, User
from app.db import db
from tests.conftest import Cast, MakeApp
from tests.factories import PASSWORD

NINA = {"name": "Nina", "email": "nina@example.com", "password": PASSWORD, "time_zone": "Europe/Berlin"}


def sign_in(
    client: FlaskClient, email: str = "lena@example.com", password: str = PASSWORD, **more: str
) -> TestResponse:
    """Send the sign-in form."""
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def without_secrets(answer: TestResponse) -> tuple[int, str | None, str]:
    """Return what an answer tells, less what differs each time."""
    text = re.sub(r'(nonce|content|value)="[^"]{20,}"', "", answer.text)
    return answer.status_code, answer.headers.get("Location"), text


def test_a_newcomer_registers_signs_in_and_is_greeted(client: FlaskClient, app: Flask) -> None:
    registered = client.post("/register", data=NINA)
    assert (registered.status_code, registered.headers["Location"]) == (303, "/sign-in")
    page = client.get("/sign-in")
    assert "One more step" in page.text
    assert 'value="nina@example.com"' in page.text
    assert sign_in(client, "nina@example.com").headers["Location"] == "/progress"
    assert "Nina" in client.get("/settings").text


def test_registering_does_not_tell_whether_an_email_has_an_account(app: Flask, cast: Cast) -> None:
    def outcome(email: str) -> list[object]:
        browser = app.test_client()
        answer = browser.post("/register", data={**NINA, "email": email, "password": "not her own password"})
        after = browser.get("/sign-in")
        told = [*without_secrets(answer), *without_secrets(after), sorted(answer.headers.keys())]
        return [part.replace(email, "EMAIL") if isinstance(part, str) else part for part in told]

    assert outcome("lena@example.com") == outcome("nina@example.com")


def test_signing_in_does_not_tell_whether_an_email_has_an_account(app: Flask, cast: Cast) -> None:
    def outcome(email: str) -> list[object]:
        answer = sign_in(app.test_client(), email, "not the password")
        told = [*without_secrets(answer), sorted(answer.headers.keys())]
        return [part.replace(email, "EMAIL") if isinstance(part, str) else part for part in told]

    known = outcome("lena@example.com")
    assert known[0] == 422
    assert known == outcome("nobody@example.com")


def test_the_password_is_not_written_back_into_the_page(client: FlaskClient, cast: Cast) -> None:
    assert "guess-of-mine" not in sign_in(client, password="guess-of-mine").text
    assert "guess" not in client.post("/register", data={**NINA, "name": "", "password": "guess-of-mine"}).text


def test_errors_are_said_beside_their_field_and_what_was_typed_stays(client: FlaskClient) -> None:
    answer = client.post("/register", data={**NINA, "email": "nina", "password": "short"})
    assert answer.status_code == 422
    assert 'value="Nina"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert "10 to 200 characters" in answer.text


def test_signing_in_leads_to_where_the_person_was_heading(client: FlaskClient, cast: Cast) -> None:
    asked = client.get("/settings?tab=1")
    assert asked.headers["Location"] == "/sign-in?next=/settings?tab%3D1"
    form = client.get(asked.headers["Location"])
    assert 'value="/settings?tab=1"' in form.text
    assert sign_in(client, next="/settings?tab=1").headers["Location"] == "/settings?tab=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "http:evil.example",
        "//[",
    ],
)
def test_nobody_is_sent_to_another_site(client: FlaskClient, cast: Cast, elsewhere: str) -> None:
    assert sign_in(client, next=elsewhere).headers["Location"] == "/progress"
    client.post("/sign-out")
    client.get("/sign-in", query_string={"next": elsewhere})
    answer = client.post(
        "/sign-in", query_string={"next": elsewhere}, data={"email": "lena@example.com", "password": PASSWORD}
    )
    assert answer.headers["Location"] == "/progress"


def test_signing_out_ends_the_session_and_the_next_person_sees_nothing(lena: FlaskClient) -> None:
    page = lena.get("/settings")
    assert page.headers["Cache-Control"] == "no-store"
    answer = lena.post("/sign-out", follow_redirects=True)
    assert "You are signed out." in answer.text
    assert lena.get("/settings").status_code == 303


def test_signing_out_needs_a_form(lena: FlaskClient) -> None:
    assert lena.get("/sign-out").status_code == 405
    assert lena.get("/settings").status_code == 200


def test_signing_in_starts_a_session_of_its_own(client: FlaskClient, cast: Cast) -> None:
    client.get("/sign-in")
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        before = session.get("csrf_token")
    sign_in(client)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before
        assert session.permanent


def test_a_signed_in_person_is_not_asked_again(lena: FlaskClient) -> None:
    for path in ("/", "/sign-in", "/register"):
        assert lena.get(path).headers["Location"] == "/progress"


def test_settings_are_kept_and_theme_and_name_show_at_once(lena: FlaskClient) -> None:
    sent = {"you-name": "Lena <b>L</b>", "you-time_zone": "Asia/Tokyo", "you-theme": "dark"}
    page = lena.post("/settings", data=sent, follow_redirects=True)
    assert "Your settings are saved." in page.text
    assert 'data-bs-theme="dark"' in page.text
    assert "Lena &lt;b&gt;L&lt;/b&gt;" in page.text
    assert '<option selected value="Asia/Tokyo">' in page.text


def test_settings_that_are_not_offered_are_refused(lena: FlaskClient) -> None:
    for field, value in [("theme", "neon"), ("time_zone", "Mars/Olympus"), ("name", "")]:
        sent = {"you-name": "Lena", "you-time_zone": "UTC", "you-theme": "auto", f"you-{field}": value}
        assert lena.post("/settings", data=sent).status_code == 422


def test_settings_cannot_change_role_or_email(lena: FlaskClient, app: Flask, cast: Cast) -> None:
    sent = {"you-name": "Lena", "you-time_zone": "UTC", "you-theme": "auto"}
    lena.post("/settings", data={**sent, "you-role": "admin", "role": "admin", "email": "x@example.com"})
    with app.app_context():
        person = db.session.get(User, cast.lena)
        assert person is not None
        assert (person.role, person.email) == ("learner", "lena@example.com")


def test_a_new_password_ends_other_sessions_and_keeps_this_one(app: Flask, lena: FlaskClient) -> None:
    elsewhere = app.test_client()
    sign_in(elsewhere)
    sent = {"password-current": PASSWORD, "password-new": "some other words"}
    page = lena.post("/settings/password", data=sent, follow_redirects=True)
    assert "Your password is changed." in page.text
    assert elsewhere.get("/settings").status_code == 303
    assert sign_in(app.test_client(), password="some other words").status_code == 303


def test_a_wrong_current_password_changes_nothing(lena: FlaskClient, app: Flask) -> None:
    sent = {"password-current": "a guess of mine", "password-new": "some other words"}
    page = lena.post("/settings/password", data=sent)
    assert page.status_code == 422
    assert "That is not your current password." in page.text
    assert sign_in(app.test_client()).status_code == 303


def test_every_other_session_can_be_ended(app: Flask, lena: FlaskClient) -> None:
    elsewhere = app.test_client()
    sign_in(elsewhere)
    assert lena.post("/settings/sessions", follow_redirects=True).status_code == 200
    assert elsewhere.get("/settings").status_code == 303


def test_the_first_page_shows_the_tracks_that_it_is_given(app: Flask, client: FlaskClient) -> None:
    provide_tracks(app, lambda: [TrackCard(title="SQL", summary="Ask well.", count=1, url="/exercises?track=sql")])
    page = client.get("/").text
    assert "1 exercise<" in page
    assert 'href="/exercises?track=sql"' in page
    provide_tracks(app, list)
    assert "What there is to practise" not in client.get("/").text


def test_guessing_at_one_account_is_slowed_down(make_app: MakeApp) -> None:
    app = make_app(rate_limits=True)
    client = app.test_client()
    answers = [
        sign_in(client, " LENA@example.com" if n % 2 else "lena@example.com", "guess").status_code for n in range(12)
    ]
    assert answers == [422] * 10 + [429] * 2
    refused = sign_in(client, "lena@example.com", "guess")
    assert int(refused.headers["Retry-After"]) > 0
    assert "Slow down a little" in refused.text
    assert sign_in(client, "nina@example.com", "guess").status_code == 422


def test_guessing_from_one_address_is_slowed_down(make_app: MakeApp) -> None:
    client = make_app(rate_limits=True).test_client()
    # An e-mail that no account can have costs no hashing, so this is quick.
    answers = [client.post("/sign-in", data={"email": f"{n}", "password": ""}).status_code for n in range(62)]
    assert answers.count(429) == 2


def test_registering_from_one_address_is_slowed_down(make_app: MakeApp) -> None:
    client = make_app(rate_limits=True).test_client()
    answers = [client.post("/register", data={"email": f"{n}"}).status_code for n in range(22)]
    assert answers == [422] * 20 + [429] * 2


def test_reading_the_forms_is_not_limited(make_app: MakeApp) -> None:
    client = make_app(rate_limits=True).test_client()
    assert {client.get("/sign-in").status_code for _ in range(80)} == {200}


def test_every_theme_can_be_chosen(lena: FlaskClient) -> None:
    page = lena.get("/settings").text
    assert all(f'value="{theme}"' in page for theme in Theme)


def test_a_deleted_account_is_signed_out(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    with app.app_context():
        person = db.session.get(User, cast.lena)
        db.session.delete(person)
        db.session.commit()
    assert lena.get("/settings").status_code == 303
