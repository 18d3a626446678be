import itertools
import json
from http.cookies import SimpleCookie

import pytest

OWN, MAP, BEDS = "https://water.example", "https://map.partner.example", "https://beds.example:8443"
ALIKE = [
    "null",
    "",
    "http://map.partner.example",
    "https://map.partner.example:8443",
    "https://beds.example",
    "https://evilmap.partner.example",
    "https://evil.map.partner.example",
    "https://map.partner.example.evil.example",
    "https://map-partner.example",
    "https://map.partner.example/",
    f"{MAP},{BEDS}",
]
numbers = itertools.count(1)


@pytest.fixture
def srv(shared):
    return shared(PARTNERS=f"{MAP},{BEDS}")


class Browser:
    """A gardener's browser: one session, and requests that pages of some origin make with it."""

    def __init__(self, srv, name=None):
        self.srv, self.name = srv, name or f"gardener {next(numbers)}"
        r = srv.post("/session", json={"name": self.name}, headers={"Origin": OWN})
        assert r.status_code == 200
        self.sid = SimpleCookie(r.headers["Set-Cookie"])["__Host-sid"].value
        self.token = self.ask("GET", "/csrf").json()["csrf"]

    def ask(self, method, path, origin=OWN, token=None, **options):
        headers = {"Cookie": f"__Host-sid={self.sid}", **options.pop("headers", {})}
        if origin is not None:
            headers["Origin"] = origin
        if token is not None:
            headers["X-CSRF-Token"] = token
        return self.srv.request(method, path, headers=headers, **options)

    def turn(self, wanted, origin=OWN, **options):
        return self.ask("PUT", "/valve", origin, options.pop("token", self.token), json={"open": wanted}, **options)

    @property
    def open(self):
        return self.ask("GET", "/valve").json()["open"]


@pytest.fixture
def ida(srv):
    return Browser(srv)


def members(r, name):
    return {part.strip().lower() for part in r.headers.get(name, "").split(",") if part.strip()}


def told(r):
    return {name.lower() for name in r.headers if name.lower().startswith("access-control-")}


def ask_first(srv, path, origin, method="PUT", headers="content-type"):
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return srv.options(path, headers={"Origin": origin, **asked})


def test_foreign_origins_are_refused(srv, ida):
    origins = [None, "http://water.example", "https://evil.example", *ALIKE]
    answers = srv.parallel(len(origins), lambda i: ida.turn(True, origins[i]))
    assert [(r.status_code, "error" in r.json()) for r in answers] == [(403, True)] * len(origins)
    assert ida.open is False
    for wanted, origin in ((True, MAP), (False, BEDS), (True, OWN)):
        r = ida.turn(wanted, origin)
        assert (r.status_code, r.json()) == (200, {"open": wanted})
    # Without a session it is the origin that counts first; and where a page comes from is said by Origin alone.
    assert srv.put("/valve", json={"open": False}, headers={"Origin": "null"}).status_code == 403
    assert srv.put("/valve", json={"open": False}, headers={"Origin": OWN}).status_code == 401
    assert ida.turn(False, None, headers={"Referer": f"{OWN}/"}).status_code == 403
    assert ida.open is True


def test_signing_in_and_out_is_for_the_site_alone(srv, ida):
    origins = [None, MAP, "http://water.example"]

    def try_all(i):
        headers = {} if origins[i] is None else {"Origin": origins[i]}
        return [
            srv.post("/session", json={"name": "mallory"}, headers=headers),
            ida.ask("DELETE", "/session", origins[i], ida.token),
            ask_first(srv, "/session", origins[i] or OWN, "POST"),
        ]

    for r in itertools.chain(*srv.parallel(3, try_all)):
        assert (r.status_code, "Set-Cookie" in r.headers, told(r)) == (403, False, set())
    assert ida.ask("DELETE", "/session").status_code == 403
    assert ida.ask("DELETE", "/session", token="x" * 43).status_code == 403
    assert ida.open is False
    assert ida.ask("DELETE", "/session", token=ida.token).status_code == 204
    assert ida.ask("GET", "/valve").status_code == 401
    assert ida.turn(True).status_code == 401
    assert srv.delete("/session", headers={"Origin": OWN}).status_code == 401


