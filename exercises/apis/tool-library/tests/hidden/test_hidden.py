import pytest

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def create(srv, rng):
    def post(**fields):
        tool = {"name": f"Tool {rng.randrange(10**6)}", "category": "power", "daily_fee_cents": rng.randrange(10**4)}
        r = srv.post("/tools", json=tool | fields)
        assert r.status_code == 201
        return r.json()

    return post


def listed(srv):
    return {tool["id"] for tool in srv.get("/tools").json()["items"]}


def is_error(r, status):
    kind = r.headers.get("Content-Type", "")
    return r.status_code == status and kind.startswith("application/json") and isinstance(r.json().get("error"), str)


def test_delete_then_gone(srv, create):
    kept, gone = create(), create()
    r = srv.delete(f"/tools/{gone['id']}")
    assert (r.status_code, r.content) == (204, b"")
    for again in (srv.get, srv.delete):
        assert is_error(again(f"/tools/{gone['id']}"), 404)
    assert is_error(srv.patch(f"/tools/{gone['id']}", json={"note": "lost"}), 404)
    assert gone["id"] not in listed(srv)
    in_category = srv.get("/tools", params={"category": gone["category"]}).json()["items"]
    assert kept in in_category and gone not in in_category


def test_ids_are_never_reused(srv, create):
    first, second, third = create(), create(), create()
    srv.delete(f"/tools/{first['id']}")
    srv.delete(f"/tools/{third['id']}")
    fourth = create()
    srv.delete(f"/tools/{fourth['id']}")
    fifth = create()
    assert len({tool["id"] for tool in (first, second, third, fourth, fifth)}) == 5
    assert srv.get(f"/tools/{second['id']}").json() == second


def test_errors_are_json(srv, create):
    known = f"/tools/{create()['id']}"
    for path in ("/tools/987654321", "/toolbox", "/tools/hammer"):
        assert is_error(srv.get(path), 404)
    r = srv.put(known, json={})
    assert is_error(r, 405)
    assert {"GET", "PATCH", "DELETE"} <= {method.strip() for method in r.headers["Allow"].split(",")}
    r = srv.delete("/tools")
    assert is_error(r, 405)
    assert {"GET", "POST"} <= {method.strip() for method in r.headers["Allow"].split(",")}


def test_bodies_that_are_no_object(srv, create):
    known = f"/tools/{create()['id']}"
    bodies = (b"", b"{", b"name=Axe", b'{"name": "Axe",}', b"[]", b"null", b"17", b'"name"', b"\xff\xfe{}")
    posted = srv.parallel(len(bodies), lambda i: srv.post("/tools", content=bodies[i], headers=JSON))
    patched = srv.parallel(len(bodies), lambda i: srv.patch(known, content=bodies[i], headers=JSON))
    assert all(is_error(r, 400) for r in posted + patched)


def test_every_fault_is_named(srv, create):
    def faults(send, path, body):
        r = send(path, json=body)
        assert is_error(r, 422)
        return set(r.json()["fields"])

    assert faults(srv.post, "/tools", {}) == {"name", "category", "daily_fee_cents"}
    bad = {"name": "   ", "category": "kitchen", "daily_fee_cents": -1, "note": "n" * 501, "shelf": 4}
    assert faults(srv.post, "/tools", bad) == set(bad)
    assert faults(srv.post, "/tools", {"name": "n" * 81, "category": "hand"}) == {"name", "daily_fee_cents"}
    known = f"/tools/{create()['id']}"
    assert faults(srv.patch, known, bad) == set(bad)
    assert faults(srv.patch, known, {"name": "", "note": "fine"}) == {"name"}
    longest = create(name="n" * 80, note="ö" * 500, daily_fee_cents=0)
    assert srv.get(f"/tools/{longest['id']}").json() == longest


def test_types_are_exact(srv, create):
    tool = create()
    wrong = {
        "name": (7, None, True, ["Axe"]),
        "category": (None, "", "Power", 1, ["power"], {"power": 1}),
        "daily_fee_cents": (True, False, "300", 2.5, None, []),
        "note": (0, False, {}),
    }
    changes = [{field: value} for field, values in wrong.items() for value in values]
    answers = srv.parallel(len(changes), lambda i: srv.patch(f"/tools/{tool['id']}", json=changes[i]))
    assert all(is_error(r, 422) for r in answers)
    assert [set(r.json()["fields"]) for r in answers] == [set(change) for change in changes]
    assert srv.get(f"/tools/{tool['id']}").json() == tool


def test_absent_is_not_null(srv, create):
    tool = create(note="Battery is weak")
    path = f"/tools/{tool['id']}"
    assert srv.patch(path, json={}).json() == tool
    renamed = srv.patch(path, json={"name": "Angle grinder"}).json()
    assert renamed == tool | {"name": "Angle grinder"}
    assert srv.patch(path, json={"note": ""}).json() == renamed | {"note": ""}
    assert srv.patch(path, json={"note": None}).json() == renamed | {"note": None}
    assert srv.get(path).json() == renamed | {"note": None}


def test_a_refused_change_changes_nothing(srv, create):
    tool, other = create(), create()
    path = f"/tools/{tool['id']}"
    for body in (
        {"name": "Mine", "id": other["id"]},
        {"id": tool["id"]},
        {"name": "Mine", "daily_fee_cents": 1, "note": 5},
        {"name": "Mine", "created_by": "me"},
    ):
        assert is_error(srv.patch(path, json=body), 422)
    assert srv.get(path).json() == tool
    assert srv.get(f"/tools/{other['id']}").json() == other
    before = listed(srv)
    free = max(before) + 5000
    body = {"id": free, "name": "Mine", "category": "hand", "daily_fee_cents": 1}
    assert is_error(srv.post("/tools", json=body), 422)
    assert listed(srv) == before


def test_parallel_creates(srv):
    def create(i):
        return srv.post("/tools", json={"name": f"Chisel {i}", "category": "hand", "daily_fee_cents": i})

    answers = srv.parallel(12, create)
    assert [r.status_code for r in answers] == [201] * 12
    made = [r.json() for r in answers]
    assert [tool["name"] for tool in made] == [f"Chisel {i}" for i in range(12)]
    assert len({tool["id"] for tool in made}) == 12
    stored = {tool["id"]: tool for tool in srv.get("/tools").json()["items"]}
    assert [stored[tool["id"]] for tool in made] == made
