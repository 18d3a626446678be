import json
import time
from secrets import token_hex

import pytest


@pytest.fixture
def srv(shared):
    return shared(TTL=100, MISSING_TTL=8)


class Report:
    """A report that no other check knows: at the institute, and at the server."""

    def __init__(self, srv, upstream):
        self.srv, self.upstream = srv, upstream
        self.region = f"r-{token_hex(5)}"
        self.path = f"/reports/{self.region}"

    def is_now(self, level, **how):
        """Let the institute say this from now on."""
        self.upstream.on("GET", self.path, json=self.text(level), **how)

    def text(self, level):
        return {"region": self.region, "level": level}

    @property
    def asked(self):
        return self.upstream.count("GET", self.path)

    def seen(self):
        """Return the level that a reader is told."""
        answer = self.srv.get(self.path)
        assert answer.status_code == 200
        return answer.json()["level"]


@pytest.fixture
def report(srv, upstream):
    return Report(srv, upstream)


def lifetimes(srv, before):
    """Return the milliseconds that the keys made since `before` have left."""
    return [srv.redis.pttl(key) for key in set(srv.redis.keys("*")) - before]


def diary(srv, name, season):
    return srv.get("/diary", params={"season": season}, token=name)


def test_copies_end_at_different_times(srv, upstream):
    before = set(srv.redis.keys("*"))
    stem = f"/reports/s-{token_hex(4)}"
    upstream.on("GET", "/reports/*", json={"level": 1})
    for number in range(14):
        assert srv.get(f"{stem}-{number}").status_code == 200
    left = lifetimes(srv, before)
    assert len(left) == 14
    assert min(left) > 85_000
    assert max(left) <= 125_000
    assert max(left) - min(left) > 1500


def test_redis_is_shared(srv, report):
    foreign = {"visitors": "7", report.region: "mine", report.path: "mine", "weather:pollen": "open"}
    before = {*srv.redis.keys("*"), *foreign}
    for key, value in foreign.items():
        srv.redis.set(key, value)
    report.is_now(3)
    neighbour = Report(srv, report.upstream)
    neighbour.is_now(1)
    assert (report.seen(), report.seen(), neighbour.seen()) == (3, 3, 1)
    made = set(srv.redis.keys("*")) - before
    assert made
    assert all(key.startswith("pollen:") for key in made)
    report.upstream.on("PUT", report.path, json=report.text(2))
    assert srv.put(report.path, json=report.text(2)).status_code == 200
    assert {key: srv.redis.get(key) for key in foreign} == foreign
    assert (neighbour.seen(), neighbour.asked) == (1, 1)
    srv.redis.delete(*(set(srv.redis.keys("pollen:*")) - before))
    neighbour.is_now(5)
    assert (neighbour.seen(), neighbour.asked) == (5, 2)


def test_unknown_regions_are_remembered_shortly(srv, report):
    before = set(srv.redis.keys("*"))
    for _ in range(3):
        answer = srv.get(report.path)
        assert answer.status_code == 404
        assert isinstance(answer.json()["error"], str)
    assert report.asked == 1
    (left,) = lifetimes(srv, before)
    assert 0 < left <= 10_000
    report.upstream.on("PUT", report.path, status=201, json=report.text(2))
    report.is_now(2)
    made = srv.put(report.path, json=report.text(2))
    assert (made.status_code, made.json()) == (201, report.text(2))
    assert report.seen() == 2


def test_failures_are_not_kept(srv, report, upstream):
    before = set(srv.redis.keys("*"))
    kept = Report(srv, upstream)
    kept.is_now(3)
    assert kept.seen() == 3
    before |= set(srv.redis.keys("*"))
    for failure in ({"status": 500, "json": {}}, {"status": 503, "json": report.text(9)}, {"body": "<p>"}):
        upstream.on("GET", report.path, **failure)
        answer = srv.get(report.path)
        assert answer.status_code == 502
        assert isinstance(answer.json()["error"], str)
    upstream.down()
    assert srv.get(report.path).status_code == 502
    assert kept.seen() == 3
    upstream.up()
    assert set(srv.redis.keys("*")) <= before
    report.is_now(2)
    assert report.seen() == 2
    assert (kept.seen(), kept.asked) == (3, 1)


