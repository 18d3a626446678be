import time
from itertools import count

import pytest

numbers = count(10_001)


class Herbarium:
    """A server, and the catalogue behind it."""

    def __init__(self, srv, upstream):
        self.srv, self.upstream, self.redis = srv, upstream, srv.redis

    def code(self):
        """A code that no other check knows."""
        return f"HB-{next(numbers)}"

    def has(self, code, plant="Gentiana acaulis", **how):
        """From now on the catalogue has this sheet."""
        sheet = {"code": code, "plant": plant, "place": "Zermatt"}
        self.upstream.on("GET", f"/sheets/{code}", json=sheet, **how)
        return sheet

    def fails(self, code, verb="GET", status=503, times=None, **how):
        how = {"json": {"error": "trouble"}, **how}
        self.upstream.on(verb, f"/sheets/{code}", status=status, times=times, **how)

    def asked(self, code, verb="GET"):
        return self.upstream.count(verb, f"/sheets/{code}")

    def get(self, code, srv=None):
        """The sheet, or the status if there is none."""
        r = (srv or self.srv).get(f"/sheets/{code}")
        if r.status_code != 200:
            assert isinstance(r.json()["error"], str)
            return r.status_code
        return r.json()

    def put(self, code, plant="Primula auricula", srv=None):
        r = (srv or self.srv).put(f"/sheets/{code}", json={"plant": plant, "place": "Zermatt"})
        return r.json() if r.status_code == 200 else r.status_code

    def kept(self, code):
        return self.redis.get(f"sheet:{code}"), self.redis.zscore("absent", code)


@pytest.fixture
def hall(shared, upstream):
    return Herbarium(shared(), upstream)


def test_codes_are_checked_first(hall):
    bad = ["HB-1234", "HB-123456", "HB12345", "H-12345", "HBB-12345", "HB-12E45", "HB_12345", "*", "absent"]
    bad += ["%C3%9F-12345", "HB-%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5", "%EF%BC%A8B-12345", "HB-12345%0A", "%20HB-12345"]
    entry = {"plant": "Primula auricula", "place": "Zermatt"}
    with hall.srv.redis_watched() as seen:
        assert hall.srv.parallel(len(bad), lambda i: hall.get(bad[i])) == [422] * len(bad)
        bodies = [{}, {"plant": "x"}, entry | {"place": ""}, entry | {"plant": 7}, entry | {"plant": "p" * 101}, []]
        puts = [(code, entry) for code in bad] + [("HB-00001", body) for body in bodies]
        answers = hall.srv.parallel(len(puts), lambda i: hall.srv.put(f"/sheets/{puts[i][0]}", json=puts[i][1]))
        assert [r.status_code for r in answers] == [422] * len(puts)
    assert (seen.commands, hall.upstream.calls) == ([], [])
    code = hall.code()
    assert [hall.get(spelling) for spelling in (code, code.lower(), code.title())] == [404] * 3
    assert [call.path for call in hall.upstream.calls] == [f"/sheets/{code}"]
    assert hall.redis.zscore("absent", code.lower()) is None
    known = hall.code()
    sheet = hall.has(known)
    assert [hall.get(spelling) for spelling in (known.lower(), known)] == [sheet, sheet]
    assert (hall.asked(known), hall.asked(known.lower())) == (1, 0)


def test_asking_does_not_move_the_end(hall):
    code, other = hall.code(), hall.code()
    assert hall.get(code) == 404
    ends = hall.redis.zscore("absent", code)
    for _ in range(4):
        time.sleep(0.005)
        assert [hall.get(code), hall.get(other)] == [404, 404]
    assert hall.redis.zscore("absent", code) == ends
    assert (hall.asked(code), hall.asked(other)) == (1, 1)


def test_absences_end(start, upstream):
    hall = Herbarium(start(ABSENT_SECONDS=0.25), upstream)
    code, other = hall.code(), hall.code()
    assert [hall.get(code), hall.get(other)] == [404, 404]
    time.sleep(0.3)
    sheet = hall.has(code)
    assert hall.get(code) == sheet
    assert hall.get(other) == 404
    assert (hall.asked(code), hall.asked(other)) == (2, 2)
    # A member whose end has passed counts for nothing, whoever has left it there.
    late = hall.code()
    found = hall.has(late)
    hall.redis.zadd("absent", {late: int(time.time() * 1000) - 1})
    assert hall.get(late) == found


def test_errors_are_no_absence(hall):
    failures = [{"status": status, "json": {"error": "trouble"}} for status in (500, 503, 403, 429, 410, 204)]
    failures += [{"body": body} for body in ("<html>All is well</html>", "[]", "null", "", '"text"')]
    codes = [hall.code() for _ in failures]
    sheets = [hall.has(code) for code in codes]
    for code, failure in zip(codes, failures, strict=True):
        hall.upstream.on("GET", f"/sheets/{code}", times=2, **failure)
    for _ in range(2):
        assert hall.srv.parallel(len(codes), lambda i: hall.get(codes[i])) == [502] * len(codes)
    assert [hall.kept(code) for code in codes] == [(None, None)] * len(codes)
    assert hall.srv.parallel(len(codes), lambda i: hall.get(codes[i])) == sheets
    assert [hall.asked(code) for code in codes] == [3] * len(codes)
    known, unknown = hall.code(), hall.code()
    sheet = hall.has(known)
    assert [hall.get(known), hall.get(unknown)] == [sheet, 404]
    for code in (known, unknown):
        hall.fails(code)
    assert [hall.get(known), hall.get(unknown)] == [sheet, 404]


