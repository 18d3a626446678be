CALM = {"region": "lake-east", "level": 2, "text": "Birch: low."}
STORM = {"region": "lake-east", "level": 4, "text": "Birch: very high."}


def test_a_second_look_does_not_ask(shared, upstream):
    srv = shared()
    upstream.on("GET", "/reports/lake-east", json=CALM)
    for _ in range(3):
        answer = srv.get("/reports/lake-east")
        assert answer.status_code == 200
        assert answer.json() == CALM
    assert upstream.count("GET", "/reports/lake-east") == 1
    assert len(srv.redis.keys("pollen:*")) >= 1


def test_a_change_shows_at_once(shared, upstream):
    srv = shared()
    upstream.on("GET", "/reports/lake-west", json=CALM)
    assert srv.get("/reports/lake-west").json() == CALM
    upstream.on("PUT", "/reports/lake-west", json=STORM)
    upstream.on("GET", "/reports/lake-west", json=STORM)
    changed = srv.put("/reports/lake-west", json=STORM)
    assert changed.status_code == 200
    assert changed.json() == STORM
    assert srv.get("/reports/lake-west").json() == STORM
    assert upstream.count("GET", "/reports/lake-west") == 2
