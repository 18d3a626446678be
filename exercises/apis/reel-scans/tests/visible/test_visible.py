import json

import pytest

REEL = {"reel": "Harbour fair 1931", "frames": 2}


@pytest.fixture
def srv(start):
    return start()


def begin(srv, token="7f3c-reel-17", body=REEL):
    return srv.post("/scans", json=body, headers={"Client-Token": token})


def frame(srv, number, checksum, scan=1, machine="m1"):
    body = {"scan": scan, "frame": number, "checksum": checksum}
    return srv.post(f"/machines/{machine}/frames", json=body)


def test_a_scan_is_started(srv):
    r = begin(srv)
    assert r.status_code == 202
    assert r.json() == {"id": 1, "reel": "Harbour fair 1931", "frames": 2, "state": "queued", "done": 0}
    assert r.headers["Location"] == "/scans/1"
    assert r.headers["Retry-After"] == "5"
    again = begin(srv)
    assert (again.status_code, again.json()) == (202, r.json())
    assert begin(srv, token="other").json()["id"] == 2
    assert srv.get("/scans/3").status_code == 404


def test_a_reel_is_scanned_through(srv):
    assert srv.post("/machines/m1/next").status_code == 204
    scan = begin(srv).json()
    r = srv.post("/machines/m1/next")
    assert (r.status_code, r.json()) == (200, {**scan, "state": "running"})
    assert frame(srv, 1, "00c0ffee").json() == {"done": 1}
    r = srv.get("/scans/1")
    assert (r.json(), r.headers["Retry-After"]) == ({**scan, "state": "running", "done": 1}, "5")
    assert srv.get("/scans/1/film").status_code == 409
    assert frame(srv, 2, "0000beef").json() == {"done": 2}
    r = srv.get("/scans/1")
    assert r.json() == {**scan, "state": "done", "done": 2, "film": "/scans/1/film"}
    assert "Retry-After" not in r.headers
    assert srv.get("/scans/1/film").json() == {"reel": "Harbour fair 1931", "checksums": ["00c0ffee", "0000beef"]}


def test_the_story_of_a_scan(srv):
    begin(srv)
    srv.post("/machines/m1/next")
    frame(srv, 1, "00c0ffee")
    assert srv.delete("/scans/1").json()["state"] == "cancelled"
    r = srv.get("/scans/1/events")
    assert r.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in r.text.splitlines()] == [
        {"n": 1, "event": "queued"},
        {"n": 2, "event": "running"},
        {"n": 3, "event": "frame", "done": 1},
        {"n": 4, "event": "cancelled"},
    ]
