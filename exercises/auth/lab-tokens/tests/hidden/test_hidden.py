import re
import time
from functools import cached_property
from typing import NamedTuple

import pytest

READ, WRITE, MANAGE = ALL = ("samples:read", "samples:write", "tokens:manage")
NOWHERE = 987654321


class Token:
    """A token of the server under test, and requests made with it."""

    def __init__(self, srv, made):
        self.srv, self.secret, self.made = srv, made["token"], made

    def ask(self, method, path, body=None):
        return self.srv.request(method, path, token=self.secret, **({} if body is None else {"json": body}))

    def status(self, method, path, body=None):
        return self.ask(method, path, body).status_code

    def mint_answer(self, *scopes, **more):
        return self.ask("POST", "/tokens", {"name": "robot", "scopes": scopes, **more})

    def mint(self, *scopes, **more):
        r = self.mint_answer(*scopes, **more)
        assert r.status_code == 201
        return Token(self.srv, r.json())

    def sample(self, label="B-4"):
        r = self.ask("POST", "/samples", {"label": label})
        assert r.status_code == 201
        return r.json()

    def listed(self):
        return [token["id"] for token in self.ask("GET", "/tokens").json()["items"]]

    @cached_property
    def id(self):
        # What founds a lab does not tell the token's id; the first of its own list does.
        return self.made["id"] if "scopes" in self.made else self.listed()[0]

    @property
    def lives(self):
        return self.status("GET", "/samples") != 401


class Door(NamedTuple):
    """A request, the scope it needs, and how it is answered to a token that has it."""

    scope: str
    request: tuple
    status: int


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def found(srv):
    def post(name="Lichen"):
        r = srv.post("/labs", json={"name": name})
        assert r.status_code == 201
        return Token(srv, r.json())

    return post


@pytest.fixture
def owner(found):
    return found()


def test_bodies_are_checked(srv, owner):
    fine = {"name": "ok", "scopes": [READ]}
    tokens = [
        {"name": "ok"},
        {"scopes": [READ]},
        fine | {"name": ""},
        fine | {"name": "n" * 61},
        fine | {"scopes": []},
        fine | {"scopes": [READ, READ]},
        fine | {"scopes": ["samples:*"]},
        fine | {"expires_in": 0},
        fine | {"expires_in": 315_360_001},
        fine | {"expires_in": "60"},
        fine | {"expires_in": True},
        fine | {"lab_id": 1},
        fine | {"token": "chosen-by-myself-0123456789abcdef"},
        [fine],
    ]
    samples = [{}, {"label": "l" * 61}, {"label": None}, {"label": "x", "id": 1}]
    labs = [{"name": ""}, {"name": "x", "token": "mine"}, []]
    requests = [("/tokens", body) for body in tokens] + [("/samples", body) for body in samples]
    answers = srv.parallel(len(requests), lambda i: owner.ask("POST", *requests[i]))
    answers += srv.parallel(len(labs), lambda i: srv.post("/labs", json=labs[i]))
    assert [r.status_code for r in answers] == [422] * len(answers)
    assert all(isinstance(r.json()["error"], str) for r in answers)
    assert owner.listed() == [owner.id]
    assert owner.ask("GET", "/samples").json() == {"items": []}
    assert owner.mint(WRITE, READ, expires_in=None).made["scopes"] == [WRITE, READ]


