import pytest


@pytest.fixture
def srv(start):
    return start()


def put(srv, batch_id, items, mode="each"):
    return srv.put(f"/batches/{batch_id}", json={"mode": mode, "items": items}, headers={"X-Scanner": "hall-2"})


def boxes(srv):
    return srv.get("/boxes").json()["boxes"]


ITEMS = [
    {"op": "add", "box": "KB0017", "shelf": "C4"},
    {"op": "move", "box": "ZZ9999", "shelf": "C5"},
    {"op": "add", "box": "KB0018", "shelf": "C4"},
]


def test_each_item_has_its_own_result(srv):
    r = put(srv, "monday", ITEMS)
    assert r.status_code == 207
    assert r.json() == {
        "batch": "monday",
        "mode": "each",
        "applied": 2,
        "results": [
            {"status": 201, "box": {"barcode": "KB0017", "shelf": "C4"}},
            {"status": 404, "error": "no_such_box"},
            {"status": 201, "box": {"barcode": "KB0018", "shelf": "C4"}},
        ],
    }
    assert boxes(srv) == {"KB0017": "C4", "KB0018": "C4"}
    r = put(srv, "tuesday", [{"op": "discard", "box": "KB0017"}, {"op": "move", "box": "KB0018", "shelf": "D12"}])
    assert r.status_code == 200
    assert r.json()["results"] == [{"status": 204}, {"status": 200, "box": {"barcode": "KB0018", "shelf": "D12"}}]
    assert srv.get("/boxes/KB0017").status_code == 404
    assert srv.get("/boxes/KB0018").json() == {"barcode": "KB0018", "shelf": "D12"}


def test_all_or_nothing(srv):
    r = put(srv, "monday", ITEMS, mode="all")
    assert r.status_code == 409
    assert r.json()["applied"] == 0
    assert [result["status"] for result in r.json()["results"]] == [424, 404, 424]
    assert boxes(srv) == {}
    r = put(srv, "corrected", [ITEMS[0], ITEMS[2]], mode="all")
    assert (r.status_code, r.json()["applied"]) == (200, 2)
    assert len(boxes(srv)) == 2


def test_the_same_batch_again(srv):
    first = put(srv, "monday", ITEMS)
    again = put(srv, "monday", ITEMS)
    assert (again.status_code, again.json()) == (207, first.json())
    assert "Batch-Replayed" not in first.headers
    assert again.headers.get("Batch-Replayed") == "true"
    assert put(srv, "monday", ITEMS[:1]).status_code == 409
