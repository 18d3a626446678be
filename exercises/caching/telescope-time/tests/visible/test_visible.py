def test_a_budget_is_used_up(shared):
    srv = shared(EXPOSURES=3, LOOKS=5, WINDOW=100, REDIS_TIMEOUT=5)
    mira = {"X-Observer": "mira"}
    answers = [srv.post("/exposures", json={"object": "M31"}, headers=mira) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[0].json() == {"object": "M31"}
    assert [answer.headers.get("X-Remaining") for answer in answers] == ["2", "1", "0", None]
    assert 95 < int(answers[3].headers["Retry-After"]) <= 100


def test_looks_have_a_budget_of_their_own(shared):
    srv = shared(EXPOSURES=3, LOOKS=5, WINDOW=100, REDIS_TIMEOUT=5)
    atlas = {"X-Observer": "atlas"}
    statuses = [srv.get("/sky/Vega", headers=atlas).status_code for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 200, 429]
    assert srv.post("/exposures", json={"object": "Vega"}, headers=atlas).status_code == 201
    assert srv.get("/sky/Vega", headers={"X-Observer": "maia"}).status_code == 200


def test_without_redis(start, redis):
    srv = start()
    rigel = {"X-Observer": "rigel"}
    with redis.down():
        look = srv.get("/sky/Rigel", headers=rigel)
        assert look.status_code == 200
        assert "X-Remaining" not in look.headers
        exposure = srv.post("/exposures", json={"object": "Rigel"}, headers=rigel)
        assert exposure.status_code == 503
        assert int(exposure.headers["Retry-After"]) >= 1
