import json

import pytest

BOAT = {
    "boat": "Sturmvogel",
    "class": "dinghy",
    "sail": "GER 117",
    "skipper": {"name": "Ida Brandt", "phone": "0431 55"},
}


@pytest.fixture
def srv(start):
    return start()


def patch(srv, path, body, **conditions):
    headers = {name.replace("_", "-"): value for name, value in conditions.items()}
    headers["Content-Type"] = "application/merge-patch+json"
    return srv.patch(path, content=json.dumps(body).encode(), headers=headers)


def test_a_boat_is_entered_and_patched(srv):
    r = srv.post("/entries", json=BOAT)
    assert r.status_code == 201
    assert r.json() == {**BOAT, "id": 1, "crew": {}, "flags": []}
    assert r.headers["Location"] == "/entries/1"
    read = srv.get("/entries/1")
    assert read.json() == r.json()
    for name in ("ETag", "Last-Modified"):
        assert read.headers[name] == r.headers[name]

    change = {"sail": "GER 171", "skipper": {"phone": None}, "crew": {"trim": "Ole"}}
    r = patch(srv, "/entries/1", change, If_Match=read.headers["ETag"])
    assert r.status_code == 200
    expected = {
        **BOAT,
        "id": 1,
        "sail": "GER 171",
        "skipper": {"name": "Ida Brandt"},
        "crew": {"trim": "Ole"},
        "flags": [],
    }
    assert r.json() == srv.get("/entries/1").json() == expected
    assert srv.get("/entries/1/crew").json() == {"trim": "Ole"}
    assert srv.delete("/entries/1", headers={"If-Match": r.headers["ETag"]}).status_code == 204
    assert srv.get("/entries/1").status_code == 404


def test_a_patch_says_what_it_is_based_on(srv):
    tag = srv.post("/entries", json=BOAT).headers["ETag"]
    assert patch(srv, "/entries/1", {"boat": "Seeadler"}).status_code == 428
    r = patch(srv, "/entries/1", {"boat": "Seeadler"}, If_Match=tag)
    assert r.status_code == 200
    assert r.headers["ETag"] != tag
    assert patch(srv, "/entries/1", {"flags": ["DSQ"]}, If_Match=tag).status_code == 412
    assert srv.get("/entries/1").json() == {**BOAT, "id": 1, "boat": "Seeadler", "crew": {}, "flags": []}


def test_an_unchanged_list_is_304(srv):
    srv.post("/entries", json=BOAT)
    first = srv.get("/entries")
    assert first.json() == {"items": [{**BOAT, "id": 1, "crew": {}, "flags": []}]}
    again = srv.get("/entries", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    srv.post("/entries", json={**BOAT, "sail": "DEN 5"})
    again = srv.get("/entries", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, len(again.json()["items"])) == (200, 2)
