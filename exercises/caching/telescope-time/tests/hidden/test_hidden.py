import time
from secrets import token_hex

import pytest

USUAL = {"EXPOSURES": 3, "LOOKS": 5, "WINDOW": 100, "REDIS_TIMEOUT": 5}
KEPT = {}  # what `timetable` saw


@pytest.fixture
def srv(shared):
    return shared(**USUAL)


@pytest.fixture
def name():
    """An observer whom no other check knows."""
    return f"obs_{token_hex(6)}"


def look(srv, name, **options):
    return srv.get("/sky/Deneb", headers={"X-Observer": name}, **options)


def expose(srv, name, **options):
    return srv.post("/exposures", json={"object": "NGC 7000"}, headers={"X-Observer": name}, **options)


def statuses(ask, srv, name, times):
    return [ask(srv, name).status_code for _ in range(times)]


def recovered(srv, name):
    """Wait until Redis is asked again; the answer that showed it has counted."""
    deadline = time.monotonic() + 5
    while (answer := expose(srv, name)).status_code == 503:
        assert time.monotonic() < deadline, "Redis is not used again"
        time.sleep(0.05)
    return answer


def timetable(shared):
    """Return the answers of two observers in the course of one window; a slow machine gets a longer one."""
    for window in () if KEPT else (0.4, 0.8, 1.6, 3.2, 6.4):
        srv = shared(EXPOSURES=3, LOOKS=5, WINDOW=window, REDIS_TIMEOUT=5)
        slow, quick = f"obs_{token_hex(6)}", f"obs_{token_hex(6)}"
        begin = time.monotonic()
        spread, at_once = statuses(expose, srv, slow, 1), statuses(expose, srv, quick, 3)
        first = time.monotonic()
        time.sleep(window / 2)
        late = time.monotonic()
        spread += statuses(expose, srv, slow, 2)
        full, refused = statuses(expose, srv, slow, 1), statuses(expose, srv, quick, 4)
        if time.monotonic() - begin > window:
            continue
        time.sleep(max(0, first + window + 0.03 - time.monotonic()))
        one_back, all_back = statuses(expose, srv, slow, 3), statuses(expose, srv, quick, 3)
        if time.monotonic() - late > window:
            continue
        KEPT.update({"spread": spread, "full": full, "one back": one_back})
        KEPT.update({"at once": at_once, "refused": refused, "all back": all_back})
        break
    if not KEPT:
        pytest.fail("the timetable could not be kept")
    return KEPT


def test_nonsense_costs_nothing(srv, name):
    for bad in ("", "two words", "a:b", "x" * 41, "né", "*", "a/b"):
        headers = {"X-Observer": bad.encode()}
        for answer in (
            srv.get("/sky/Deneb", headers=headers),
            srv.post("/exposures", json={"object": "NGC 7000"}, headers=headers),
        ):
            assert answer.status_code == 400
            assert isinstance(answer.json()["error"], str)
    assert srv.get("/sky/Deneb").status_code == 400
    headers = {"X-Observer": name, "Content-Type": "application/json"}
    too_long = b'{"object": "%s"}' % (b"n" * 41)
    for body in (b"{", b"[]", b"null", b'"NGC"', b"{}", b'{"object": ""}', b'{"object": 7}', too_long):
        assert srv.post("/exposures", content=body, headers=headers).status_code == 400
    assert statuses(expose, srv, name, 4) == [201, 201, 201, 429]
    longest = "Z" * 34 + name[-6:]
    assert look(srv, longest).headers["X-Remaining"] == "4"


def test_budgets_are_apart(srv, name):
    assert statuses(expose, srv, name, 4) == [201, 201, 201, 429]
    assert statuses(look, srv, name, 6) == [200] * 5 + [429]
    assert expose(srv, name.upper()).status_code == 201
    assert look(srv, name.upper()).headers["X-Remaining"] == "4"
    assert expose(srv, f"{name}-2").headers["X-Remaining"] == "2"


def test_settings_come_from_the_environment(start, name):
    srv = start(EXPOSURES=1, LOOKS=2, WINDOW=30)
    assert statuses(expose, srv, name, 2) == [201, 429]
    assert statuses(look, srv, name, 3) == [200, 200, 429]
    assert 25 < int(look(srv, name).headers["Retry-After"]) <= 30


def test_the_window_slides(shared):
    """One request early, the rest late: when the early one has left the window, there is room for one."""
    kept = timetable(shared)
    assert kept["spread"] == [201, 201, 201]
    assert kept["full"] == [429]
    assert kept["one back"] == [201, 429, 429]


def test_refusals_do_not_count(shared):
    kept = timetable(shared)
    assert kept["at once"] == [201, 201, 201]
    assert kept["refused"] == [429] * 4
    assert kept["all back"] == [201, 201, 201]


def test_two_processes_share_one_budget(srv, start, name):
    other = start(beside=srv, **USUAL)
    answers = srv.parallel(14, lambda i: look((srv, other)[i % 2], name))
    allowed = [answer for answer in answers if answer.status_code == 200]
    assert len(allowed) == 5
    assert sorted(answer.headers["X-Remaining"] for answer in allowed) == ["0", "1", "2", "3", "4"]
    refused = [answer for answer in answers if answer not in allowed]
    assert {answer.status_code for answer in refused} == {429}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 100 for answer in refused)
    assert statuses(expose, other, name, 2) + statuses(expose, srv, name, 2) == [201, 201, 201, 429]


def test_simultaneous_requests(srv):
    for _ in range(3):
        name = f"obs_{token_hex(6)}"
        answers = srv.parallel(10, lambda i, name=name: expose(srv, name))
        allowed = [answer for answer in answers if answer.status_code == 201]
        assert sorted(answer.headers["X-Remaining"] for answer in allowed) == ["0", "1", "2"]
        assert sum(answer.status_code == 429 for answer in answers) == 7


def test_keys_end_by_themselves(srv, name):
    before = set(srv.redis.keys("*"))
    srv.post("/exposures", json={}, headers={"X-Observer": name})
    look(srv, "not a name")
    assert set(srv.redis.keys("*")) == before
    statuses(expose, srv, name, 5)
    look(srv, name)
    made = set(srv.redis.keys("*")) - before
    assert made
    assert all(key.startswith("scope:") for key in made)
    left = [srv.redis.pttl(key) for key in made]
    assert all(0 < each <= 101_000 for each in left)
    assert max(left) > 90_000


def test_a_silent_redis(start, name, redis):
    srv = start(**USUAL | {"REDIS_TIMEOUT": 0.2})
    with redis.pause():
        seen = look(srv, name, timeout=3)
        assert (seen.status_code, seen.headers.get("X-Remaining")) == (200, None)
        refused = expose(srv, name, timeout=3)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert isinstance(refused.json()["error"], str)
        assert srv.get("/sky/Deneb", timeout=3).status_code == 400
    assert recovered(srv, f"{name}-new").status_code == 201


def test_counting_goes_on_afterwards(srv, name, redis):
    assert statuses(expose, srv, name, 3) == [201, 201, 201]
    with redis.down():
        assert statuses(expose, srv, name, 3) == [503, 503, 503]
        assert statuses(look, srv, name, 8) == [200] * 8
    assert recovered(srv, name).status_code == 429
    fresh = f"{name}-new"
    first = look(srv, fresh)
    assert (first.status_code, first.headers["X-Remaining"]) == (200, "4")
    assert statuses(look, srv, fresh, 5) == [200] * 4 + [429]
