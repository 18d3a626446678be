import time
from secrets import token_hex

import pytest

USUAL = {"EXPOSURES": 3, "LOOKS": 5, "WINDOW": 100}


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
    srv = shared(EXPOSURES=3, LOOKS=5, WINDOW=0.8)
    for _ in range(4):  # a machine that was too slow for the timetable gets another chance
        name = f"obs_{token_hex(6)}"
        begin = time.monotonic()
        seen = statuses(expose, srv, name, 1)
        first = time.monotonic()
        time.sleep(0.5)
        late = time.monotonic()
        seen += statuses(expose, srv, name, 2)
        full = statuses(expose, srv, name, 1)
        if time.monotonic() - begin > 0.8:
            continue
        time.sleep(max(0, first + 0.85 - time.monotonic()))
        again = statuses(expose, srv, name, 3)
        if time.monotonic() - late > 0.8:
            continue
        assert seen == [201, 201, 201]
        assert full == [429]
        assert again == [201, 429, 429]
        return
    pytest.fail("the timetable could not be kept")


def test_refusals_do_not_count(shared):
    srv = shared(EXPOSURES=3, LOOKS=5, WINDOW=0.8)
    for _ in range(4):
        name = f"obs_{token_hex(6)}"
        begin = time.monotonic()
        seen = statuses(expose, srv, name, 3)
        last = time.monotonic()
        time.sleep(0.35)
        refused = statuses(expose, srv, name, 4)
        if time.monotonic() - begin > 0.8:
            continue
        assert seen == [201, 201, 201]
        assert refused == [429] * 4
        time.sleep(max(0, last + 0.85 - time.monotonic()))
        assert statuses(expose, srv, name, 3) == [201, 201, 201]
        return
    pytest.fail("the timetable could not be kept")


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


def test_a_silent_redis(srv, name, redis):
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
