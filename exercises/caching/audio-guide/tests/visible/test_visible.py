import time

import pytest


@pytest.fixture
def srv(shared):
    srv = shared(REDIS_TIMEOUT=2, BREAK_SECONDS=0.3)
    deadline = time.monotonic() + 5
    while srv.get("/health").json()["status"] != "ok":  # another check may just have taken Redis away
        assert time.monotonic() < deadline
        time.sleep(0.05)
        srv.get("/stops/0")
    return srv


def test_a_copy_saves_the_way(srv, upstream):
    night_watch = {"stop": 1, "text": "Look at the hand in the light."}
    upstream.on("GET", "/stops/1", json=night_watch)
    for _ in range(3):
        answer = srv.get("/stops/1")
        assert answer.status_code == 200
        assert answer.json() == night_watch
    assert upstream.count("GET", "/stops/1") == 1


def test_a_correction_is_heard_at_once(srv, upstream):
    upstream.on("GET", "/stops/2", json={"stop": 2, "text": "Painted in 1632."})
    assert srv.get("/stops/2").json()["text"] == "Painted in 1632."
    upstream.on("PUT", "/stops/2", json={"stop": 2, "text": "Painted in 1642."})
    upstream.on("GET", "/stops/2", json={"stop": 2, "text": "Painted in 1642."})
    assert srv.put("/stops/2", json={"text": "Painted in 1642."}).status_code == 200
    assert srv.get("/stops/2").json()["text"] == "Painted in 1642."


def test_the_guide_talks_without_redis(srv, upstream, redis):
    upstream.on("GET", "/stops/3", json={"stop": 3, "text": "A milkmaid."})
    upstream.on("PUT", "/stops/3", json={"stop": 3, "text": "A maid."})
    with redis.down():
        assert srv.get("/stops/3").json() == {"stop": 3, "text": "A milkmaid."}
        assert srv.put("/stops/3", json={"text": "A maid."}).status_code == 200
        assert srv.get("/health").json() == {"status": "degraded"}
