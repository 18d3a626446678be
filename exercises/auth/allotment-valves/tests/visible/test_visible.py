from http.cookies import SimpleCookie

import pytest

OWN = "https://water.example"
MAP = "https://map.partner.example"


@pytest.fixture
def srv(shared):
    return shared(PARTNERS=f"{MAP},https://beds.example:8443")


def sign_in(srv, name):
    r = srv.post("/session", json={"name": name}, headers={"Origin": OWN})
    assert r.status_code == 200
    assert r.json() == {"name": name}
    return SimpleCookie(r.headers["Set-Cookie"])["__Host-sid"]


def test_a_gardener_opens_the_valve(srv):
    headers = {"Origin": OWN, "Cookie": f"__Host-sid={sign_in(srv, 'ida').value}"}
    assert srv.get("/valve", headers=headers).json() == {"open": False}
    r = srv.get("/csrf", headers=headers)
    assert r.status_code == 200
    assert r.headers["Cache-Control"] == "no-store"
    headers["X-CSRF-Token"] = r.json()["csrf"]
    r = srv.put("/valve", json={"open": True}, headers=headers)
    assert r.status_code == 200
    assert r.json() == {"open": True}
    assert srv.get("/valve", headers=headers).json() == {"open": True}
    assert srv.delete("/session", headers=headers).status_code == 204
    assert srv.get("/valve", headers=headers).status_code == 401


def test_the_cookie(srv):
    cookie = sign_in(srv, "jan")
    assert cookie["secure"] is True
    assert cookie["httponly"] is True
    assert cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert len(cookie.value) >= 32


def test_a_partner_asks_first(srv):
    asked = {"Origin": MAP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    r = srv.options("/valve", headers=asked)
    assert r.status_code == 204
    assert r.content == b""
    assert r.headers["Access-Control-Allow-Origin"] == MAP
    assert r.headers["Access-Control-Allow-Credentials"] == "true"
    assert {method.strip() for method in r.headers["Access-Control-Allow-Methods"].split(",")} == {"GET", "PUT"}
    assert r.headers["Access-Control-Max-Age"] == "600"