def test_every_bad_credential_looks_the_same(srv, owner):
    revoked = owner.mint(*ALL)
    dying = owner.mint(*ALL, expires_in=0.01)
    assert owner.status("DELETE", f"/tokens/{revoked.id}") == 204
    time.sleep(0.02)
    secret = owner.secret
    assert re.fullmatch(r"[A-Za-z0-9_-]{32,}", secret)
    headers = [
        {"Authorization": f"Bearer {bad}"}
        for bad in (revoked.secret, dying.secret, "A" * 43, secret[:-1], secret + "A", secret.swapcase(), str(owner.id))
    ]
    headers += [{}, {"Authorization": secret}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {secret}"}]
    headers += [{"X-Api-Key": secret}, {"Cookie": f"token={secret}"}]
    answers = srv.parallel(len(headers), lambda i: srv.get("/samples", headers=headers[i]))
    answers += [srv.get("/samples", params={name: secret}) for name in ("token", "access_token")]
    answers += [srv.get("/tokens", token=revoked.secret), srv.delete(f"/samples/{NOWHERE}", token=dying.secret)]
    answers += [srv.post("/tokens", json={"name": "x", "scopes": [READ]}, token=revoked.secret)]
    for r in answers:
        assert r.status_code == 401
        assert r.headers["WWW-Authenticate"].split()[0] == "Bearer"
        assert isinstance(r.json()["error"], str)
        assert r.content == answers[0].content
    assert owner.lives


def test_each_scope_opens_one_door(owner):
    known = f"/samples/{owner.sample()['id']}"
    doors = [
        Door(READ, ("GET", "/samples"), 200),
        Door(READ, ("GET", known), 200),
        Door(READ, ("GET", f"/samples/{NOWHERE}"), 404),
        Door(WRITE, ("POST", "/samples", {"label": "C-1"}), 201),
        Door(WRITE, ("DELETE", f"/samples/{NOWHERE}"), 404),
        Door(MANAGE, ("GET", "/tokens"), 200),
        Door(MANAGE, ("DELETE", f"/tokens/{NOWHERE}"), 404),
        Door(MANAGE, ("POST", "/tokens", {"name": "x", "scopes": [MANAGE]}), 201),
        Door(WRITE, ("DELETE", known), 204),
    ]
    holders = {scope: owner.mint(scope) for scope in ALL}
    shut = [(holders[scope], door) for door in doors for scope in ALL if scope != door.scope]
    answers = owner.srv.parallel(len(shut), lambda i: shut[i][0].status(*shut[i][1].request))
    assert answers == [403] * len(shut)
    assert [holders[door.scope].status(*door.request) for door in doors] == [door.status for door in doors]


def test_labs_never_see_each_other(found):
    ours, theirs = found("Lichen"), found("Fern")
    secret_sample, robot = theirs.sample("secret"), theirs.mint(*ALL)
    our_sample = ours.sample()
    assert ours.ask("GET", "/samples").json() == {"items": [our_sample]}
    assert set(ours.listed()).isdisjoint({theirs.id, robot.id})
    for kind, real in (("samples", secret_sample["id"]), ("tokens", robot.id), ("tokens", theirs.id)):
        for method in ("GET", "DELETE") if kind == "samples" else ("DELETE",):
            there, nowhere = (ours.ask(method, f"/{kind}/{key}") for key in (real, NOWHERE))
            assert (there.status_code, there.content) == (404, nowhere.content)
    assert theirs.ask("GET", f"/samples/{secret_sample['id']}").json() == secret_sample
    assert robot.lives
    assert theirs.lives


def test_no_token_gives_what_it_has_not(owner):
    clerk = owner.mint(READ, MANAGE)
    child = clerk.mint(MANAGE)
    for asking, scopes in (
        (clerk, [WRITE]),
        (clerk, [READ, WRITE]),
        (clerk, ALL),
        (child, [READ]),
        (child, [MANAGE, READ]),
        (owner.mint(WRITE, READ), [READ]),
    ):
        assert asking.mint_answer(*scopes).status_code == 403
    assert owner.listed()[:3] == [owner.id, clerk.id, child.id]
    assert len(owner.listed()) == 4
    assert clerk.mint(READ).status("POST", "/samples", {"label": "D-1"}) == 403


def test_no_token_outlives_its_maker(owner):
    boss = owner.mint(*ALL, expires_in=1000)
    end = boss.made["expires_at"]
    assert abs(end - time.time() - 1000) < 60
    long, endless = boss.mint(*ALL, expires_in=5000), boss.mint(MANAGE)
    assert long.made["expires_at"] == endless.made["expires_at"] == end
    assert long.mint(READ, expires_in=2000).made["expires_at"] == end
    assert long.mint(READ, expires_in=10).made["expires_at"] < end - 900
    brief = owner.mint(*ALL, expires_in=0.15)
    child = brief.mint_answer(READ, expires_in=500)
    time.sleep(0.17)
    assert not brief.lives
    # On a slow day the maker is gone before it can make anything.
    assert child.status_code in (201, 401)
    if child.status_code == 201:
        assert not Token(owner.srv, child.json()).lives
    assert brief.id not in owner.listed()
    assert boss.lives


def test_a_token_sees_only_what_it_made(owner):
    left, right = owner.mint(MANAGE, READ), owner.mint(MANAGE, READ)
    child = left.mint(MANAGE)
    grandchild = child.mint(MANAGE)
    assert owner.listed() == [owner.id, left.id, right.id, child.id, grandchild.id]
    assert left.listed() == [left.id, child.id, grandchild.id]
    assert child.listed() == [child.id, grandchild.id]
    for asking, target in ((left, owner), (left, right), (child, left), (grandchild, child), (right, grandchild)):
        assert asking.status("DELETE", f"/tokens/{target.id}") == 404
    shown = owner.ask("GET", "/tokens")
    assert all(set(token) == {"id", "name", "scopes", "expires_at"} for token in shown.json()["items"])
    assert not any(token.secret in shown.text for token in (owner, left, right, child, grandchild))
    assert shown.json()["items"][0] == {"id": owner.id, "name": "first", "scopes": list(ALL), "expires_at": None}
    assert right.status("DELETE", f"/tokens/{right.id}") == 204
    assert [token.lives for token in (owner, left, right, child, grandchild)] == [True, True, False, True, True]


def test_revoking_reaches_every_generation(owner):
    stolen, bystander = owner.mint(*ALL), owner.mint(*ALL)
    line = [stolen]
    for _ in range(3):
        line.append(line[-1].mint(*ALL))
    assert owner.status("DELETE", f"/tokens/{stolen.id}") == 204
    assert [token.lives for token in line] == [False] * 4
    assert owner.listed() == [owner.id, bystander.id]
    assert owner.status("DELETE", f"/tokens/{line[2].id}") == 404
    assert bystander.lives


def test_the_limit_holds_under_pressure(owner, found):
    neighbour = found()
    helpers = [owner.mint(MANAGE) for _ in range(2)]
    asking = [owner, *helpers]
    answers = owner.srv.parallel(9, lambda i: asking[i % 3].mint_answer(MANAGE).status_code)
    assert sorted(answers) == [201] * 5 + [409] * 4
    assert len(owner.listed()) == 8
    assert neighbour.mint_answer(READ).status_code == 201
    assert owner.status("DELETE", f"/tokens/{owner.listed()[-1]}") == 204
    brief = owner.mint(READ, expires_in=0.02)
    time.sleep(0.03)
    assert not brief.lives
    assert owner.mint_answer(READ).status_code == 201
    assert owner.mint_answer(READ).status_code == 409
