T = 1_760_000_000_000


def ask(srv, key, at, harbour="oban"):
    return srv.get(f"/tides/{harbour}", headers={"X-Api-Key": key, "X-Arrived-At": str(at)})


def test_a_key_has_a_budget(start):
    srv = start(LIMITS="2/1000")
    first = ask(srv, "yacht-7", T)
    assert first.status_code == 200
    assert first.json() == {"harbour": "oban", "high_water": "05:48"}
    assert first.headers["X-RateLimit-Remaining"] == "1"
    second = ask(srv, "yacht-7", T + 300, "hull")
    assert second.status_code == 200
    assert second.headers["X-RateLimit-Remaining"] == "0"
    third = ask(srv, "yacht-7", T + 750)
    assert third.status_code == 429
    assert third.json() == {"error": "rate_limited", "retry_after_ms": 250}
    assert third.headers["Retry-After"] == "1"
    assert ask(srv, "trawler-1", T + 750).status_code == 200


def test_the_budget_comes_back(shared):
    srv = shared(LIMITS="1/1000")
    assert ask(srv, "yacht-7", 5000).status_code == 200
    assert ask(srv, "yacht-7", 5999).status_code == 429
    assert ask(srv, "yacht-7", 6000).status_code == 200


def test_the_gateway_says_who_and_when(shared):
    srv = shared(LIMITS="1/1000")
    assert srv.get("/tides/oban", headers={"X-Api-Key": "sloop-2"}).status_code == 400
    assert ask(srv, "sloop-2", "noon").status_code == 400
    assert srv.get("/tides/oban", headers={"X-Arrived-At": "5000"}).status_code == 401
    assert ask(srv, "", 5000).status_code == 401
    assert ask(srv, "sloop-2", 5000).status_code == 200
    assert srv.get("/health").status_code == 200
