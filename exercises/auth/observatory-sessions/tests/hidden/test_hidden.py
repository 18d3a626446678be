import re
import time
from itertools import count, pairwise

import pytest

PASSWORD = "Großer Refraktor"
numbers = count(1)


class Dome:
    """The server, and observers that one check made on it."""

    def __init__(self, srv):
        self.srv = srv

    def invent(self):
        return f"tycho-{next(numbers)}"

    def join(self):
        name = self.invent()
        r = self.srv.post("/observers", json={"name": name, "password": PASSWORD})
        assert r.status_code == 201
        return name

    def sign_in(self, name, device="phone"):
        r = self.srv.post("/sessions", json={"name": name, "password": PASSWORD, "device": device})
        assert r.status_code == 201
        return r.json()

    def refreshing(self, pair):
        return self.srv.post("/refresh", json={"refresh_token": pair["refresh_token"]})

    def refresh(self, pair):
        r = self.refreshing(pair)
        assert r.status_code == 200
        return r.json()

    def refused(self, pair):
        return self.refreshing(pair).status_code

    def line(self, name, length):
        """The pairs of one session, each refreshed from the one before."""
        pairs = [self.sign_in(name)]
        while len(pairs) < length:
            pairs.append(self.refresh(pairs[-1]))
        return pairs

    def lives(self, *pairs):
        """Whether each access token is good."""
        answers = [self.srv.get("/me", token=pair["access_token"]) for pair in pairs]
        assert {r.status_code for r in answers} <= {200, 401}
        return [r.status_code == 200 for r in answers]

    def delete(self, pair, path):
        return self.srv.delete(path, token=pair["access_token"]).status_code

    def listed(self, pair):
        r = self.srv.get("/sessions", token=pair["access_token"])
        assert r.status_code == 200
        return [(item["id"], item["device"], item["current"]) for item in r.json()["items"]]


@pytest.fixture
def dome(shared):
    return Dome(shared())


@pytest.fixture
def patient(shared):
    return Dome(shared(GRACE_SECONDS=60, SESSION_SECONDS=500, ACCESS_SECONDS=5000))


@pytest.fixture
def quick(shared):
    return Dome(shared(ACCESS_SECONDS=0.06, GRACE_SECONDS=0.05, REFRESH_SECONDS=0.3))


def test_bodies_and_passwords_are_checked(dome):
    name = dome.join()
    good = {"name": name, "password": PASSWORD, "device": "tablet"}
    shapeless = [[], None, {}, {"name": name}, {"name": name, "password": 12345678, "device": "tablet"}]
    requests = [("/sessions", body) for body in [*shapeless, good | {"device": ""}, good | {"device": "d" * 61}]]
    requests += [("/sessions", {"name": name, "password": PASSWORD}), ("/sessions", good | {"device": None})]
    requests += [("/observers", body) for body in shapeless[:4]]
    requests += [("/observers", {"name": n, "password": PASSWORD}) for n in ("x", "n" * 31, "Tycho", "ty cho", None)]
    requests += [("/observers", {"name": dome.invent(), "password": p}) for p in ("seven77", "p" * 201, None)]
    requests += [("/refresh", body) for body in ([], {}, {"refresh_token": 7}, {"refresh_token": None})]
    answers = dome.srv.parallel(len(requests), lambda i: dome.srv.post(requests[i][0], json=requests[i][1]))
    assert [r.status_code for r in answers] == [422] * len(requests)
    assert dome.srv.post("/observers", json=good).status_code == 409
    sign_ins = [good | {"password": PASSWORD + "!"}, good | {"name": dome.invent()}, good | {"name": "NO SUCH NAME"}]
    answers = [dome.srv.post("/sessions", json=body) for body in sign_ins]
    assert [r.status_code for r in answers] == [401] * 3
    assert {r.content for r in answers} == {answers[0].content}
    assert isinstance(answers[0].json()["error"], str)
    assert dome.lives(dome.sign_in(name)) == [True]


