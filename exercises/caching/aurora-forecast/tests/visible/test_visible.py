import pytest


@pytest.fixture
def srv(shared):
    return shared(FRESH=30, STALE=300, LOCK_SECONDS=5)


def test_a_forecast_is_kept(srv, upstream):
    green = {"station": "abisko", "kp": 5}
    upstream.on("GET", "/model/abisko", json=green)
    for _ in range(3):
        answer = srv.get("/forecast/abisko")
        assert answer.status_code == 200
        assert answer.json() == green
    assert upstream.count("GET", "/model/abisko") == 1
    assert 320_000 < srv.redis.pttl("aurora:abisko") <= 330_000


def test_a_crowd_asks_once(srv, upstream):
    upstream.on("GET", "/model/tromso", json={"kp": 7}, delay=0.25)
    answers = srv.parallel(6, lambda i: srv.get("/forecast/tromso"))
    assert [answer.json() for answer in answers] == [{"kp": 7}] * 6
    assert upstream.count("GET", "/model/tromso") == 1


def test_a_stale_forecast_is_served_at_once(srv, upstream):
    upstream.on("GET", "/model/kiruna", json={"kp": 2})
    assert srv.get("/forecast/kiruna").json() == {"kp": 2}
    srv.redis.pexpire("aurora:kiruna", 299_000)  # as if it were a little more than FRESH seconds old
    upstream.on("GET", "/model/kiruna", json={"kp": 6}, delay=0.2)
    assert srv.get("/forecast/kiruna").json() == {"kp": 2}