def test_the_token_belongs_to_the_session(srv, ida):
    phone, mallory = Browser(srv, ida.name), Browser(srv)
    assert len({ida.token, phone.token, mallory.token, ida.sid, phone.sid, mallory.sid}) == 6
    assert len(ida.token) >= 32
    assert ida.ask("GET", "/csrf").json() == {"csrf": ida.token}
    refused = [
        {"token": token} for token in (None, "", "undefined", phone.token, mallory.token, ida.sid, ida.token[:-1])
    ]
    refused += [
        {"params": {"X-CSRF-Token": ida.token, "csrf": ida.token}},
        {"headers": {"Cookie": f"__Host-sid={ida.sid}; X-CSRF-Token={ida.token}; csrf={ida.token}"}},
        {"json": {"open": True, "csrf": ida.token, "X-CSRF-Token": ida.token}},
    ]
    answers = srv.parallel(
        len(refused), lambda i: ida.ask("PUT", "/valve", **{"json": {"open": True}, **refused[i]}).status_code
    )
    assert answers == [403] * len(refused)
    assert ida.open is False
    assert phone.turn(True).status_code == 200
    assert ida.open is True
    assert mallory.open is False
    assert srv.get("/csrf").status_code == 401


def test_what_is_asked_first(srv, ida):
    good, json_type = json.dumps({"open": True}).encode(), "application/json; charset=utf-8"
    kinds = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", ""]
    tried = [(kind, good, 415) for kind in kinds]
    bad = (b"{}", b'{"open":"true"}', b'{"open":1}', b"[true]", b"null", b"{open")
    tried += [(json_type, body, 422) for body in bad]

    def put(i):
        kind, body, _ = tried[i]
        return ida.ask("PUT", "/valve", token=ida.token, content=body, headers={"Content-Type": kind}).status_code

    assert srv.parallel(len(tried), put) == [status for _, _, status in tried]
    names = [{"name": ""}, {"name": "n" * 31}, {"name": 7}, ["x"]]
    answers = srv.parallel(4, lambda i: srv.post("/session", json=names[i], headers={"Origin": OWN}).status_code)
    assert answers == [422] * 4
    fields = {"Origin": OWN, "Content-Type": "text/plain"}
    assert srv.post("/session", content=b'{"name":"x"}', headers=fields).status_code == 415
    assert srv.put("/valve", content=b"x", headers=fields).status_code == 401
    assert ida.ask("PUT", "/valve", content=b"x", headers=fields).status_code == 403
    assert ida.open is False
    fields["Content-Type"] = json_type
    assert ida.ask("PUT", "/valve", token=ida.token, content=good, headers=fields).status_code == 200
    assert ida.open is True


def test_reading_changes_nothing(srv, ida):
    for path in ("/valve/open", "/valve/close"):
        for r in (ida.ask("GET", path, token=ida.token), srv.get(path)):
            assert (r.status_code, "error" in r.json()) == (410, True)
    override = {"X-HTTP-Method-Override": "PUT", "X-Method-Override": "PUT"}
    ida.ask("GET", "/valve", token=ida.token, params={"open": "true", "_method": "PUT"}, json={"open": True})
    ida.ask("GET", "/valve", token=ida.token, headers=override, json={"open": True})
    ida.ask("HEAD", "/valve/open", token=ida.token)
    assert ida.open is False
    assert ida.turn(True).status_code == 200
    assert ida.ask("GET", "/valve/close", token=ida.token).status_code == 410
    assert ida.open is True