def test_a_slow_catalogue_is_an_error(start, upstream):
    hall = Herbarium(start(CATALOGUE_SECONDS=0.15), upstream)
    found, absent, gone = hall.code(), hall.code(), hall.code()
    hall.has(found, delay=3)
    hall.fails(absent, status=404, delay=3)
    assert hall.srv.parallel(2, lambda i: hall.get((found, absent)[i])) == [502, 502]
    upstream.down()
    assert hall.get(gone) == 502
    assert [hall.kept(code) for code in (found, absent, gone)] == [(None, None)] * 3


def test_a_put_that_failed(hall):
    for status in (500, 404, 409):
        new, old = hall.code(), hall.code()
        sheet = hall.has(old)
        assert [hall.get(new), hall.get(old)] == [404, sheet]
        for code in (new, old):
            hall.fails(code, "PUT", status)
            assert hall.put(code) == 502
            assert hall.kept(code) == (None, None)
        # It was written all the same, in one case, and not in the other.
        written = hall.has(new, "Primula auricula")
        assert [hall.get(new), hall.get(old)] == [written, sheet]
        assert (hall.asked(new), hall.asked(old)) == (2, 2)


@pytest.mark.parametrize("before", ["absent", "old"])
def test_a_lookup_that_comes_late(hall, before):
    code = hall.code()
    hall.upstream.on("PUT", f"/sheets/{code}", json={}, status=200)
    new = hall.has(code, "Primula auricula")
    if before == "absent":
        hall.fails(code, status=404, times=1, delay=0.12)
    else:
        hall.has(code, "Gentiana verna", times=1, delay=0.12)

    def act(i):
        if i == 0:
            return hall.get(code)
        deadline = time.monotonic() + 5
        while not hall.asked(code) and time.monotonic() < deadline:
            time.sleep(0.002)
        return hall.put(code)

    outdated, put = hall.srv.parallel(2, act)
    assert put == new
    assert outdated in (404, new, {**new, "plant": "Gentiana verna"})
    assert [hall.get(code), hall.get(code)] == [new, new]


def test_a_flood_of_codes(start, upstream):
    hall = Herbarium(start(MAX_ABSENT=8), upstream)
    known = hall.code()
    sheet = hall.has(known)
    assert hall.get(known) == sheet
    tried = [hall.code() for _ in range(40)]
    assert hall.srv.parallel(20, lambda i: [hall.get(code) for code in tried[i::20]]) == [[404, 404]] * 20
    assert hall.redis.zcard("absent") <= 8
    for _ in range(2):
        time.sleep(0.005)
        latest = [hall.code() for _ in range(8)]
        for code in latest:
            assert hall.get(code) == 404
            assert hall.redis.zcard("absent") <= 8
    assert set(hall.redis.zrange("absent", 0, -1)) == set(latest)
    asked = len(upstream.calls)
    assert [hall.get(code) for code in latest] == [404] * 8
    assert hall.get(known) == sheet
    assert len(upstream.calls) == asked
    assert set(hall.redis.keys()) == {"absent", f"sheet:{known}"}


def test_processes_share_the_cache(start, upstream):
    first = start()
    hall, second = Herbarium(first, upstream), start(beside=first)
    code, known = hall.code(), hall.code()
    sheet = hall.has(known)
    assert [hall.get(code, first), hall.get(code, second)] == [404, 404]
    assert [hall.get(known, second), hall.get(known, first)] == [sheet, sheet]
    assert (hall.asked(code), hall.asked(known)) == (1, 1)
    for asked_for in (code, known):
        hall.upstream.on("PUT", f"/sheets/{asked_for}", json={}, status=201)
        new = hall.has(asked_for, "Primula auricula")
        assert hall.put(asked_for, srv=second) == new
        assert [hall.get(asked_for, srv) for srv in (first, second, first)] == [new] * 3
    assert hall.redis.zscore("absent", code) is None
    assert 0 < hall.redis.pttl(f"sheet:{code}") <= 600_000


def test_without_redis(hall, redis):
    known, unknown, new = hall.code(), hall.code(), hall.code()
    sheet = hall.has(known)
    hall.upstream.on("PUT", f"/sheets/{new}", json={}, status=201)
    with redis.down():
        assert [hall.get(known), hall.get(unknown), hall.get(known)] == [sheet, 404, sheet]
        put = hall.put(new)
        assert put == hall.has(new, "Primula auricula")
        assert hall.get(new) == put
        assert hall.get("nonsense") == 422
    # Back again: sooner or later an absence is remembered.
    deadline = time.monotonic() + 5
    while hall.kept(unknown)[1] is None and time.monotonic() < deadline:
        assert hall.get(unknown) == 404
        time.sleep(0.02)
    asked = hall.asked(unknown)
    assert hall.get(unknown) == 404
    assert hall.asked(unknown) == asked
