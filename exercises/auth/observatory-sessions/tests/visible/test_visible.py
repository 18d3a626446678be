from itertools import count

import pytest

PASSWORD = "dark-sky-above"
numbers = count(1)


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def name(srv):
    name = f"caroline-{next(numbers)}"
    r = srv.post("/observers", json={"name": name, "password": PASSWORD})
    assert r.status_code == 201
    assert r.json() == {"name": name}
    return name


def sign_in(srv, name, device="laptop"):
    r = srv.post("/sessions", json={"name": name, "password": PASSWORD, "device": device})
    assert r.status_code == 201
    return r


def refresh(srv, pair):
    return srv.post("/refresh", json={"refresh_token": pair["refresh_token"]})


def me(srv, pair):
    return srv.get("/me", token=pair["access_token"])


def test_a_session_begins_with_a_pair(srv, name):
    r = sign_in(srv, name)
    assert "no-store" in r.headers["Cache-Control"]
    pair = r.json()
    assert set(pair) == {"access_token", "expires_in", "refresh_token", "refresh_expires_in", "session_id"}
    assert 250 < pair["expires_in"] < 301
    assert 86000 < pair["refresh_expires_in"] < 86401
    r = me(srv, pair)
    assert r.status_code == 200
    assert r.json() == {"name": name, "device": "laptop", "session_id": pair["session_id"]}
    assert srv.get("/me").status_code == 401
    listed = srv.get("/sessions", token=pair["access_token"])
    assert listed.json() == {"items": [{"id": pair["session_id"], "device": "laptop", "current": True}]}


def test_a_refresh_token_gives_the_next_pair(srv, name):
    first = sign_in(srv, name).json()
    r = refresh(srv, first)
    assert r.status_code == 200
    assert "no-store" in r.headers["Cache-Control"]
    second = r.json()
    assert second["session_id"] == first["session_id"]
    assert second["refresh_token"] != first["refresh_token"]
    assert me(srv, first).status_code == 200
    assert me(srv, second).status_code == 200
    assert refresh(srv, second).status_code == 200


def test_a_spent_token_ends_the_session(srv, name):
    first = sign_in(srv, name).json()
    second = refresh(srv, first).json()
    assert refresh(srv, first).status_code == 401
    assert refresh(srv, second).status_code == 401
    assert me(srv, second).status_code == 401
