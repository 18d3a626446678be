import time
from secrets import token_hex

import pytest

USUAL = {"FRESH": 30, "STALE": 300, "LOCK_SECONDS": 5}


@pytest.fixture
def srv(shared):
    return shared(**USUAL)


class Station:
    """A station that no other check knows."""

    def __init__(self, srv, upstream):
        self.srv, self.upstream = srv, upstream
        self.name = f"st-{token_hex(5)}"
        self.page, self.model, self.copy = f"/forecast/{self.name}", f"/model/{self.name}", f"aurora:{self.name}"

    def model_says(self, kp, **how):
        self.upstream.on("GET", self.model, json={"kp": kp}, **how)

    def model_fails(self, status, **how):
        self.upstream.on("GET", self.model, status=status, json={"kp": 9}, **how)

    @property
    def calls(self):
        return self.upstream.count("GET", self.model)

    def get(self, srv=None):
        return (srv or self.srv).get(self.page, timeout=8)

    def kp(self, srv=None):
        answer = self.get(srv)
        assert answer.status_code == 200
        return answer.json()["kp"]

    def wait_for_calls(self, number, seconds=3.0):
        """Wait until the model was asked `number` times; return whether it was."""
        return eventually(lambda: self.calls >= number, seconds)

    def let_the_copy_grow_stale(self):
        """Do to the copy what time does."""
        assert self.srv.redis.pexpire(self.copy, 290_000)

    def let_the_lock_run_out(self):
        """Do to the lock what time does."""
        redis = self.srv.redis
        for key in redis.keys("aurora:*"):
            if 0 <= redis.pttl(key) <= 5_000:
                redis.delete(key)


@pytest.fixture
def station(srv, upstream):
    return Station(srv, upstream)


def eventually(holds, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_two_processes_ask_once(station, start):
    other = start(beside=station.srv, **USUAL)
    station.model_says(6, delay=0.3)
    answers = station.srv.parallel(10, lambda i: station.kp((station.srv, other)[i % 2]))
    assert answers == [6] * 10
    assert station.calls == 1


@pytest.mark.parametrize(("says", "answered"), [(500, 502), (404, 404)])
def test_a_failure_reaches_all(station, start, says, answered):
    other = start(beside=station.srv, **USUAL) if says == 500 else station.srv
    station.model_fails(says, delay=0.3)
    answers = station.srv.parallel(10, lambda i: station.get((station.srv, other)[i % 2]))
    assert [answer.status_code for answer in answers] == [answered] * 10
    assert all(isinstance(answer.json()["error"], str) for answer in answers)
    assert station.calls <= 3  # one, and a few more if some came too late to wait for it
    calls = station.calls
    station.model_says(4)
    assert [station.kp(other), station.kp()] == [4, 4]
    assert station.calls == calls + 1


def test_a_model_that_cannot_be_reached(station):
    station.upstream.down()
    assert station.get().status_code == 502
    station.upstream.up()
    station.upstream.on("GET", station.model, body="<html>")
    assert station.get().status_code == 502
    station.model_says(3)
    assert [station.kp(), station.kp()] == [3, 3]


def test_other_stations_go_on(station):
    quick = Station(station.srv, station.upstream)
    station.model_says(6, delay=0.6)
    quick.model_says(1)

    def step(number):
        if number == 0:
            kp = station.kp()
        else:
            station.wait_for_calls(1, 0.5)
            kp = quick.kp()
        return kp, time.monotonic()

    (slow_kp, slow_end), (quick_kp, quick_end) = station.srv.parallel(2, step)
    assert (slow_kp, quick_kp) == (6, 1)
    assert quick_end < slow_end


def test_stale_while_one_asks(station):
    station.model_says(2)
    assert station.kp() == 2
    station.let_the_copy_grow_stale()
    station.model_says(7, delay=0.4)
    assert station.kp() == 2
    assert set(station.srv.parallel(6, lambda _: station.kp())) <= {2, 7}
    assert eventually(lambda: station.kp() == 7)
    assert station.calls == 2
    assert station.upstream.most_at_once == 1
    assert 320 < station.srv.redis.ttl(station.copy) <= 330


def test_a_failed_refresh_leaves_the_copy(station):
    station.model_says(2)
    assert station.kp() == 2
    station.let_the_copy_grow_stale()
    station.model_fails(500)
    assert station.kp() == 2
    assert station.wait_for_calls(2)
    time.sleep(0.05)
    assert station.kp() == 2
    assert station.srv.redis.pttl(station.copy) <= 290_000
    station.model_says(8)
    assert eventually(lambda: station.kp() == 8)


def test_a_holder_that_dies(station, start):
    other = start(beside=station.srv, **USUAL)
    station.model_says(5)
    station.model_says(9, delay=2, times=1)

    def step(number):
        if number == 0:
            try:
                return station.get(other).status_code
            except Exception:  # its server is killed while it answers
                return "killed"
        station.wait_for_calls(1)
        if number == 1:
            return station.kp()
        time.sleep(0.1)
        other.stop()
        return station.let_the_lock_run_out()

    assert station.srv.parallel(3, step)[1] == 5
    assert station.calls == 2


def test_a_holder_that_comes_back_late(station):
    station.model_says(7, delay=0.7)
    station.model_says(1, delay=0.35, times=1)

    def step(number):
        if number == 0:
            return station.kp()
        station.wait_for_calls(1, 0.3)
        if number == 1:
            station.let_the_lock_run_out()
            return station.kp()
        time.sleep(0.45)
        return station.kp()

    late, second, third = station.srv.parallel(3, step)
    assert late in (1, 7)
    assert (second, third) == (7, 7)
    assert station.calls == 2
    assert [station.kp(), station.calls] == [7, 2]


def test_every_key_has_a_lifetime(station):
    redis, seen = station.srv.redis, {}
    station.model_says(3, delay=0.3)

    def look(number):
        if number == 0:
            return station.kp()
        station.wait_for_calls(1)
        return seen.update({key: redis.pttl(key) for key in redis.keys("*")})

    station.srv.parallel(2, look)
    broken = Station(station.srv, station.upstream)
    broken.model_fails(503)
    assert broken.get().status_code == 502
    seen |= {key: redis.pttl(key) for key in redis.keys("*")}
    assert seen
    assert all(key.startswith("aurora:") and left != -1 for key, left in seen.items())
    assert all(left <= 5_000 for key, left in seen.items() if key.count(":") > 1)
    assert not redis.exists(broken.copy)
