import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

CLIENTS = [
    {
        "id": "field-notes",
        "name": "Field notes",
        "redirect_uris": ["https://notes.example/done", "https://notes.example/other"],
        "scopes": ["sightings:read", "sightings:write"],
        "secret": None,
    },
    {
        "id": "museum",
        "name": "Museum of Flight",
        "redirect_uris": ["https://museum.example/back?hall=7"],
        "scopes": ["sightings:read"],
        "secret": "7h:ru/s+h%21",
    },
]
RINGERS = {"ada": "a-pipit-in-the-net", "ben": "nine-goldcrests"}
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # the example of RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def srv(shared):
    return shared(CLIENTS=json.dumps(CLIENTS), RINGERS=json.dumps(RINGERS))


def query(**changed):
    asked = {
        "response_type": "code",
        "client_id": "field-notes",
        "redirect_uri": "https://notes.example/done",
        "scope": "sightings:read",
        "state": "xyz-17",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return asked | changed


def decide(srv, asked, decision="allow"):
    form = {"name": "ada", "password": RINGERS["ada"], "decision": decision}
    return srv.post("/authorize", params=asked, data=form)


def returned(r):
    """The parameters that the browser takes back to the client."""
    assert r.status_code in (302, 303)
    assert r.headers["Location"].startswith("https://notes.example/done?")
    return {name: values[0] for name, values in parse_qs(urlsplit(r.headers["Location"]).query).items()}


def redeem(srv, code, verifier=VERIFIER):
    form = {
        "grant_type": "authorization_code",
        "client_id": "field-notes",
        "code": code,
        "redirect_uri": "https://notes.example/done",
        "code_verifier": verifier,
    }
    return srv.post("/token", data=form)


def test_the_whole_flow(srv):
    r = srv.get("/authorize", params=query())
    assert r.status_code == 200
    assert "Field notes" in r.text
    sent_back = returned(decide(srv, query()))
    assert sent_back == {"code": sent_back["code"], "state": "xyz-17"}
    r = redeem(srv, sent_back["code"])
    assert r.status_code == 200
    assert "no-store" in r.headers["Cache-Control"]
    token = r.json()
    assert token == {
        "access_token": token["access_token"],
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "sightings:read",
    }
    r = srv.get("/sightings", token=token["access_token"])
    assert r.status_code == 200
    assert r.json()["ringer"] == "ada"
    assert srv.get("/sightings").status_code == 401


def test_the_code_alone_is_worth_nothing(srv):
    assert base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode() == CHALLENGE
    code = returned(decide(srv, query()))["code"]
    r = redeem(srv, code, verifier="x" * 43)
    assert r.status_code == 400
    assert r.json() == {"error": "invalid_grant"}
    assert redeem(srv, code).status_code == 200


def test_no_redirect_to_unknown_addresses(srv):
    asked = query(redirect_uri="https://notes.example.evil.example/done")
    for r in (srv.get("/authorize", params=asked), decide(srv, asked)):
        assert r.status_code == 400
        assert "Location" not in r.headers
    assert returned(decide(srv, query(), "deny")) == {"error": "access_denied", "state": "xyz-17"}
