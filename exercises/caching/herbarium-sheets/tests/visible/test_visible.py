import time

import pytest

DAISY = {"code": "KR-04417", "plant": "Bellis perennis", "place": "Krakow"}


@pytest.fixture
def srv(shared):
    return shared()


def test_a_sheet_is_asked_for_once(srv, upstream):
    upstream.on("GET", "/sheets/KR-04417", json=DAISY)
    for _ in range(3):
        r = srv.get("/sheets/KR-04417")
        assert r.status_code == 200
        assert r.json() == DAISY
    assert upstream.count("GET", "/sheets/KR-04417") == 1
    assert 0 < srv.redis.ttl("sheet:KR-04417") <= 600


def test_an_absence_is_asked_for_once(srv, upstream):
    before = time.time()
    for _ in range(3):
        assert srv.get("/sheets/KR-99999").status_code == 404
    assert upstream.count("GET", "/sheets/KR-99999") == 1
    ends = srv.redis.zscore("absent", "KR-99999") / 1000
    assert before + 9.9 < ends < time.time() + 10.1


def test_a_new_sheet_is_there_at_once(srv, upstream):
    upstream.on("PUT", "/sheets/KR-00007", json={}, status=201)
    assert srv.get("/sheets/KR-00007").status_code == 404
    fern = {"plant": "Asplenium viride", "place": "Tatra"}
    upstream.on("GET", "/sheets/KR-00007", json={"code": "KR-00007", **fern})
    r = srv.put("/sheets/KR-00007", json=fern)
    assert r.status_code == 200
    assert r.json() == {"code": "KR-00007", **fern}
    r = srv.get("/sheets/KR-00007")
    assert r.status_code == 200
    assert r.json() == {"code": "KR-00007", **fern}
    put = next(call for call in upstream.calls if call.method == "PUT")
    assert put.json() == fern
