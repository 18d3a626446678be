import time
from secrets import token_hex

import pytest

PLENTY = {"LEASE": 30}


class Bridge:
    """A bridge that no other check knows."""

    def __init__(self, srv):
        self.srv, self.name = srv, f"b-{token_hex(5)}"
        self.wheel, self.span = f"/bridges/{self.name}/wheel", f"/bridges/{self.name}/span"

    def try_to_take(self, holder="ana", srv=None):
        return (srv or self.srv).post(self.wheel, json={"holder": holder})

    def take(self, holder="ana", srv=None):
        """Return the lease as the server gave it."""
        answer = self.try_to_take(holder, srv)
        assert answer.status_code == 201
        return answer.json()

    def extend(self, token, srv=None):
        return (srv or self.srv).put(self.wheel, headers={"X-Token": token})

    def release(self, token, srv=None):
        return (srv or self.srv).delete(self.wheel, headers={"X-Token": token})

    def move(self, number, angle, srv=None):
        return (srv or self.srv).put(self.span, json={"number": number, "angle": angle})

    @property
    def holder(self):
        return self.srv.get(self.wheel).json()["holder"]

    @property
    def angle(self):
        return self.srv.get(self.span).json()["angle"]

    def lifetimes(self):
        """Return the milliseconds left, by key, of this bridge's keys that have a lifetime."""
        redis = self.srv.redis
        left = {key: redis.pttl(key) for key in redis.keys(f"bridge:{self.name}:*")}
        return {key: each for key, each in left.items() if each >= 0}

    def let_the_lease_run_out(self):
        """Do to the lease what time does."""
        for key in self.lifetimes():
            self.srv.redis.delete(key)


@pytest.fixture
def srv(shared):
    return shared(**PLENTY)


@pytest.fixture
def bridge(srv):
    return Bridge(srv)


def test_nonsense_is_refused(srv, bridge):
    lease = bridge.take()
    headers = {"Content-Type": "application/json"}
    too_long = b'{"holder": "%s"}' % (b"h" * 41)
    for body in (b"", b"[]", b"null", b'{"holder"', b"{}", b'{"holder": ""}', b'{"holder": 7}', too_long):
        answer = srv.post(bridge.wheel, content=body, headers=headers)
        assert answer.status_code == 400
        assert isinstance(answer.json()["error"], str)
    number = lease["number"]
    for body in (
        {"number": number},
        {"angle": 3},
        {"number": number, "angle": -1},
        {"number": number, "angle": 81},
        {"number": number, "angle": 4.5},
        {"number": number, "angle": "40"},
        {"number": number, "angle": True},
        {"number": str(number), "angle": 3},
        {"number": 0, "angle": 3},
        [number, 3],
    ):
        assert srv.put(bridge.span, json=body).status_code == 400
    for method in ("PUT", "DELETE"):
        assert srv.request(method, bridge.wheel).status_code == 400
        assert srv.request(method, bridge.wheel, headers={"X-Token": ""}).status_code == 400
    assert (bridge.holder, bridge.angle) == ("ana", 0)
    assert bridge.move(number, 80).status_code == 200
    assert Bridge(srv).take("h" * 40)["seconds"] == 30


def test_one_of_many_gets_the_wheel(srv, start):
    other = start(beside=srv, **PLENTY)
    for _ in range(3):
        bridge = Bridge(srv)
        answers = srv.parallel(10, lambda i, bridge=bridge: bridge.try_to_take(f"p{i}", (srv, other)[i % 2]))
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [201, *[409] * 9]
        assert bridge.holder == f"p{statuses.index(201)}"


def test_processes_share_everything(srv, start, bridge):
    other = start(beside=srv, **PLENTY)
    first = bridge.take("ana")
    assert bridge.try_to_take("ana", other).status_code == 409
    assert bridge.extend(first["token"], other).json() == {"number": first["number"], "seconds": 30}
    assert bridge.move(first["number"], 20, other).status_code == 200
    assert bridge.angle == 20
    assert bridge.release(first["token"], other).status_code == 204
    second = bridge.take("ben", other)
    other.stop()
    assert bridge.holder == "ben"
    assert bridge.try_to_take("cid").status_code == 409
    assert bridge.release(second["token"]).status_code == 204
    assert bridge.take("cid")["number"] > second["number"] > first["number"]


def test_a_lease_ends_by_itself(shared):
    bridge = Bridge(shared(LEASE=0.3))
    first = bridge.take("ana")
    assert first["seconds"] == 0.3
    time.sleep(0.35)
    assert bridge.holder is None
    second = bridge.take("ben")
    assert second["number"] > first["number"]
    assert second["token"] != first["token"]


