import base64
import hashlib
import json
import re
import time
from itertools import count
from urllib.parse import parse_qsl, quote_plus, urlsplit

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
NOTES, MUSEUM = CLIENTS
DONE, OTHER = NOTES["redirect_uris"]
SECRET = MUSEUM["secret"]
numbers = count(1)


def challenge_of(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Code:
    """A code that a ringer has allowed, and what has to be sent along to redeem it."""

    def __init__(self, code, client, redirect_uri, verifier):
        self.code, self.client, self.redirect_uri, self.verifier = code, client, redirect_uri, verifier

    def form(self, **changed):
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client["id"],
            "client_secret": self.client["secret"],
            "code": self.code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return {name: value for name, value in (form | changed).items() if value is not None}


class Station:
    """The authorization server; browser and client in one."""

    def __init__(self, srv):
        self.srv = srv

    def query(self, client=NOTES, **changed):
        asked = {
            "response_type": "code",
            "client_id": client["id"],
            "redirect_uri": client["redirect_uris"][0],
            "scope": "sightings:read",
            "state": f"s{next(numbers)}",
            "code_challenge": challenge_of("v" * 43),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (asked | changed).items() if value is not None}

    def ask(self, asked):
        return self.srv.get("/authorize", params=asked)

    def decide(self, asked, decision="allow", name="ada", password=None):
        form = {"name": name, "password": RINGERS[name] if password is None else password, "decision": decision}
        return self.srv.post("/authorize", params=asked, data=form)

    def answers(self, requests):
        """The answers to ringers who allow these requests, and, to every third, the one to the request itself."""
        calls = [(self.decide, asked) for asked in requests] + [(self.ask, asked) for asked in requests[::3]]
        return self.srv.parallel(len(calls), lambda i: calls[i][0](calls[i][1]))

    def back(self, r):
        """(address without what was added, what was added) of a redirect."""
        assert r.status_code in (302, 303)
        parts = urlsplit(r.headers["Location"])
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs)
        assert parts.fragment == ""
        return f"{parts.scheme}://{parts.netloc}{parts.path}", dict(pairs)

    def code(self, client=NOTES, verifier=None, name="ada", **changed):
        verifier = f"verifier.{next(numbers)}~".ljust(60, "_") if verifier is None else verifier
        asked = self.query(client, code_challenge=challenge_of(verifier), **changed)
        _, added = self.back(self.decide(asked, name=name))
        return Code(added["code"], client, asked["redirect_uri"], verifier)

    def post(self, form, **more):
        return self.srv.post("/token", data=form, **more)

    def error(self, form, **more):
        r = self.post(form, **more)
        return r.status_code, r.json().get("error")

    def token(self, code):
        r = self.post(code.form())
        assert r.status_code == 200
        return r.json()["access_token"]

    def reads(self, token):
        return self.srv.get("/sightings", token=token).status_code


@pytest.fixture
def station(shared):
    return Station(shared(CLIENTS=json.dumps(CLIENTS), RINGERS=json.dumps(RINGERS)))


INVALID = (400, "invalid_grant")


def test_redirect_uris_are_compared_exactly(station):
    near = [
        f"{DONE}/",
        f"{DONE}/..",
        f"{DONE}?x=1",
        f"{DONE}#x",
        f"{DONE}.evil.example",
        f"{DONE}%2F",
        DONE.upper(),
        DONE[:-1],
        DONE.replace("https:", "http:"),
        DONE.replace("notes.example", "notes.example:443"),
        DONE.replace("notes.example", "notes.example@evil.example"),
        DONE.replace("notes.example", "www.notes.example"),
        DONE.replace("done", "d%6Fne"),
        f" {DONE}",
        "https://evil.example/done",
        "//notes.example/done",
        MUSEUM["redirect_uris"][0],
        "",
        None,
    ]
    requests = [station.query(redirect_uri=uri) for uri in near]
    requests += [station.query(client_id=client) for client in ("FIELD-NOTES", "nobody", "", None, "museum")]
    requests += [station.query(redirect_uri=[DONE, "https://evil.example/"])]
    requests += [station.query(client_id=["museum", "field-notes"])]
    requests += [station.query(redirect_uri="https://evil.example/", response_type="token", scope="x")]
    requests += [station.query(MUSEUM, redirect_uri=uri) for uri in ("https://museum.example/back", DONE)]
    for r in station.answers(requests):
        assert r.status_code == 400
        assert "Location" not in r.headers
    assert station.back(station.decide(station.query(redirect_uri=OTHER)))[0] == OTHER


