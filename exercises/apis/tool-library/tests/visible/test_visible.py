import pytest


@pytest.fixture
def srv(shared):
    return shared()


def create(srv, **fields):
    r = srv.post("/tools", json={"name": "Hand saw", "category": "hand", "daily_fee_cents": 120, **fields})
    assert r.status_code == 201
    return r.json()


def test_create_and_read(srv):
    r = srv.post("/tools", json={"name": "Cordless drill", "category": "power", "daily_fee_cents": 600})
    assert r.status_code == 201
    tool = r.json()
    assert tool == {
        "id": tool["id"],
        "name": "Cordless drill",
        "category": "power",
        "daily_fee_cents": 600,
        "note": None,
    }
    assert r.headers["Location"] == f"/tools/{tool['id']}"
    r = srv.get(f"/tools/{tool['id']}")
    assert r.status_code == 200
    assert r.json() == tool


def test_list_and_filter(srv):
    rake = create(srv, name="Rake", category="garden", daily_fee_cents=0)
    saw = create(srv, note="Mind the teeth")
    spade = create(srv, name="Spade", category="garden")
    ours = [rake["id"], saw["id"], spade["id"]]
    r = srv.get("/tools")
    assert r.status_code == 200
    assert [tool for tool in r.json()["items"] if tool["id"] in ours] == [rake, saw, spade]
    r = srv.get("/tools", params={"category": "garden"})
    assert [tool for tool in r.json()["items"] if tool["id"] in ours] == [rake, spade]
    assert {tool["category"] for tool in r.json()["items"]} == {"garden"}


def test_patch_changes_what_is_sent(srv):
    tool = create(srv)
    r = srv.patch(f"/tools/{tool['id']}", json={"daily_fee_cents": 90, "note": "Newly sharpened"})
    assert r.status_code == 200
    assert r.json() == {**tool, "daily_fee_cents": 90, "note": "Newly sharpened"}
    assert srv.get(f"/tools/{tool['id']}").json() == r.json()