@pytest.mark.parametrize("origin", [BEDS, MAP])
def test_partners_read_answers_and_errors(srv, ida, origin):
    text = {"Content-Type": "text/plain"}
    asked = [
        (200, lambda: ida.ask("GET", "/valve", origin)),
        (200, lambda: ida.ask("GET", "/csrf", origin)),
        (200, lambda: ida.turn(True, origin)),
        (403, lambda: ida.turn(True, origin, token="wrong")),
        (415, lambda: ida.ask("PUT", "/valve", origin, ida.token, content=b"x", headers=text)),
        (422, lambda: ida.ask("PUT", "/valve", origin, ida.token, json={"open": 2})),
        (401, lambda: srv.get("/valve", headers={"Origin": origin})),
        (401, lambda: srv.get("/csrf", headers={"Origin": origin})),
    ]
    answers = srv.parallel(len(asked), lambda i: asked[i][1]())
    assert [r.status_code for r in answers] == [status for status, _ in asked]
    for r in answers:
        assert r.headers.get_list("Access-Control-Allow-Origin") == [origin]
        assert r.headers.get_list("Access-Control-Allow-Credentials") == ["true"]


def test_strangers_read_nothing(srv, ida):
    for r in srv.parallel(len(ALIKE), lambda i: ida.ask("GET", "/valve", ALIKE[i])):
        assert (r.status_code, r.json(), told(r)) == (200, {"open": False}, set())
    for origin in ("null", "https://evil.example"):
        assert told(ida.ask("GET", "/csrf", origin)) == set()
        assert told(ida.turn(True, origin)) == set()
        assert told(srv.get("/valve", headers={"Origin": origin})) == set()
    assert ida.open is False


def test_caches_keep_origins_apart(srv, ida):
    asked = [(path, origin) for path in ("/valve", "/csrf") for origin in (None, OWN, MAP, "null")]
    answers = srv.parallel(len(asked), lambda i: ida.ask("GET", *asked[i]))
    answers += [srv.get(path) for path in ("/valve", "/csrf")]
    answers += [ida.turn(True), ida.turn(True, "null"), ida.turn(True, BEDS), ida.turn(True, token="wrong")]
    answers += [ask_first(srv, "/valve", MAP), ask_first(srv, "/csrf", "https://evil.example", "GET")]
    for r in answers:
        assert "origin" in members(r, "Vary")


def test_preflights_are_exact(srv, ida):
    for path, methods in (("/valve", {"get", "put"}), ("/csrf", {"get"})):
        for method, headers in (("PUT", "content-type,x-csrf-token"), ("DELETE", "x-evil"), ("GET", "")):
            r = ask_first(srv, path, BEDS, method, headers)
            assert (r.status_code, r.content) == (204, b"")
            assert r.headers.get_list("Access-Control-Allow-Origin") == [BEDS]
            assert r.headers.get_list("Access-Control-Allow-Credentials") == ["true"]
            assert members(r, "Access-Control-Allow-Methods") == methods
            assert members(r, "Access-Control-Allow-Headers") == {"content-type", "x-csrf-token"}
            assert r.headers["Access-Control-Max-Age"] == "600"
        for origin in ("null", "https://evil.example"):
            r = ask_first(srv, path, origin)
            assert (r.status_code, told(r)) == (403, set())
    r = ask_first(srv, "/session", MAP, "POST")
    assert (r.status_code, told(r)) == (403, set())
    assert ida.open is False


def test_the_forecast_is_for_everybody(srv, ida):
    for r in (
        srv.get("/forecast"),
        srv.get("/forecast", headers={"Origin": "https://evil.example"}),
        ida.ask("GET", "/forecast", MAP),
        ida.ask("GET", "/forecast", "null"),
    ):
        assert (r.status_code, r.json()) == (200, {"rain_mm": 4})
        assert r.headers.get_list("Access-Control-Allow-Origin") == ["*"]
        assert "Access-Control-Allow-Credentials" not in r.headers
