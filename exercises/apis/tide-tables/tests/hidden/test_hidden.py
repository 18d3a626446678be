import time

import pytest


class Client:
    """One key, at times counted from a moment of this check's own."""

    def __init__(self, srv, origin, name="trawler"):
        self.srv, self.origin, self.key = srv, origin, f"{name}-{origin}"

    def ask(self, at, harbour="hull", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        stamp = {"X-Api-Key": self.key, "X-Arrived-At": str(self.origin + at)}
        return self.srv.get(f"/tides/{harbour}", headers={**headers, **stamp})

    def codes(self, *times):
        return [self.ask(at).status_code for at in times]


@pytest.fixture
def origin(rng):
    """A moment that lies behind those of all checks before: a second of theirs is a thousand of the gateway's."""
    return (time.time_ns() - 1_700_000_000 * 10**9) // 1000 + rng.randrange(100)


@pytest.fixture
def two(shared):
    return shared(LIMITS="2/1000")


@pytest.fixture
def three(shared):
    return shared(LIMITS="3/1000")


@pytest.fixture
def both(shared):
    return shared(LIMITS="2/1000,5/10000")


def refusal(r):
    """What a refusal says: the exact wait and the one in seconds."""
    assert r.status_code == 429
    body = r.json()
    assert body == {"error": "rate_limited", "retry_after_ms": body["retry_after_ms"]}
    return body["retry_after_ms"], r.headers["Retry-After"]


def remaining(r):
    assert r.status_code == 200
    return r.headers["X-RateLimit-Remaining"]


def test_no_stretch_holds_more(three, origin, rng):
    for number in range(3):
        client = Client(three, origin - origin % 1000 + 8000 * number + 350 * number, f"ferry-{number}")
        assert client.codes(0, 800, 900, 999) == [200, 200, 200, 429]
        assert client.codes(1000, 1001, 1799) == [200, 429, 429]
        assert client.codes(1800, 1801, 1900, 1999, 2000) == [200, 429, 200, 429, 200]
    client, accepted, at = Client(three, origin + 30_000, "coaster"), [], 0
    for _ in range(20):
        at += rng.choice((0, 1, 125, 249, 250, 450))
        expected = 200 if sum(moment > at - 1000 for moment in accepted) < 3 else 429
        assert client.codes(at) == [expected]
        accepted += [at] * (expected == 200)


def test_refused_requests_do_not_count(two, origin):
    client = Client(two, origin)
    assert client.codes(0, 500) == [200, 200]
    assert client.codes(501, 600, 700, 800, 900, 999) == [429] * 6
    assert client.codes(1000, 1001, 1499) == [200, 429, 429]
    assert client.codes(1500, 1501) == [200, 429]


def test_all_limits_hold_together(both, origin):
    client = Client(both, origin)
    assert client.codes(0, 0, 10, 999) == [200, 200, 429, 429]
    assert client.codes(1000, 1500, 1999, 2000) == [200, 200, 429, 200]
    # Now the longer limit is full; whatever it refuses must leave the shorter one alone.
    assert client.codes(5000, 9997, 9998, 9999) == [429] * 4
    assert client.codes(10_000, 10_001, 10_500) == [200, 200, 429]


def test_retry_after_is_exact(both, origin):
    client = Client(both, origin)
    assert client.codes(0, 400) == [200, 200]
    assert refusal(client.ask(401)) == (599, "1")
    assert refusal(client.ask(999)) == (1, "1")
    assert client.codes(1000) == [200]
    assert refusal(client.ask(1000)) == (400, "1")
    assert client.codes(1400, 2000) == [200, 200]
    # Both limits are full, and the longer one lets in later.
    assert refusal(client.ask(2100)) == (7900, "8")
    assert refusal(client.ask(3000)) == (7000, "7")
    assert refusal(client.ask(3001)) == (6999, "7")
    assert client.codes(9999, 10_000, 10_001) == [429, 200, 429]
    # Both are full again, and now the shorter one lets in later.
    other = Client(both, origin + 20_000, "ketch")
    assert other.codes(0, 3000, 6000, 9400, 9500) == [200] * 5
    assert refusal(other.ask(9600)) == (800, "1")
    assert other.codes(10_399, 10_400) == [429, 200]


def test_remaining_is_the_tightest(both, origin):
    client = Client(both, origin)
    assert [remaining(client.ask(at)) for at in (0, 100)] == ["1", "0"]
    assert [remaining(client.ask(at)) for at in (1100, 1200)] == ["1", "0"]
    assert [remaining(client.ask(at)) for at in (2500, 10_050, 10_150)] == ["0", "0", "0"]
    assert [remaining(client.ask(at)) for at in (12_600, 13_700)] == ["1", "1"]


def test_only_the_key_counts(two, origin):
    client = Client(two, origin)
    spoofs = [{"X_Forwarded_For": f"203.0.113.{i}", "Forwarded": f"for=198.51.100.{i}"} for i in range(4)]
    spoofs += [{"X_Real_IP": "192.0.2.7"}, {"User_Agent": "barge"}, {"Cookie": "key=b"}, {"Authorization": "Bearer x"}]
    got = [client.ask(number, **headers).status_code for number, headers in enumerate(spoofs)]
    assert got == [200, 200, *[429] * 6]
    for key in (client.key.upper(), client.key[:-1], f"__proto__{origin}"):
        other = Client(two, origin)
        other.key = key
        assert other.codes(10, 20, 30) == [200, 200, 429]
    r = two.get("/tides/brest?key=new", headers={"X-Api-Key": client.key, "X-Arrived-At": str(origin + 40)})
    assert r.status_code == 429


def test_every_look_up_counts(three, origin):
    client = Client(three, origin)
    first = client.ask(0, "atlantis")
    assert (first.status_code, first.headers["X-RateLimit-Remaining"]) == (404, "2")
    assert isinstance(first.json()["error"], str)
    assert client.codes(1) == [200]
    assert [client.ask(at, "vineta").status_code for at in (2, 3, 4)] == [404, 429, 429]
    assert client.codes(5, 999, 1000) == [429, 429, 200]
    assert three.get("/tides/atlantis", headers={"X-Api-Key": client.key}).status_code == 400
    assert three.get("/tides/atlantis").status_code == 400
    assert three.get("/tides/atlantis", headers={"X-Arrived-At": str(origin)}).status_code == 401
    for stamp in ("", "-5", "1e5", "12.5", "1" * 16, "soon"):
        r = three.get("/tides/brest", headers={"X-Api-Key": client.key, "X-Arrived-At": stamp})
        assert r.status_code == 400
    assert client.codes(1000, 1001, 1002) == [429, 200, 200]


def test_the_clock_never_goes_back(two, origin):
    one, other = Client(two, origin, "ketch"), Client(two, origin, "sloop")
    assert one.codes(5000, 4000) == [200, 200]
    # The second one counts from 5000, when it was treated.
    assert one.codes(5001, 5999) == [429, 429]
    assert refusal(one.ask(4500)) == (1, "1")
    assert one.codes(6000, 6000, 6000) == [200, 200, 429]
    assert other.codes(8000) == [200]
    assert one.codes(6500, 6999, 7500) == [200, 200, 429]
    nobody = {"X-Arrived-At": str(origin + 60_000)}
    assert two.get("/tides/brest", headers=nobody).status_code == 401
    assert refusal(one.ask(8400)) == (600, "1")


def test_silent_keys_are_forgotten(start, origin):
    srv = start(LIMITS="1/100,3/2000")
    dinghies = [Client(srv, origin, f"dinghy-{number}") for number in range(15)]
    hulk = Client(srv, origin, "hulk")

    def keys():
        return srv.get("/status").json()["keys"]

    assert keys() == 0
    for number, dinghy in enumerate(dinghies):
        assert dinghy.codes(number) == [200]
    assert keys() == 15
    assert dinghies[14].codes(100, 500) == [429, 200]
    assert dinghies[3].codes(1000, 1050) == [200, 429]
    assert keys() == 15
    # A refused request moves the clock, too.
    assert hulk.codes(2010, 2019) == [200, 429]
    assert keys() == 3
    assert hulk.codes(2500, 3000) == [200, 200]
    assert keys() == 1
    assert dinghies[3].codes(3000) == [200]


def test_a_burst_at_one_moment(both, origin):
    clients = [Client(both, origin, name) for name in ("brig", "yawl")]
    answers = both.parallel(12, lambda i: clients[i % 2].ask(0))
    for number in range(2):
        mine = answers[number::2]
        assert sorted(r.status_code for r in mine) == [200] * 2 + [429] * 4
        assert sorted(remaining(r) for r in mine if r.status_code == 200) == ["0", "1"]
        assert {refusal(r) for r in mine if r.status_code == 429} == {(1000, "1")}
    again = both.parallel(6, lambda i: clients[0].ask(1000))
    assert sorted(r.status_code for r in again) == [200] * 2 + [429] * 4
    last = both.parallel(6, lambda i: clients[0].ask(2000))
    assert sorted(r.status_code for r in last) == [200] + [429] * 5
