def test_double(start, upstream):
    upstream.on("GET", "/factor", json=2)
    srv = start()
    assert srv.get("/double/21").json() == 42
    assert srv.postgres.value("select result from doubled where number = 21") == 42
    assert srv.redis.get("doubled:21") == "42"
    assert upstream.count("GET", "/factor") == 1
