import itertools
import time

import pytest

QUICK = {"REDIS_TIMEOUT": 2, "BREAK_SECONDS": 0.3}
IMPATIENT = QUICK | {"REDIS_TIMEOUT": 0.2}  # where Redis is silent
numbers = itertools.count(1000)


@pytest.fixture
def srv(shared):
    return settled(shared(**QUICK))


def settled(srv, each=lambda: None):
    """Return the server once it uses Redis; do `each` after every request until then."""
    deadline = time.monotonic() + 6
    while srv.get("/health").json()["status"] != "ok":
        assert time.monotonic() < deadline, "Redis is not used again"
        time.sleep(0.05)
        srv.get("/stops/0")
        each()
    return srv


class Stop:
    """A stop that no other check knows, as the archive and the guide tell it."""

    def __init__(self, srv, upstream):
        self.srv, self.upstream = srv, upstream
        self.path = f"/stops/{next(numbers)}"
        self.is_now("first")

    def is_now(self, text, **how):
        self.upstream.on("GET", self.path, json={"text": text}, **how)

    @property
    def asked(self):
        return self.upstream.count("GET", self.path)

    def told(self, srv=None, **options):
        answer = (srv or self.srv).get(self.path, **options)
        assert answer.status_code == 200
        return answer.json()["text"]

    def change(self, text, **options):
        """Correct the text at the archive, through the guide."""
        self.upstream.on("PUT", self.path, json={"text": text})
        self.is_now(text)
        answer = self.srv.put(self.path, json={"text": text}, **options)
        assert (answer.status_code, answer.json()) == (200, {"text": text})


@pytest.fixture
def stop(srv, upstream):
    return Stop(srv, upstream)


def test_a_silent_redis_holds_nobody_up(start, upstream, redis):
    stop = Stop(settled(start(**IMPATIENT)), upstream)
    assert stop.told() == "first"
    with redis.pause():
        assert stop.told(timeout=3) == "first"
        stop.change("second", timeout=3)
        assert stop.told(timeout=3) == "second"
        missing = stop.srv.get("/stops/999", timeout=3)
        assert missing.status_code == 404


def test_a_sick_redis_is_left_alone(start, upstream, redis):
    stop = Stop(settled(start(REDIS_TIMEOUT=0.3, BREAK_SECONDS=60)), upstream)
    upstream.on("GET", "/stops/*", json={"text": "any"})
    with redis.pause():
        begin = time.monotonic()
        for _ in range(24):
            assert stop.srv.get(f"/stops/{next(numbers)}", timeout=3).status_code == 200
        assert time.monotonic() - begin < 4  # 24 attempts of 0.3 s are 7.2 s


def test_starting_without_redis(start, upstream, redis):
    with redis.down():
        stop = Stop(start(**QUICK), upstream)
        assert [stop.told(), stop.told()] == ["first", "first"]
        assert stop.srv.get("/health").json() == {"status": "degraded"}
    settled(stop.srv)
    stop.told()
    asked = stop.asked
    assert [stop.told(), stop.told()] == ["first", "first"]
    assert stop.asked == asked


@pytest.mark.parametrize("works", [True, False])
def test_the_archive_is_asked_by_one(stop, redis, works):
    stop.is_now("slow", delay=0.3)
    if not works:
        redis.down()
    answers = stop.srv.parallel(8, lambda _: stop.told())
    assert answers == ["slow"] * 8
    assert stop.upstream.most_at_once == 1
    assert stop.asked <= 3


def test_redis_comes_back(stop, redis):
    assert stop.told() == "first"
    with redis.down():
        assert stop.told() == "first"
    settled(stop.srv)
    other = Stop(stop.srv, stop.upstream)
    before = set(stop.srv.redis.keys("*"))
    assert [other.told() for _ in range(3)] == ["first"] * 3
    assert other.asked == 1
    made = set(stop.srv.redis.keys("*")) - before
    assert all(key.startswith("guide:") for key in made)
    assert any(0 < stop.srv.redis.pttl(key) <= 60_000 for key in made)


def test_redis_comes_back_empty(stop, redis):
    assert stop.told() == "first"
    redis.restart()
    assert stop.told() == "first"
    settled(stop.srv)
    deadline, hit = time.monotonic() + 5, False
    while not hit:
        assert time.monotonic() < deadline, "nothing is kept any more"
        asked = stop.asked
        assert [stop.told(), stop.told()] == ["first", "first"]
        hit = stop.asked == asked


def test_copies_are_shared(start, stop):
    other = settled(start(beside=stop.srv, **QUICK))
    settled(stop.srv)
    assert stop.told() == "first"
    assert [stop.told(other), stop.told(other)] == ["first", "first"]
    assert stop.asked == 1
    stop.change("second")
    assert [stop.told(other), stop.told()] == ["second", "second"]


def test_changes_during_an_outage(start, upstream, redis):
    stop = Stop(settled(start(**IMPATIENT)), upstream)
    other = settled(start(beside=stop.srv, **IMPATIENT))
    assert stop.told() == "first"
    with redis.down():
        stop.change("second")
        assert stop.told() == "second"
    settled(stop.srv, each=lambda: check(stop.told(), "second"))
    assert [stop.told(), stop.told(other), stop.told(other)] == ["second"] * 3
    settled(other)
    with redis.pause():
        stop.change("third", timeout=3)
        assert stop.told(timeout=3) == "third"
    settled(stop.srv, each=lambda: check(stop.told(), "third"))
    assert [stop.told(), stop.told(other), stop.told(other)] == ["third"] * 3


def check(actual, expected):
    assert actual == expected


def test_changes_before_a_crash(stop, redis):
    assert stop.told() == "first"
    with redis.down():
        stop.change("second")
        stop.srv.restart()
        assert stop.told() == "second"
    settled(stop.srv, each=lambda: check(stop.told(), "second"))
    assert [stop.told(), stop.told()] == ["second", "second"]


def test_readers_who_began_before_the_change(stop):
    stop.is_now("second")
    stop.is_now("first", delay=0.5, times=1)

    def step(number):
        if number == 0:
            return stop.told()
        deadline = time.monotonic() + 0.4
        while not stop.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        stop.upstream.on("PUT", stop.path, json={"text": "second"})
        assert stop.srv.put(stop.path, json={"text": "second"}).status_code == 200
        return stop.told()

    slow, quick = stop.srv.parallel(2, step)
    assert quick == "second"
    assert slow in ("first", "second")
    assert [stop.told(), stop.told()] == ["second", "second"]


def test_health_tells(stop, redis):
    def health():
        answer = stop.srv.get("/health")
        assert answer.status_code == 200
        return answer.json()

    assert health() == {"status": "ok"}
    with redis.down():
        stop.told()
        assert health() == {"status": "degraded"}
        assert health() == {"status": "degraded"}
    settled(stop.srv)
    assert health() == {"status": "ok"}


def test_failures_of_the_archive(stop):
    stop.upstream.on("GET", stop.path, status=500, json={"text": "trouble"})
    assert stop.srv.get(stop.path).status_code == 502
    stop.upstream.down()
    assert stop.srv.get(stop.path).status_code == 502
    stop.upstream.up()
    stop.is_now("again")
    assert stop.told() == "again"
