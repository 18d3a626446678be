import pytest


@pytest.fixture
def srv(shared):
    return shared(LEASE=30)


def test_the_wheel_has_one_holder(srv):
    taken = srv.post("/bridges/north/wheel", json={"holder": "console 1"})
    assert taken.status_code == 201
    lease = taken.json()
    assert lease == {"token": lease["token"], "number": lease["number"], "seconds": 30}
    assert srv.post("/bridges/north/wheel", json={"holder": "console 2"}).status_code == 409
    assert srv.get("/bridges/north/wheel").json() == {"holder": "console 1", "number": lease["number"]}


def test_the_wheel_is_given_back(srv):
    first = srv.post("/bridges/south/wheel", json={"holder": "console 1"}).json()
    assert srv.delete("/bridges/south/wheel", headers={"X-Token": first["token"]}).status_code == 204
    assert srv.get("/bridges/south/wheel").json() == {"holder": None, "number": first["number"]}
    second = srv.post("/bridges/south/wheel", json={"holder": "console 2"})
    assert second.status_code == 201
    assert second.json()["number"] > first["number"]
    assert srv.delete("/bridges/south/wheel", headers={"X-Token": first["token"]}).status_code == 409
    assert srv.get("/bridges/south/wheel").json()["holder"] == "console 2"


def test_the_span_moves(srv):
    number = srv.post("/bridges/east/wheel", json={"holder": "console 3"}).json()["number"]
    assert srv.get("/bridges/east/span").json() == {"angle": 0, "number": 0}
    moved = srv.put("/bridges/east/span", json={"number": number, "angle": 35})
    assert moved.status_code == 200
    assert moved.json() == {"angle": 35, "number": number}
    assert srv.get("/bridges/east/span").json() == {"angle": 35, "number": number}
