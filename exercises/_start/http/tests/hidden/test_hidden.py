from secrets import token_hex

import pytest


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def name():
    """A counter that no other check of this server knows."""
    return f"code-{token_hex(6)}"


def raised(srv, name):
    answer = srv.post(f"/counters/{name}")
    assert answer.status_code == 200
    return answer.json()["value"]


def test_reading_changes_nothing(srv, name):
    value = raised(srv, name)
    for _ in range(2):
        answer = srv.get(f"/counters/{name}")
        assert (answer.status_code, answer.json()) == (200, {"value": value})


def test_counters_are_apart(srv, name):
    for expected in (1, 2, 3):
        assert raised(srv, name) == expected
        assert raised(srv, f"{name}-{expected}") == 1


def test_unknown_counters(srv, name):
    raised(srv, f"{name}-known")
    answer = srv.get(f"/counters/{name}")
    assert answer.status_code == 404
    assert isinstance(answer.json()["error"], str)


def test_the_step_is_configured(start, name, rng):
    step = rng.randrange(2, 50)
    srv = start(STEP=step)  # a fresh process with this environment
    assert [raised(srv, name), raised(srv, name)] == [step, 2 * step]


def test_parallel_requests(srv, name):
    values = srv.parallel(12, lambda i: raised(srv, name))  # threads that are released together
    assert sorted(values) == list(range(1, 13))
