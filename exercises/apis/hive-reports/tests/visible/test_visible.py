import pytest

REPORT = {
    "apiary": "Lime avenue",
    "inspected_on": "2026-05-17",
    "queen_seen": True,
    "mites_per_100": 2,
    "note": "Gentle.",
    "frames": [{"position": 1, "brood": 0.4, "stores": "honey"}, {"position": 3, "brood": 1}],
}


@pytest.fixture
def srv(shared):
    return shared()


def test_a_good_report_is_filed(srv):
    r = srv.post("/reports", json=REPORT)
    assert r.status_code == 201
    report = r.json()
    frames = [{"position": 1, "brood": 0.4, "stores": "honey"}, {"position": 3, "brood": 1, "stores": "none"}]
    assert report == {**REPORT, "id": report["id"], "frames": frames}
    assert r.headers["Location"] == f"/reports/{report['id']}"
    assert srv.get(f"/reports/{report['id']}").json() == report


def test_faults_come_together(srv):
    body = {**REPORT, "mites_per_100": 101, "frames": [{"position": 1, "brood": "some"}], "weather": "sunny"}
    del body["queen_seen"]
    r = srv.post("/reports", json=body)
    assert r.status_code == 422
    assert r.headers["Content-Type"].startswith("application/problem+json")
    problem = r.json()
    assert (problem["type"], problem["status"]) == ("/problems/invalid-report", 422)
    assert {(fault["pointer"], fault["code"]) for fault in problem["errors"]} == {
        ("/queen_seen", "required"),
        ("/mites_per_100", "range"),
        ("/frames/0/brood", "type"),
        ("/weather", "unknown"),
    }
    assert all(fault["detail"] for fault in problem["errors"])


def test_a_problem_for_what_is_not_there(srv):
    r = srv.get("/reports/99999")
    assert r.status_code == 404
    assert r.headers["Content-Type"].startswith("application/problem+json")
    assert r.json()["type"] == "/problems/not-found"
