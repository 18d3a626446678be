"""Headers, cookies, CSRF, limits of a request, and what an anonymous visitor may not reach."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from app.security import MAX_BODY_BYTES, instructor_required, login_required, me, public, safe_next
from tests.conftest import Cast, Client, MakeApp

pytestmark = pytest.mark.own_site

SAFE = {"secure_cookies": True, "production": True, "secret_key": "k" * 40}


def directives(policy: str) -> dict[str, str]:
    """Return a Content-Security-Policy by directive."""
    return {part.split()[0]: " ".join(part.split()[1:]) for part in policy.split("; ")}


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/favicon.svg", "/settings"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Content-Security-Policy" in headers


def test_the_policy_allows_no_inline_code_and_no_other_site(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    rules = directives(policy)
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    assert rules["form-action"] == rules["connect-src"] == "'self'"
    assert rules["img-src"] == "'self' data:"


def test_the_nonce_is_new_for_each_answer_and_is_the_one_in_the_page(client: FlaskClient) -> None:
    nonces = set()
    for _ in range(3):
        answer = client.get("/register")
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"]))
        assert set(re.findall(r'<script[^>]* nonce="([^"]+)"', answer.text)) == {nonce}
        nonces.add(nonce)
    assert len(nonces) == 3


def test_cookies_stay_out_of_scripts_and_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_cookies_are_secure_and_the_browser_is_told_to_stay_there(make_app: MakeApp) -> None:
    answer = make_app(**SAFE).test_client().get("/sign-in", base_url="https://localhost")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-greenroom=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_plain_http_is_not_told_to_use_https(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/").headers


def test_pages_of_signed_in_people_are_not_stored(lena: FlaskClient, client: FlaskClient) -> None:
    assert lena.get("/settings").headers["Cache-Control"] == "no-store"
    assert lena.get("/nowhere").headers["Cache-Control"] == "no-store"
    assert client.get("/").headers["Cache-Control"] == "private, no-cache"
    assert "no-store" not in lena.get("/static/favicon.svg").headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/sign-in", "/register", "/sign-out", "/settings", "/settings/password"])
def test_a_form_from_elsewhere_is_refused(lena: Client, path: str) -> None:
    lena.forges = True
    answer = lena.post(path, data={"email": "lena@example.com"})
    assert answer.status_code == 400
    assert "did not come from this site" in answer.text
    assert lena.post(path, data={"csrf_token": "made up"}).status_code == 400


def test_a_token_of_another_session_is_refused(lena: Client, olaf: Client) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', olaf.get("/settings").text)
    assert token is not None
    lena.forges = True
    lena.get("/settings")
    assert lena.post("/settings/sessions", data={"csrf_token": token.group(1)}).status_code == 400


def test_the_token_in_the_page_is_accepted_as_field_and_as_header(lena: Client) -> None:
    lena.forges = True
    field = re.search(r'name="csrf_token" value="([^"]+)"', lena.get("/settings").text)
    meta = re.search(r'<meta name="csrf-token" content="([^"]+)"', lena.get("/settings").text)
    assert field is not None and meta is not None
    assert lena.post("/settings/sessions", data={"csrf_token": field.group(1)}).status_code == 303
    meta = re.search(r'<meta name="csrf-token" content="([^"]+)"', lena.get("/settings").text)
    assert meta is not None
    assert lena.post("/settings/sessions", headers={"X-CSRFToken": meta.group(1)}).status_code == 303


def test_json_without_a_token_is_refused(app: Flask, cast: Cast, lena: Client) -> None:
    app.add_url_rule("/keep", "keep", lambda: {"kept": request.get_json()}, methods=["PUT"])
    assert lena.put("/keep", json={"a": 1}).status_code == 200
    lena.forges = True
    answer = lena.put("/keep", json={"a": 1}, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json is not None and "did not come from this site" in answer.json["error"]


def test_an_endpoint_that_nobody_marked_is_private(app: Flask, client: FlaskClient, cast: Cast) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret", methods=["GET", "POST"])
    answer = client.get("/forgotten?a=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=/forgotten?a%3D1")
    assert client.post("/forgotten").headers["Location"] == "/sign-in"
    asked = client.get("/forgotten", headers={"Accept": "application/json"})
    assert (asked.status_code, asked.json) == (401, {"error": "Sign in first."})


def test_an_ended_session_asks_to_sign_in_rather_than_blaming_the_form(app: Flask, client: Client) -> None:
    client.forges = True
    assert client.post("/settings", data={"csrf_token": "of the session before"}).headers["Location"] == "/sign-in"


def test_instructors_pages_refuse_learners_and_send_visitors_to_sign_in(
    app: Flask, client: FlaskClient, lena: FlaskClient, ivan: FlaskClient, ada: FlaskClient
) -> None:
    app.add_url_rule("/staff", "staff", instructor_required(lambda: "for instructors"))
    assert client.get("/staff").status_code == 303
    refused = lena.get("/staff")
    assert refused.status_code == 403
    assert "for instructors." in refused.text
    assert ivan.get("/staff").text == ada.get("/staff").text == "for instructors"


def test_me_is_whoever_is_signed_in_and_nobody_else(app: Flask, client: FlaskClient, lena: FlaskClient) -> None:
    app.add_url_rule("/me", "me", public(lambda: me().email))
    app.add_url_rule("/mine", "mine", login_required(lambda: me().email))
    assert lena.get("/me").text == lena.get("/mine").text == "lena@example.com"
    assert client.get("/me", headers={"Accept": "application/json"}).status_code == 401


def test_a_body_that_is_too_large_is_refused(lena: Client, app: Flask) -> None:
    app.add_url_rule("/keep", "keep", lambda: str(len(request.get_data())), methods=["PUT", "POST"])
    big = b"x" * (MAX_BODY_BYTES + 1)
    for sent in ({"data": big}, {"data": {"field": big.decode()}}, {"data": {"file": (io.BytesIO(big), "f")}}):
        answer = lena.post("/keep", **sent)
        assert answer.status_code == 413
        assert "That is too much" in answer.text
    assert lena.put("/keep", data=big[:-1], content_type="application/json").text == str(MAX_BODY_BYTES)
    assert lena.put("/keep", data=big, headers={"Accept": "application/json"}).json is not None


def test_a_form_of_the_largest_size_is_taken(lena: Client, app: Flask) -> None:
    app.add_url_rule("/keep", "keep", lambda: str(len(request.form["code"])), methods=["POST"])
    assert lena.post("/keep", data={"code": "x" * (MAX_BODY_BYTES - 5)}).text == str(MAX_BODY_BYTES - 5)


def test_a_form_of_too_many_parts_is_refused(lena: Client, app: Flask) -> None:
    app.add_url_rule("/keep", "keep", lambda: "kept", methods=["POST"])
    parts = {f"f{n}": (io.BytesIO(b""), "f") for n in range(301)}
    assert lena.post("/keep", data=parts).status_code == 413


@pytest.mark.parametrize("path", ["/sign-in?next=%00", "/exercises?q=a%00b", "/%00"])
def test_nul_is_refused_before_it_meets_the_database(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in {400, 404}


def test_nul_in_a_form_is_refused(client: FlaskClient) -> None:
    assert client.post("/sign-in", data={"email": "a\x00", "password": "x"}).status_code == 400


def test_proxies_are_believed_only_as_far_as_configured(make_app: MakeApp) -> None:
    headers = {
        "X-Forwarded-For": "203.0.113.7, 198.51.100.2",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
    }
    seen = []
    for hops in (0, 1, 2):
        app = make_app(trusted_proxies=hops)
        app.add_url_rule("/who", "who", public(lambda: f"{request.remote_addr} {request.scheme}"))
        seen.append(app.test_client().get("/who", headers=headers).text)
    assert seen == ["127.0.0.1 http", "198.51.100.2 https", "203.0.113.7 http"]


def test_a_household_of_ipv6_addresses_counts_as_one(make_app: MakeApp) -> None:
    client = make_app(rate_limits=True).test_client()
    answers = [
        client.post("/register", data={}, environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{n:x}"}).status_code
        for n in range(1, 23)
    ]
    assert answers == [422] * 20 + [429] * 2
    other = client.post("/register", data={}, environ_base={"REMOTE_ADDR": "2001:db8:1:3::1"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    "target", ["/", "/progress", "/exercises?track=sql&q=a%20b", "/a//b", "/a?u=https://x.example"]
)
def test_a_path_of_this_site_is_a_safe_next(target: str) -> None:
    assert safe_next(target, "/home") == target


@pytest.mark.parametrize("target", [None, "", "progress", "https://x.example", "//x", "/\\x", "/a\\b", "/a b", "/\x7f"])
def test_anything_else_is_not(target: str | None) -> None:
    assert safe_next(target, "/home") == "/home"


def test_every_answer_has_an_id_of_its_own(client: FlaskClient) -> None:
    assert len({client.get("/").headers["X-Request-ID"] for _ in range(3)}) == 3