def test_mistakes_are_told_to_the_client(station):
    challenge = challenge_of("w" * 50)
    mistakes = [
        ("invalid_request", {"response_type": None}),
        ("unsupported_response_type", {"response_type": "token"}),
        ("unsupported_response_type", {"response_type": "code token"}),
        ("invalid_request", {"code_challenge": None}),
        ("invalid_request", {"code_challenge": None, "code_challenge_method": None}),
        ("invalid_request", {"code_challenge": ""}),
        ("invalid_request", {"code_challenge": challenge[:-1]}),
        ("invalid_request", {"code_challenge": challenge + "="}),
        ("invalid_request", {"code_challenge": "+" + challenge[1:]}),
        ("invalid_request", {"code_challenge_method": None}),
        ("invalid_request", {"code_challenge_method": "plain"}),
        ("invalid_request", {"code_challenge_method": "s256"}),
        ("invalid_request", {"code_challenge": "p" * 43, "code_challenge_method": "plain"}),
        ("invalid_request", {"scope": ["sightings:read", "sightings:write"]}),
        ("invalid_request", {"code_challenge": [challenge, challenge]}),
        ("invalid_scope", {"scope": "sightings:read sightings:delete"}),
        ("invalid_scope", {"scope": "SIGHTINGS:READ"}),
    ]
    cases = [(error, station.query(**changed)) for error, changed in mistakes]
    cases.append(("invalid_scope", station.query(MUSEUM, scope="sightings:write")))
    answers = station.answers([asked for _, asked in cases])
    for (error, asked), r in zip(cases + cases[::3], answers, strict=True):
        address, added = station.back(r)
        assert address == asked["redirect_uri"].partition("?")[0]
        assert "code" not in added
        assert (added["error"], added["state"]) == (error, asked["state"])


