import pytest

GLASS = {"label": "Comet seeker", "kind": "refractor", "copies": 2, "weight_kg": 4.5}


@pytest.fixture
def srv(shared):
    return shared()


def add(srv, **members):
    r = srv.post("/instruments", json={**GLASS, **members})
    assert r.status_code == 201
    return r.json()


def test_an_instrument_is_added(srv):
    r = srv.post("/instruments", json=GLASS)
    assert r.status_code == 201
    instrument = r.json()
    assert instrument == {**GLASS, "note": "", "id": instrument["id"], "available": 2}
    assert r.headers["Location"] == f"/instruments/{instrument['id']}"
    r = srv.get(f"/instruments/{instrument['id']}")
    assert r.status_code == 200
    assert r.json() == instrument


def test_an_instrument_is_lent_and_returned(srv):
    path = f"/instruments/{add(srv)['id']}"
    r = srv.post(f"{path}/loans", json={"member": "M0001", "from": "2026-03-02"})
    assert r.status_code == 201
    loan = r.json()
    assert loan == {
        "id": loan["id"],
        "instrument_id": srv.get(path).json()["id"],
        "member": "M0001",
        "from": "2026-03-02",
        "due": "2026-03-16",
        "returned_on": None,
    }
    assert srv.get(path).json()["available"] == 1
    r = srv.post(f"/loans/{loan['id']}/return", json={"on": "2026-03-09"})
    assert r.status_code == 200
    assert r.json() == {**loan, "returned_on": "2026-03-09"}
    assert srv.get(path).json()["available"] == 2


def test_a_kind_that_is_none(srv):
    r = srv.post("/instruments", json={**GLASS, "kind": "microscope"})
    assert r.status_code == 422
    error = r.json()
    assert error == {"code": "invalid", "message": error["message"], "fields": ["kind"]}