def test_a_lease_is_a_key_that_ends(srv, bridge):
    lease = bridge.take()
    (left,) = bridge.lifetimes().values()
    assert 20_000 < left <= 30_000
    for key in bridge.lifetimes():
        srv.redis.pexpire(key, 5_000)
    assert bridge.extend(lease["token"]).status_code == 200
    (left,) = bridge.lifetimes().values()
    assert 20_000 < left <= 30_000
    bridge.let_the_lease_run_out()
    assert bridge.holder is None
    assert bridge.extend(lease["token"]).status_code == 409
    assert bridge.release(lease["token"]).status_code == 409
    assert bridge.lifetimes() == {}
    assert bridge.take("ben")["number"] > lease["number"]


def test_old_tokens_change_nothing(srv, bridge):
    first = bridge.take("ana")
    bridge.let_the_lease_run_out()
    second = bridge.take("ben")
    for key in bridge.lifetimes():
        srv.redis.pexpire(key, 9_000)
    assert bridge.extend(first["token"]).status_code == 409
    assert all(left <= 9_000 for left in bridge.lifetimes().values())
    for token in (first["token"], second["token"][:-1], second["token"] + "x", str(second["number"]), "ben"):
        assert bridge.release(token).status_code == 409
    assert bridge.holder == "ben"
    assert bridge.try_to_take("cid").status_code == 409
    assert bridge.release(second["token"]).status_code == 204


def test_a_lease_that_ends_while_it_is_given_back(srv):
    for _ in range(2):
        bridge = Bridge(srv)
        lease = bridge.take("ana")

        def step(number, bridge=bridge, lease=lease):
            if number == 0:
                return bridge.release(lease["token"]).status_code
            time.sleep(0.06)
            bridge.let_the_lease_run_out()
            return bridge.try_to_take("ben").status_code

        released, taken = srv.parallel(2, step)
        assert released in (204, 409)
        assert taken == 201
        assert bridge.holder == "ben"
        assert bridge.try_to_take("cid").status_code == 409


def test_the_fence_refuses_who_outlived_the_lease(bridge):
    first = bridge.take("ana")
    assert bridge.move(first["number"], 10).status_code == 200
    bridge.let_the_lease_run_out()
    assert bridge.move(first["number"], 15).status_code == 200
    second = bridge.take("ben")
    assert bridge.move(first["number"], 70).status_code == 409
    assert bridge.angle == 15
    assert bridge.move(second["number"], 30).status_code == 200
    for number in (first["number"], second["number"] + 1, second["number"] + 1000):
        answer = bridge.move(number, 75)
        assert answer.status_code == 409
        assert isinstance(answer.json()["error"], str)
    assert bridge.srv.get(bridge.span).json() == {"angle": 30, "number": second["number"]}
    assert Bridge(bridge.srv).move(1, 5).status_code == 409


def test_the_fence_holds_in_a_crowd(srv):
    for _ in range(3):
        bridge = Bridge(srv)
        old = bridge.take("ana")
        bridge.let_the_lease_run_out()

        def step(number, bridge=bridge, old=old):
            if number < 3:
                return bridge.move(old["number"], 70 + number).status_code
            time.sleep(0.03)
            return bridge.take("ben")["number"], bridge.angle

        *late, (newest, seen) = srv.parallel(4, step)
        assert set(late) <= {200, 409}
        assert bridge.angle == seen  # nothing of the old lease's after that
        assert bridge.move(newest, 5).status_code == 200
        assert bridge.angle == 5


def test_numbers_grow_for_ever(srv, bridge):
    numbers = []
    for turn in range(6):
        lease = bridge.take()
        numbers.append(lease["number"])
        if turn % 2:
            bridge.let_the_lease_run_out()
        else:
            assert bridge.release(lease["token"]).status_code == 204
        assert srv.get(bridge.wheel).json() == {"holder": None, "number": numbers[-1]}
    assert numbers == sorted(set(numbers))
    assert srv.get(Bridge(srv).wheel).json() == {"holder": None, "number": 0}


def test_tokens_are_secrets(srv, bridge):
    tokens = []
    for _ in range(5):
        tokens.append(bridge.take()["token"])
        told = [bridge.try_to_take("eve"), srv.get(bridge.wheel), bridge.extend(tokens[-1]), bridge.release("guess")]
        assert [answer.status_code for answer in told] == [409, 200, 200, 409]
        assert not any(tokens[-1] in answer.text + str(answer.headers) for answer in told)
        bridge.release(tokens[-1])
    assert len(set(tokens)) == 5
    assert all(len(token) >= 20 for token in tokens)
    assert len({token[:8] for token in tokens}) == len({token[-8:] for token in tokens}) == 5


def test_bridges_are_apart(srv, bridge):
    mine, other = bridge.take("ana"), Bridge(srv)
    theirs = other.take("ben")
    assert bridge.release(theirs["token"]).status_code == 409
    assert bridge.extend(theirs["token"]).status_code == 409
    bridge.release(mine["token"])
    bridge.take("cid")
    assert other.move(theirs["number"], 12).status_code == 200
    assert (bridge.angle, other.angle) == (0, 12)
    assert other.holder == "ben"
    assert other.lifetimes()