def test_each_token_has_one_use(dome):
    pair = dome.sign_in(dome.join())
    access, refresh = pair["access_token"], pair["refresh_token"]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32,}", token) for token in (access, refresh))
    assert access != refresh
    headers = [
        {},
        {"Authorization": f"Bearer {refresh}"},
        {"Authorization": f"Basic {access}"},
        {"Authorization": access},
        {"Authorization": f"Bearer {access[:-1]}"},
        {"Cookie": f"access_token={access}"},
    ]
    answers = [dome.srv.get("/me", headers=header) for header in headers]
    answers += [dome.srv.get("/sessions", headers=header) for header in headers[:2]]
    answers += [dome.srv.delete("/sessions", headers=header) for header in headers[:2]]
    assert [r.status_code for r in answers] == [401] * 10
    assert all(r.headers["WWW-Authenticate"].split()[0] == "Bearer" for r in answers)
    assert dome.srv.get("/me", params={"access_token": access}).status_code == 401
    assert dome.srv.post("/refresh", json={"refresh_token": access}).status_code == 401
    assert dome.srv.post("/logout", json={"refresh_token": access}).status_code == 204
    assert dome.lives(pair) == [True]
    assert dome.refused(pair) == 200


def test_refreshing_does_not_move_the_limit(patient):
    pair = patient.sign_in(patient.join())
    ends = [pair["refresh_expires_in"]]
    for _ in range(3):
        time.sleep(0.03)
        pair = patient.refresh(pair)
        ends.append(pair["refresh_expires_in"])
    assert 300 < ends[3] < ends[0] < 501
    assert all(later <= earlier - 0.02 for earlier, later in pairwise(ends))
    # Access tokens live no longer than their session.
    assert 300 < pair["expires_in"] < pair["refresh_expires_in"] + 0.01


def test_tokens_end_by_themselves(quick):
    name = quick.join()
    for _ in range(20):
        pair = quick.sign_in(name)
        assert pair["expires_in"] < 0.07
        assert pair["refresh_expires_in"] < 0.31
        time.sleep(0.07)
        assert quick.lives(pair) == [False]
        r = quick.refreshing(pair)
        # On a slow day the refresh token is over, too: then once more.
        assert r.status_code in (200, 401)
        if r.status_code == 200:
            break
    assert r.status_code == 200
    time.sleep(0.32)
    assert quick.refused(r.json()) == 401


def test_nothing_of_an_ended_session_is_left(dome):
    name = dome.join()
    bystanders = [dome.sign_in(name, "laptop"), dome.sign_in(dome.join())]
    for spent in (0, 1):
        pairs = dome.line(name, 3)
        assert dome.lives(*pairs) == [True] * 3
        assert dome.refused(pairs[spent]) == 401
        assert dome.lives(*pairs) == [False] * 3
        assert [dome.refused(pair) for pair in reversed(pairs)] == [401] * 3
        assert dome.lives(*bystanders) == [True] * 2
    assert [dome.refused(pair) for pair in bystanders] == [200] * 2


def test_only_the_newest_spent_token_is_forgiven(patient, quick):
    name = patient.join()
    first, second, third = patient.line(name, 3)
    for _ in range(3):
        r = patient.refreshing(second)
        assert r.status_code == 409
        assert set(r.json()) == {"error"}
    assert patient.lives(first, second, third) == [True] * 3
    fourth = patient.refresh(third)
    assert patient.refused(third) == 409
    assert patient.refused(second) == 401
    assert patient.lives(third, fourth) == [False] * 2
    assert [patient.refused(pair) for pair in (third, fourth)] == [401] * 2

    first = quick.sign_in(quick.join())
    second = quick.refreshing(first)
    assert second.status_code in (200, 401)  # 401 on a slow day
    time.sleep(0.07)
    assert quick.refused(first) == 401
    if second.status_code == 200:
        assert quick.refused(second.json()) == 401