def test_the_redirect_keeps_query_and_state(station):
    for state in ("a b+c&d=e", "#/x?y=%20é", '{"n":1}', "&code=mine"):
        address, added = station.back(station.decide(station.query(state=state)))
        assert (address, set(added), added["state"]) == (DONE, {"code", "state"}, state)
        asked = station.query(MUSEUM, state=state)
        address, added = station.back(station.decide(asked))
        assert address == "https://museum.example/back"
        assert added == {"hall": "7", "code": added["code"], "state": state}
    _, added = station.back(station.decide(asked, "deny"))
    assert added == {"hall": "7", "error": "access_denied", "state": state}
    _, added = station.back(station.decide(station.query(state=None)))
    assert set(added) == {"code"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{32,}", added["code"])
    _, added = station.back(station.ask(station.query(state=None, scope="x")))
    assert set(added) == {"error"}


def test_only_the_ringer_says_yes(station):
    asked = station.query()
    for name, password in (("ada", "wrong"), ("ada", ""), ("ada", RINGERS["ben"]), ("nobody", ""), ("ada", "é")):
        r = station.decide(asked, name=name, password=password)
        assert r.status_code == 401
        assert "Location" not in r.headers
        _, added = station.back(station.decide(asked, "deny", name=name, password=password))
        assert (added["error"], set(added)) == ("access_denied", {"error", "state"})
    for decision in ("", "ALLOW", "yes"):
        r = station.decide(asked, decision)
        assert (r.status_code, "Location" in r.headers) == (400, False)
    r = station.srv.post("/authorize", params=asked | {"decision": "allow", "name": "ada", "password": RINGERS["ada"]})
    assert (r.status_code, "Location" in r.headers) == (400, False)
    codes = {station.back(station.decide(asked))[1]["code"] for _ in range(3)}
    assert len(codes) == 3


def test_pages_repeat_nothing_raw(station):
    r = station.ask(station.query())
    assert r.headers["Content-Type"].startswith("text/html")
    assert "no-store" in r.headers["Cache-Control"]
    assert r.headers["X-Frame-Options"].upper() == "DENY"
    attack = "\"'><script>alert(7)</script>"
    for changed in ({"state": attack}, {"client_id": attack}, {"redirect_uri": attack}, {"zoom": attack}):
        asked = station.query(**changed)
        answers = [station.ask(asked), station.decide(asked, "perhaps"), station.decide(asked, password=attack)]
        answers.append(station.srv.post("/authorize", params=asked, data={"name": attack, "decision": attack}))
        assert all("<script>alert" not in r.text for r in answers)
        assert {r.status_code for r in answers} <= {200, 400, 401}


def test_codes_are_bound(station):
    ours, theirs = station.code(), station.code(MUSEUM)
    at_other = station.code(redirect_uri=OTHER)
    short, long = station.code(verifier="s" * 42), station.code(verifier="l" * 129)
    strange = station.code(verifier="ä" * 43)
    refused = [
        ours.form(client_id="museum", client_secret=SECRET),
        theirs.form(client_id="field-notes", client_secret=None),
        theirs.form(client_id="field-notes", client_secret=None, redirect_uri=DONE),
        ours.form(redirect_uri=OTHER),
        at_other.form(redirect_uri=DONE),
        theirs.form(redirect_uri="https://museum.example/back"),
        ours.form(code_verifier=ours.verifier[:-1]),
        ours.form(code_verifier=ours.verifier + "_"),
        ours.form(code_verifier=challenge_of(ours.verifier)),
        ours.form(code_verifier=at_other.verifier),
        ours.form(code=ours.code[:-1]),
        ours.form(code="C" * 43),
        short.form(),
        long.form(),
        strange.form(),
    ]
    answers = station.srv.parallel(len(refused), lambda i: station.error(refused[i]))
    assert answers == [INVALID] * len(refused)
    assert [station.reads(station.token(code)) for code in (ours, theirs, at_other)] == [200] * 3
    assert [station.reads(station.token(station.code(verifier=v))) for v in ("s" * 43, "l" * 128)] == [200] * 2


def test_confidential_clients_prove_it(station):
    def basic(name, secret):
        pair = f"{quote_plus(name)}:{quote_plus(secret)}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    code = station.code(MUSEUM)
    bare = code.form(client_id=None, client_secret=None)
    named = code.form(client_secret=None)
    refused = [
        (bare, {}),
        (named, {}),
        (code.form(client_secret=""), {}),
        (code.form(client_secret=SECRET[:-1]), {}),
        (code.form(client_secret="müseum"), {}),
        (code.form(client_id="nobody"), {}),
        (bare, basic("museum", "guess")),
        (bare, basic("museum", "")),
        (bare, basic("museum", SECRET[:2])),
        (bare, basic("nobody", SECRET)),
        (bare, {"Authorization": "Basic museum"}),
        (bare, {"Authorization": "Basic ###"}),
        (bare, {"Authorization": "Bearer " + code.code}),
    ]
    for form, headers in refused:
        r = station.post(form, headers=headers)
        assert (r.status_code, r.json()) == (401, {"error": "invalid_client"})
        assert r.headers["WWW-Authenticate"].split()[0] == "Basic"
    r = station.srv.post("/token", data=named, params={"client_secret": SECRET})
    assert r.status_code == 401
    r = station.post(bare, headers=basic("museum", SECRET))
    assert r.status_code == 200
    assert station.reads(r.json()["access_token"]) == 200
    assert station.reads(station.token(station.code(MUSEUM))) == 200


def test_token_errors_in_order(station):
    code = station.code()
    form = code.form()
    twice = "&".join(f"{name}={quote_plus(value)}" for name, value in [*form.items(), ("code", code.code)])
    nobody = code.form(client_id="nobody")
    cases = [
        (400, "invalid_request", twice),
        (401, "invalid_client", nobody | {"grant_type": "password"}),
        (401, "invalid_client", {"client_id": "nobody"}),
        (401, "invalid_client", {}),
        (400, "unsupported_grant_type", code.form(grant_type="password")),
        (400, "unsupported_grant_type", {"client_id": "field-notes", "grant_type": "refresh_token"}),
        *((400, "invalid_request", code.form(**{name: None})) for name in ("grant_type", "code", "redirect_uri")),
        (400, "invalid_request", code.form(code_verifier=None)),
        (400, "invalid_request", {"client_id": "field-notes", "grant_type": "authorization_code", "code": "x"}),
        (400, "invalid_grant", code.form(code="x")),
    ]
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    for status, error, sent in cases:
        more = {"content": sent.encode()} if isinstance(sent, str) else {"data": sent}
        r = station.srv.post("/token", headers=form_type, **more)
        assert (r.status_code, r.json()) == (status, {"error": error})
        assert "no-store" in r.headers["Cache-Control"]
    r = station.srv.post("/token", params=form, data={"client_id": "field-notes", "grant_type": "authorization_code"})
    assert (r.status_code, r.json()["error"]) == (400, "invalid_request")
    assert station.reads(station.token(code)) == 200


def test_a_code_that_comes_again_revokes(station):
    for change in ({}, {"code_verifier": "x" * 43, "redirect_uri": OTHER}):
        code, bystander = station.code(), station.token(station.code())
        token = station.token(code)
        # Another client has no say in it.
        assert station.error(code.form(client_id="museum", client_secret=SECRET)) == INVALID
        assert station.reads(token) == 200
        assert [station.error(code.form(**change)) for _ in range(2)] == [INVALID] * 2
        assert [station.reads(token), station.reads(bystander)] == [401, 200]
        assert station.error(code.form()) == INVALID


def test_simultaneous_redemptions(station):
    code = station.code()
    answers = station.srv.parallel(8, lambda i: station.post(code.form()))
    assert sorted(r.status_code for r in answers) == [200] + [400] * 7
    token = next(r.json()["access_token"] for r in answers if r.status_code == 200)
    assert {r.json()["error"] for r in answers if r.status_code == 400} == {"invalid_grant"}
    assert station.reads(token) == 401


def test_codes_and_tokens_end(shared):
    known = {"CLIENTS": json.dumps(CLIENTS), "RINGERS": json.dumps(RINGERS)}
    station = Station(shared(**known, CODE_SECONDS=0.3, ACCESS_SECONDS=0.05))
    late = station.code()
    for _ in range(20):
        r = station.post(station.code().form())
        # On a slow day the code is over already: then once more.
        assert r.status_code in (200, 400)
        if r.status_code == 200:
            break
    assert (r.status_code, r.json()["expires_in"]) == (200, 0.05)
    time.sleep(0.32)
    assert station.reads(r.json()["access_token"]) == 401
    assert station.error(late.form()) == INVALID


def test_a_token_can_what_was_allowed(station):
    def allowed(asked_for, name="ben", client=NOTES):
        r = station.post(station.code(client, name=name, scope=asked_for).form())
        assert r.status_code == 200
        scopes = r.json()["scope"].split()
        assert len(scopes) == len(set(scopes))
        return set(scopes), r.json()["access_token"]

    def write(token, ring):
        return station.srv.post("/sightings", json={"ring": ring}, token=token)

    both = {"sightings:read", "sightings:write"}
    scopes, reader = allowed("sightings:read")
    assert scopes == {"sightings:read"}
    scopes, writer = allowed("sightings:write")
    assert scopes == {"sightings:write"}
    everything = [allowed(asked_for) for asked_for in ("sightings:write sightings:read", None, "")]
    assert [scopes for scopes, _ in everything] == [both] * 3
    assert allowed(None, client=MUSEUM)[0] == {"sightings:read"}
    ring = f"B-{next(numbers):04}"
    r = write(writer, ring)
    assert (r.status_code, r.json()["ringer"], r.json()["rings"][-1]) == (201, "ben", ring)
    assert station.srv.get("/sightings", token=reader).json() == r.json()
    assert (write(reader, "X-1").status_code, station.reads(writer)) == (403, 403)
    assert ring not in station.srv.get("/sightings", token=allowed("sightings:read", name="ada")[1]).json()["rings"]
    code = station.code()
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {code.code}"},
        {"Authorization": f"Basic {reader}"},
        {"Authorization": f"Bearer {reader[:-1]}"},
    ):
        r = station.srv.get("/sightings", headers=headers)
        assert r.status_code == 401
        assert r.headers["WWW-Authenticate"].split()[0] == "Bearer"
    assert station.srv.get("/sightings", params={"access_token": reader}).status_code == 401
