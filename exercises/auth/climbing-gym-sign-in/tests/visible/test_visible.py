from http.cookies import SimpleCookie
from itertools import count

import pytest

PASSWORD = "chalk-and-resin"
numbers = count(1)


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def name(srv):
    name = f"visitor-{next(numbers)}"
    r = srv.post("/members", json={"name": name, "password": PASSWORD})
    assert r.status_code == 201
    assert r.json() == {"name": name}
    return name


def sign_in(srv, name, password=PASSWORD):
    return srv.post("/session", json={"name": name, "password": password})


def cookie(r):
    return SimpleCookie(r.headers["Set-Cookie"])["sid"]


def me(srv, sid):
    return srv.get("/me", headers={"Cookie": f"sid={sid}"})


def test_join_sign_in_and_read_me(srv, name):
    r = sign_in(srv, name)
    assert r.status_code == 200
    assert r.json() == {"name": name}
    r = me(srv, cookie(r).value)
    assert r.status_code == 200
    assert r.json() == {"name": name}
    assert sign_in(srv, name, "chalk-and-rosin").status_code == 401


def test_the_session_is_a_cookie(srv, name):
    sid = cookie(sign_in(srv, name))
    assert sid["httponly"] is True
    assert sid["samesite"].lower() == "lax"
    assert sid["path"] == "/"
    assert len(sid.value) >= 32
    assert me(srv, "no-such-session").status_code == 401


def test_signing_out_ends_the_session(srv, name):
    sid = cookie(sign_in(srv, name)).value
    assert srv.delete("/session", headers={"Cookie": f"sid={sid}"}).status_code == 204
    assert me(srv, sid).status_code == 401
    assert srv.delete("/session", headers={"Cookie": f"sid={sid}"}).status_code == 204