def test_what_is_deleted_is_gone(srv, report):
    report.is_now(2)
    assert (report.seen(), report.seen()) == (2, 2)
    report.upstream.on("DELETE", report.path, status=204, body="")
    report.upstream.on("GET", report.path, status=404, json={"error": "gone"})
    assert srv.delete(report.path).status_code == 204
    assert srv.get(report.path).status_code == 404
    assert report.upstream.count("DELETE", report.path) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_change_that_failed_may_have_happened(srv, report, method):
    report.is_now(2)
    assert report.seen() == 2
    report.upstream.on(method, report.path, status=500, json={"error": "lost my thread"})
    report.is_now(4)
    assert srv.request(method, report.path, json=report.text(4)).status_code == 502
    assert report.seen() == 4


def test_readers_during_a_change(srv, report):
    report.is_now(2)
    assert report.seen() == 2
    report.upstream.on("PUT", report.path, json=report.text(4), delay=0.4)

    def step(number):
        if number == 0:
            return srv.put(report.path, json=report.text(4)).status_code
        deadline = time.monotonic() + 0.3
        while not report.upstream.count("PUT", report.path) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        return srv.get(report.path).status_code

    assert srv.parallel(2, step) == [200, 200]
    report.is_now(4)
    assert report.seen() == 4


def test_diaries_are_private(srv, upstream):
    season = f"2026-{token_hex(3)}"
    upstream.on("GET", "/diary", json=[{"day": "Sneezing", "of": "ana"}])
    assert diary(srv, "ana", season).json() == [{"day": "Sneezing", "of": "ana"}]
    upstream.on("GET", "/diary", json=[{"day": "No trouble", "of": "ben"}])
    assert diary(srv, "ben", season).json() == [{"day": "No trouble", "of": "ben"}]
    assert diary(srv, "ana", season).json() == [{"day": "Sneezing", "of": "ana"}]
    assert [(call.headers["authorization"], call.query["season"]) for call in upstream.calls] == [
        ("Bearer ana", season),
        ("Bearer ben", season),
    ]
    upstream.on("GET", "/diary", json=[])
    assert diary(srv, "ana", f"{season}-next").json() == []
    assert srv.get("/diary", params={"season": season}).status_code == 401
    assert srv.get("/diary", params={"season": season}, headers={"Authorization": "Bearer"}).status_code == 401
    assert srv.get("/diary", token="ana").status_code == 400
    assert upstream.count("GET", "/diary") == 3


@pytest.mark.parametrize("mark", [":", "|", "/", "-", "_", ".", ",", "#", '"', '","', "%"])
def test_names_cannot_be_bent(srv, upstream, mark):
    name, season = f"cid{token_hex(2)}", f"s{token_hex(2)}"
    upstream.on("GET", "/diary", json=["of the longer name"])
    assert diary(srv, f"{name}{mark}{season}", "now").json() == ["of the longer name"]
    upstream.on("GET", "/diary", json=["of the shorter name"])
    assert diary(srv, name, f"{season}{mark}now").json() == ["of the shorter name"]


def test_whatever_the_copy_holds(srv, report, upstream):
    words = {"level": 3, "text": "Gräser über dem Föhn 🌾", "names": ["Val Müstair", "Čierna", "雪崩", 'a"b\\c']}
    upstream.on("GET", report.path, json=words)
    assert [srv.get(report.path).json() for _ in range(2)] == [words, words]
    assert report.asked == 1
    for value in ([], {}, 0, False, "", None):
        upstream.on("GET", "/diary", body=json.dumps(value))
        season, asked = f"w-{token_hex(3)}", upstream.count("GET", "/diary")
        answers = [diary(srv, "dora", season) for _ in range(2)]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, value)] * 2
        assert upstream.count("GET", "/diary") == asked + 1


def test_nonsense_goes_nowhere(srv, report):
    report.upstream.on("PUT", report.path, json=report.text(1))
    for body in (b"[1]", b'"high"', b"null", b'{"level": '):
        answer = srv.put(report.path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert isinstance(answer.json()["error"], str)
    assert report.upstream.calls == []
