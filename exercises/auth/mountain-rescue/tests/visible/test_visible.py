import re
import time

import pytest


@pytest.fixture
def srv(shared):
    return shared()


def join(srv, email):
    r = srv.post("/volunteers", json={"email": email, "password": "rope and helmet"})
    assert r.status_code == 201


def sign_in(srv, email, password):
    return srv.post("/session", json={"email": email, "password": password})


def mail_to(upstream, email):
    """The newest mail to this address; waits for it, as it may go out after the answer."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        mails = [call.json() for call in upstream.calls if call.path == "/mail"]
        found = [mail for mail in mails if mail["to"] == email]
        if found:
            return found[-1]
        time.sleep(0.005)
    raise AssertionError(f"no mail to {email} arrived")


def test_the_way_back_in(srv, upstream):
    upstream.on("POST", "/mail", json={}, status=202)
    join(srv, "ida@peaks.example")
    assert srv.post("/reset-requests", json={"email": "ida@peaks.example"}).status_code == 202
    token = mail_to(upstream, "ida@peaks.example")["link"].partition("#")[2]
    r = srv.post("/reset", json={"token": token, "password": "another rope"})
    assert r.status_code == 204
    assert sign_in(srv, "ida@peaks.example", "rope and helmet").status_code == 401
    assert sign_in(srv, "ida@peaks.example", "another rope").status_code == 200


def test_what_the_mail_says(srv, upstream):
    upstream.on("POST", "/mail", json={}, status=202)
    join(srv, "max@peaks.example")
    assert srv.post("/reset-requests", json={"email": "Max@Peaks.example"}).status_code == 202
    link = mail_to(upstream, "max@peaks.example")["link"]
    assert re.fullmatch(r"https://rota\.example/reset#[A-Za-z0-9_-]{32,}", link)


def test_what_is_no_token(srv):
    join(srv, "eva@peaks.example")
    r = srv.post("/reset", json={"token": "A" * 43, "password": "another rope"})
    assert r.status_code == 400
    assert isinstance(r.json()["error"], str)
    assert sign_in(srv, "eva@peaks.example", "rope and helmet").status_code == 200
