def test_it_counts(shared):
    srv = shared()  # one server for all checks that ask with the same environment; `start` gives one of its own
    values = []
    for _ in range(3):
        answer = srv.post("/counters/station")  # an httpx.Response
        assert answer.status_code == 200
        values.append(answer.json()["value"])
    assert values == [values[0], values[0] + 1, values[0] + 2]