def test_simultaneous_refreshes_give_one_pair(dome, patient):
    pair = patient.sign_in(patient.join())
    answers = patient.srv.parallel(8, lambda i: patient.refreshing(pair))
    assert sorted(r.status_code for r in answers) == [200] + [409] * 7
    winner = next(r.json() for r in answers if r.status_code == 200)
    assert patient.lives(pair, winner) == [True] * 2
    assert patient.refused(winner) == 200
    spent = dome.sign_in(dome.join())
    answers = dome.srv.parallel(8, lambda i: dome.refreshing(spent))
    assert sorted(r.status_code for r in answers) == [200] + [401] * 7
    winner = next(r.json() for r in answers if r.status_code == 200)
    assert dome.lives(winner) == [False]


def test_every_refused_refresh_looks_the_same(dome):
    name = dome.join()
    pairs = dome.line(name, 3)
    ended = dome.sign_in(name)
    assert dome.delete(ended, "/sessions/" + ended["session_id"]) == 204
    answers = [dome.refreshing({"refresh_token": token}) for token in ("R" * 43, "", pairs[2]["access_token"])]
    answers += [dome.refreshing(pair) for pair in (ended, pairs[0], pairs[0], pairs[1], pairs[2])]
    assert [r.status_code for r in answers] == [401] * 8
    assert {r.content for r in answers} == {answers[0].content}


def test_signing_out_ends_the_session(dome):
    name = dome.join()
    stays = dome.sign_in(name)
    for used in (2, 0):
        pairs = dome.line(name, 3)
        for _ in range(2):
            r = dome.srv.post("/logout", json={"refresh_token": pairs[used]["refresh_token"]})
            assert r.status_code == 204
        assert dome.lives(*pairs) == [False] * 3
        assert dome.refused(pairs[2]) == 401
    for body in ({"refresh_token": "L" * 43}, {"refresh_token": 5}, {}, []):
        assert dome.srv.post("/logout", json=body).status_code == 204
    assert dome.srv.post("/logout").status_code == 204
    assert dome.lives(stays) == [True]


def test_observers_end_their_own_sessions(dome):
    name = dome.join()
    desk, phone, tablet = (dome.sign_in(name, device) for device in ("desk", "phone", "tablet"))
    stranger = dome.sign_in(dome.join(), "desk")
    phone = dome.refresh(phone)
    ids = [pair["session_id"] for pair in (desk, phone, tablet)]
    assert dome.listed(phone) == list(zip(ids, ("desk", "phone", "tablet"), (False, True, False), strict=True))
    assert dome.delete(stranger, f"/sessions/{ids[0]}") == 404
    assert dome.delete(desk, f"/sessions/{stranger['session_id']}") == 404
    assert dome.delete(desk, "/sessions/nowhere") == 404
    assert dome.delete(desk, f"/sessions/{ids[2]}") == 204
    assert dome.delete(desk, f"/sessions/{ids[2]}") == 404
    assert dome.lives(desk, phone, tablet, stranger) == [True, True, False, True]
    assert dome.refused(tablet) == 401
    assert [row[0] for row in dome.listed(desk)] == ids[:2]
    assert dome.delete(phone, "/sessions") == 204
    assert dome.lives(desk, phone, stranger) == [False, False, True]
    assert [dome.refused(pair) for pair in (desk, phone, stranger)] == [401, 401, 200]


def test_a_restart_forgets_nothing(patient):
    name = patient.join()
    pairs, ended = patient.line(name, 3), patient.sign_in(name)
    assert patient.delete(ended, f"/sessions/{ended['session_id']}") == 204
    patient.srv.restart()
    assert patient.lives(*pairs, ended) == [True, True, True, False]
    assert patient.srv.post("/observers", json={"name": name, "password": PASSWORD}).status_code == 409
    assert patient.refused(ended) == 401
    fourth = patient.refresh(pairs[2])
    assert patient.lives(fourth) == [True]
    assert patient.refused(pairs[1]) == 401
    assert patient.lives(fourth) == [False]
    assert patient.lives(patient.sign_in(name)) == [True]
