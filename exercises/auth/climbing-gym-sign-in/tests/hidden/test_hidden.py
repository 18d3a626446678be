import time
from http.cookies import SimpleCookie
from itertools import count

import pytest

numbers = count(1)
QUICK = {"SESSION_SECONDS": 0.15, "LOCK_SECONDS": 0.2, "MAX_FAILURES": 2}


class Gym:
    """A server, and the members that one check made on it."""

    def __init__(self, srv):
        self.srv = srv

    def invent(self):
        return f"boulderer.{next(numbers)}"

    def join(self):
        name = self.invent()
        password = f"Überhang {name}"
        assert self.srv.post("/members", json={"name": name, "password": password}).status_code == 201
        return name, password

    def sign_in(self, name, password, cookie=None):
        headers = {} if cookie is None else {"Cookie": cookie}
        return self.srv.post("/session", json={"name": name, "password": password}, headers=headers)

    def sid(self, name, password, cookie=None):
        r = self.sign_in(name, password, cookie)
        assert r.status_code == 200
        return SimpleCookie(r.headers["Set-Cookie"])["sid"].value

    def me(self, sid):
        r = self.srv.get("/me", headers={"Cookie": f"sid={sid}"})
        return r.json()["name"] if r.status_code == 200 else r.status_code

    def guess(self, name, times):
        return [self.sign_in(name, f"guess number {i}").status_code for i in range(times)]


@pytest.fixture
def gym(shared):
    return Gym(shared())


@pytest.fixture
def quick_gym(shared):
    return Gym(shared(**QUICK))


def test_joining_is_checked(gym):
    def statuses(path, bodies):
        return gym.srv.parallel(len(bodies), lambda i: gym.srv.post(path, json=bodies[i]).status_code)

    fine = "long enough"
    shapeless = [{}, [], {"name": gym.invent()}, {"password": fine}]
    names = [{"name": name, "password": fine} for name in ("x", "n" * 31, "two words", "zoë", None, 12)]
    passwords = [{"name": gym.invent(), "password": bad} for bad in ("7 chars", "p" * 201, None, 12345678)]
    assert statuses("/members", shapeless + names + passwords) == [422] * 14
    assert statuses("/session", shapeless) == [422] * 4
    name, password = gym.join()
    assert statuses("/members", [{"name": taken, "password": fine} for taken in (name, name.upper())]) == [409] * 2
    r = gym.sign_in(name.title(), password)
    assert (r.status_code, r.json()) == (200, {"name": name})
    assert gym.sign_in(name, fine).status_code == 401
    shouted = gym.invent().upper()
    assert gym.srv.post("/members", json={"name": shouted, "password": "8 chars!"}).json() == {"name": shouted.lower()}


def test_every_sign_in_gets_a_fresh_session(gym):
    victim, attacker = gym.join(), gym.join()
    planted = "planted" * 7
    attackers_own = gym.sid(*attacker)
    sids = [
        gym.sid(*victim, cookie=f"sid={planted}"),
        gym.sid(*victim, cookie=f"sid={attackers_own}"),
        gym.sid(*victim),
        gym.sid(*victim),
    ]
    assert len({planted, attackers_own, *sids}) == 6
    assert min(len(sid) for sid in sids) >= 32
    assert gym.me(planted) == 401
    assert gym.me(attackers_own) == attacker[0]
    assert [gym.me(sid) for sid in sids] == [victim[0]] * 4
    for forged in ("", sids[0][:-1], victim[0]):
        assert gym.me(forged) == 401


def test_sessions_are_independent(gym):
    member, other = gym.join(), gym.join()
    phone, laptop, theirs = gym.sid(*member), gym.sid(*member), gym.sid(*other)
    assert gym.srv.delete("/session").status_code == 204
    assert gym.srv.delete("/session", headers={"Cookie": "sid=unheard-of"}).status_code == 204
    assert gym.srv.delete("/session", headers={"Cookie": f"sid={phone}"}).status_code == 204
    assert [gym.me(sid) for sid in (phone, laptop, theirs)] == [401, member[0], other[0]]


def test_sessions_end_by_themselves(quick_gym):
    sid = quick_gym.sid(*quick_gym.join())
    time.sleep(0.17)
    assert quick_gym.me(sid) == 401


def test_unknown_and_wrong_look_the_same(gym):
    known, _ = gym.join()
    unknown = gym.invent()
    assert gym.guess(known, 1) == gym.guess(unknown, 1) == [401]
    for _ in range(6):
        ours, theirs = (gym.sign_in(name, "a wild guess") for name in (known, unknown))
        assert ours.status_code == theirs.status_code
        assert set(ours.headers) == set(theirs.headers)
        assert "Set-Cookie" not in theirs.headers
        assert ours.json().keys() == theirs.json().keys()
        if ours.status_code == 401:
            assert ours.content == theirs.content


def test_guessing_is_stopped(gym):
    (name, password), neighbour = gym.join(), gym.join()
    inside = gym.sid(name, password)
    assert gym.guess(name, 7) == [401] * 5 + [429] * 2
    for spelling in (name, name.upper()):
        r = gym.sign_in(spelling, password)
        assert (r.status_code, "Set-Cookie" in r.headers) == (429, False)
        assert r.headers["Retry-After"].isdecimal()
        assert 1 <= int(r.headers["Retry-After"]) <= 60
    assert gym.me(inside) == name
    assert gym.sign_in(*neighbour).status_code == 200


def test_success_starts_the_count_again(gym):
    (name, password), other = gym.join(), gym.join()
    for _ in range(2):
        assert gym.guess(name, 4) == [401] * 4
        assert gym.sign_in(name, password).status_code == 200
    assert gym.guess(other[0], 3) == [401] * 3
    assert gym.guess(name, 4) == [401] * 4
    assert gym.sign_in(name, password).status_code == 200
    assert gym.guess(other[0], 3) == [401, 401, 429]


def test_the_lock_opens_again(quick_gym):
    name, password = quick_gym.join()
    assert quick_gym.guess(name, 2) == [401] * 2
    for pause in (0, 0, 0, 0.11):
        time.sleep(pause)
        # Refused while the lock holds. On a slow day it is open already, and this is a success.
        assert quick_gym.sign_in(name, password).status_code in (429, 200)
    time.sleep(0.11)
    assert quick_gym.sign_in(name, password).status_code == 200


def test_simultaneous_guesses_are_all_counted(gym):
    name, _ = gym.join()
    answers = gym.srv.parallel(9, lambda i: gym.sign_in(name, f"parallel guess {i}").status_code)
    assert set(answers) <= {401, 429}
    assert 1 <= answers.count(401) <= 5
