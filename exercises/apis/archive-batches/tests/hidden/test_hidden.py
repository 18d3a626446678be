import json
from string import ascii_uppercase

import pytest

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def box(rng):
    """Gives the barcode of another box each time."""
    numbers = iter(rng.sample(range(10_000), 600))
    prefix = "".join(rng.sample(ascii_uppercase, 2))
    return lambda: f"{prefix}{next(numbers):04}"


class Scanner:
    """A scanner and its batches."""

    def __init__(self, srv, name="cellar-1"):
        self.srv, self.headers, self.number = srv, {"X-Scanner": name}, 0

    def send(self, batch_id, items, mode="each"):
        return self.srv.put(f"/batches/{batch_id}", json={"mode": mode, "items": items}, headers=self.headers)

    def work(self, *items, mode="each"):
        """What the results of a new batch are, in short."""
        self.number += 1
        body = self.send(f"shift-{self.number}", list(items), mode).json()
        return [result.get("error", result["status"]) for result in body["results"]]

    def read(self, batch_id):
        return self.srv.get(f"/batches/{batch_id}", headers=self.headers)

    @property
    def boxes(self):
        return self.srv.get("/boxes").json()["boxes"]


def add(barcode, shelf):
    return {"op": "add", "box": barcode, "shelf": shelf}


def move(barcode, shelf):
    return {"op": "move", "box": barcode, "shelf": shelf}


def discard(barcode):
    return {"op": "discard", "box": barcode}


INVALID = (
    None,
    7,
    "add",
    [],
    {},
    {"op": "add"},
    {"op": "add", "box": "QX0001"},
    {"op": "add", "box": "QX0001", "shelf": None},
    {"op": "add", "box": "QX0001", "shelf": "a1"},
    {"op": "add", "box": "QX0001", "shelf": "A123"},
    {"op": "add", "box": "QX0001", "shelf": "A1\n"},
    {"op": "add", "box": "QX001", "shelf": "A1"},
    {"op": "add", "box": "qx0001", "shelf": "A1"},
    {"op": "add", "box": "QX\u0660\u0660\u0660\u0661", "shelf": "A1"},
    {"op": "add", "box": ["QX0001"], "shelf": "A1"},
    {"op": "add", "box": "QX0001", "shelf": "A1", "fragile": True},
    {"op": "burn", "box": "QX0001"},
    {"op": ["add"], "box": "QX0001", "shelf": "A1"},
    {"op": "constructor", "box": "QX0001", "shelf": "A1"},
    {"op": "discard", "box": "QX0001", "shelf": "A1"},
    {"op": "Move", "box": "QX0001", "shelf": "A1"},
)


def test_bad_items_spoil_nothing(start, box):
    scanner = Scanner(start(SHELF_CAPACITY=3))
    there, gone = box(), box()
    assert scanner.work(add(there, "A1")) == [201]
    items = []
    for bad in INVALID:
        items += [bad, add(box(), f"B{len(items)}")]
    r = scanner.send("mixed", items)
    assert r.status_code == 207
    body = r.json()
    assert body["results"][::2] == [{"status": 422, "error": "invalid"}] * len(INVALID)
    made = [{"status": 201, "box": {"barcode": item["box"], "shelf": item["shelf"]}} for item in items[1::2]]
    assert body["results"][1::2] == made
    assert body["applied"] == len(INVALID)
    assert scanner.boxes == {item["box"]: item["shelf"] for item in items[1::2]} | {there: "A1"}
    others = [add(box(), "A1"), add(box(), "A1"), add(box(), "A1"), add(there, "A1"), discard(gone), move(box(), "A1")]
    expected = [201, 201, "shelf_full", "box_exists", "no_such_box", "no_such_box", 201]
    assert scanner.work(*others, add(box(), "C1")) == expected
    assert scanner.send("nothing-good", [discard(gone), 5]).status_code == 207
    assert scanner.send("nothing-bad", [discard(there)]).status_code == 200


def test_items_see_what_earlier_ones_did(start, box):
    scanner = Scanner(start(SHELF_CAPACITY=2))
    a, b, c, d, e = (box() for _ in range(5))
    assert scanner.work(add(a, "D1"), add(b, "D1"), add(c, "D1"), move(b, "D2")) == [
        201,
        201,
        "shelf_full",
        "duplicate_in_batch",
    ]
    assert scanner.work(discard(a), add(c, "D1"), add(d, "D1")) == [204, 201, "shelf_full"]
    assert scanner.work(add(d, "D1"), discard(c), add(e, "D1")) == ["shelf_full", 204, 201]
    assert scanner.work(move(b, "D1"), move(e, "D3"), add(c, "D1"), add(d, "D1")) == [200, 200, 201, "shelf_full"]
    assert scanner.work(move(e, "D1"), move(b, "D3"), add(d, "D1")) == ["shelf_full", 200, 201]
    assert scanner.boxes == {b: "D3", c: "D1", d: "D1", e: "D3"}
    assert scanner.work(move(c, "D1"), add(a, "D1"), move(d, "D2"), mode="all") == [
        "not_applied",
        "shelf_full",
        "not_applied",
    ]
    assert scanner.work(move(d, "D2"), add(a, "D1"), move(c, "D2"), mode="all") == [200, 201, 200]
    assert scanner.boxes == {a: "D1", b: "D3", c: "D2", d: "D2", e: "D3"}
    assert scanner.work(discard(a)) == [204]
    assert scanner.work(add(a, "D1")) == [201]


def test_a_box_has_one_item(start, box):
    scanner = Scanner(start())
    a, b, c = box(), box(), box()
    twice = [add(a, "A1"), add(a, "A2"), move(a, "A3"), discard(a), add(b, "A1")]
    assert scanner.work(*twice) == [201, *["duplicate_in_batch"] * 3, 201]
    assert scanner.boxes == {a: "A1", b: "A1"}
    # An item that failed has been the one of its box; an invalid one has not.
    assert scanner.work(move(c, "A1"), add(c, "A1")) == ["no_such_box", "duplicate_in_batch"]
    assert scanner.work(add(c, "nowhere"), add(c, "A4"), discard(c)) == ["invalid", 201, "duplicate_in_batch"]
    assert scanner.work(discard(c), add(c, "A5"), mode="all") == ["not_applied", "duplicate_in_batch"]
    assert scanner.boxes == {a: "A1", b: "A1", c: "A4"}


def test_a_failed_whole_leaves_nothing(start, box):
    scanner = Scanner(start(SHELF_CAPACITY=2))
    a, b, c, d = (box() for _ in range(4))
    assert scanner.work(add(a, "E1"), add(b, "E1"), add(c, "E2"), mode="all") == [201, 201, 201]
    before = scanner.boxes
    for bad, error in ((discard(d), "no_such_box"), (add(c, "E9"), "box_exists"), ({"op": "add"}, "invalid")):
        for place in range(4):
            items = [discard(a), move(b, "E2"), add(d if bad != discard(d) else box(), "E1")]
            items.insert(place, bad)
            expected = ["not_applied"] * 4
            expected[place] = error
            assert scanner.work(*items, mode="all") == expected
            assert scanner.boxes == before
    r = scanner.send("as-a-whole", [discard(a), add(d, "E1"), add(c, "E1"), add(box(), "E1"), 1], mode="all")
    assert r.status_code == 409
    assert r.json() == {
        "batch": "as-a-whole",
        "mode": "all",
        "applied": 0,
        "results": [
            {"status": 424, "error": "not_applied"},
            {"status": 424, "error": "not_applied"},
            {"status": 409, "error": "box_exists"},
            {"status": 409, "error": "shelf_full"},
            {"status": 422, "error": "invalid"},
        ],
    }
    assert scanner.boxes == before
    assert scanner.work(add(d, "E1")) == ["shelf_full"]
    assert scanner.work(discard(a), add(d, "E1"), mode="all") == [204, 201]


def test_faulty_batches_leave_the_id_free(start, box):
    srv = start(MAX_ITEMS=5)
    scanner = Scanner(srv)
    item = add(box(), "F1")
    faulty = [[], None, "batch", {}, {"mode": "each"}, {"items": [item]}, {"mode": "some", "items": [item]}]
    faulty += [{"mode": "each", "items": value} for value in ([], {}, None, "all", item)]
    faulty += [{"mode": None, "items": [item]}, {"mode": ["all"], "items": [item]}]
    faulty += [{"mode": "each", "items": [item], "note": ""}, {"mode": "each", "items": []}]
    for body in faulty:
        r = srv.put("/batches/f", content=json.dumps(body).encode(), headers=scanner.headers | JSON)
        assert (r.status_code, type(r.json()["error"])) == (422, str)
    crowd = [add(box(), "F2") for _ in range(6)]
    assert scanner.send("f", crowd).status_code == 413
    for raw in (b"", b"{", b'{"mode": "each", "items": [}'):
        assert srv.put("/batches/f", content=raw, headers=scanner.headers | JSON).status_code == 400
        assert srv.put("/batches/f", content=raw, headers=JSON).status_code == 401
    for bad_id in ("f.g", "f" * 65, "f%20g", "%C3%A9"):
        assert srv.put(f"/batches/{bad_id}", content=b"{", headers=scanner.headers | JSON).status_code == 404
    assert scanner.boxes == {}
    assert scanner.read("f").status_code == 404
    r = scanner.send("f", crowd[:5])
    assert (r.status_code, r.json()["applied"], "Batch-Replayed" in r.headers) == (200, 5, False)
    assert scanner.send("f", crowd).status_code == 413
    assert scanner.send("f" * 64, [item]).status_code == 200


def test_a_batch_id_stands_for_one_batch(start, box):
    srv = start()
    scanner = Scanner(srv)
    items = [add(box(), "G1"), add(box(), "G2"), discard(box())]
    first = scanner.send("g-1", items)
    turned = {"items": [dict(reversed(item.items())) for item in items], "mode": "each"}
    headers = scanner.headers | JSON
    for text in (json.dumps(turned, indent=2), json.dumps(turned, separators=(",", ":"))):
        r = srv.put("/batches/g-1", content=text.replace('"G1"', '"\\u00471"').encode(), headers=headers)
        assert (r.status_code, r.json(), r.headers.get("Batch-Replayed")) == (207, first.json(), "true")
    before = scanner.boxes
    for other, mode in (
        (items[::-1], "each"),
        (items[:2], "each"),
        (items, "all"),
        ([*items, items[0]], "each"),
        ([0], "all"),
    ):
        r = scanner.send("g-1", other, mode)
        assert (r.status_code, r.json()) == (409, {"error": "batch_id_reused"})
        assert "Batch-Replayed" not in r.headers
    assert scanner.boxes == before
    r = scanner.read("g-1")
    assert (r.status_code, r.json()) == (200, first.json())
    assert scanner.send("g-1", items).json() == first.json()
    assert scanner.send("G-1", [discard(items[0]["box"])]).status_code == 200


def test_failures_are_answered_again(start, box):
    scanner = Scanner(start(SHELF_CAPACITY=1))
    a, b, c = box(), box(), box()
    assert scanner.work(add(a, "H1")) == [201]
    asked = {"part": ([add(b, "H1"), add(c, "H2")], "each"), "whole": ([add(b, "H1"), discard(c)], "all")}
    first = {name: scanner.send(name, *batch) for name, batch in asked.items()}
    assert [r.status_code for r in first.values()] == [207, 409]
    assert scanner.work(discard(a)) == [204]
    for name, batch in asked.items():
        for _ in range(2):
            r = scanner.send(name, *batch)
            assert (r.status_code, r.json()) == (first[name].status_code, first[name].json())
            assert r.headers.get("Batch-Replayed") == "true"
        assert scanner.read(name).json() == first[name].json()
    assert scanner.boxes == {c: "H2"}


def test_batches_belong_to_a_scanner(start, box):
    srv = start()
    mine, other = Scanner(srv, "attic-1"), Scanner(srv, "attic-2")
    a, b = box(), box()
    first = mine.send("night", [add(a, "I1"), discard(b)])
    assert first.status_code == 207
    assert other.read("night").status_code == 404
    assert srv.get("/batches/night").status_code == 401
    assert srv.get("/batches/night", headers={"X-Scanner": ""}).status_code == 401
    r = other.send("night", [add(a, "I1"), discard(b)])
    assert (r.json()["results"][0], "Batch-Replayed" in r.headers) == ({"status": 409, "error": "box_exists"}, False)
    third = Scanner(srv, "attic-1 ,night")
    assert third.send("night", [add(b, "I2")]).status_code == 200
    assert [each.read("night").json() for each in (mine, other)] == [first.json(), r.json()]
    assert other.boxes == {a: "I1", b: "I2"}
    body = {"mode": "each", "items": [discard(a)]}
    assert srv.put("/batches/night", json=body).status_code == 401
    assert srv.put("/batches/night", json=body, headers={"X-Scanner": ""}).status_code == 401
    assert other.boxes == {a: "I1", b: "I2"}


def test_simultaneous_repeats_work_once(start, box):
    scanner = Scanner(start())
    for mode in ("each", "all"):
        items = [add(box(), "J1"), add(box(), "J2"), add(box(), "J3")]
        answers = scanner.srv.parallel(8, lambda i, items=items, mode=mode: scanner.send(f"rush-{mode}", items, mode))
        assert [r.status_code for r in answers] == [200] * 8
        assert all(r.json() == answers[0].json() for r in answers)
        assert answers[0].json()["applied"] == 3
        assert sum("Batch-Replayed" not in r.headers for r in answers) == 1
    assert len(scanner.boxes) == 6


def test_simultaneous_batches_fill_a_shelf(start, box):
    scanner = Scanner(start(SHELF_CAPACITY=4))
    singles, pairs = [box() for _ in range(7)], [(box(), box()) for _ in range(6)]
    answers = scanner.srv.parallel(7, lambda i: scanner.send(f"single-{i}", [add(singles[i], "K1")]))
    assert sorted(r.status_code for r in answers) == [200] * 4 + [207] * 3
    answers = scanner.srv.parallel(
        6, lambda i: scanner.send(f"pair-{i}", [add(each, "K2") for each in pairs[i]], "all")
    )
    assert sorted(r.status_code for r in answers) == [200] * 2 + [409] * 4
    boxes = scanner.boxes
    assert sorted(boxes.values()) == ["K1"] * 4 + ["K2"] * 4
    placed = {each for number, r in enumerate(answers) if r.status_code == 200 for each in pairs[number]}
    assert {each for each, shelf in boxes.items() if shelf == "K2"} == placed


def test_nobody_sees_half_a_batch(start, box):
    scanner = Scanner(start())
    boxes = [box() for _ in range(6)]
    scanner.work(*(add(each, "L0") for each in boxes))

    def act(i):
        if i < 2:
            done = []
            for number in range(5):
                moves = [move(each, f"L{1 + i * 5 + number}") for each in boxes]
                done.append(scanner.send(f"go-{i}-{number}", moves, ("each", "all")[number % 2]).status_code)
                spoilt = [*(move(each, f"N{number}") for each in boxes), 0]
                done.append(scanner.send(f"no-{i}-{number}", spoilt, "all").status_code)
            return done
        seen = [set(scanner.boxes.values()) for _ in range(12)]
        return [shelves for shelves in seen if len(shelves) != 1 or min(shelves)[0] == "N"]

    *movers, one, two, three = scanner.srv.parallel(5, act)
    assert movers == [[200, 409] * 5] * 2
    assert (one, two, three) == ([], [], [])


def test_everything_outlives_the_process(start, box):
    srv = start(SHELF_CAPACITY=2)
    scanner = Scanner(srv)
    a, b, c = box(), box(), box()
    asked = {
        "done": ([add(a, "M1"), add(b, "M1")], "all"),
        "part": ([add(c, "M1"), move(b, "M2")], "each"),
        "none": ([discard(a), add(c, "nowhere")], "all"),
        "gone": ([discard(a)], "each"),
    }
    first = {name: scanner.send(name, *batch) for name, batch in asked.items()}
    assert [r.status_code for r in first.values()] == [200, 207, 409, 200]
    for _ in range(2):
        srv.restart()
        assert scanner.boxes == {b: "M2"}
        for name, batch in asked.items():
            r = scanner.send(name, *batch)
            assert (r.status_code, r.json()) == (first[name].status_code, first[name].json())
            assert r.headers.get("Batch-Replayed") == "true"
            assert scanner.read(name).json() == r.json()
        assert scanner.send("done", [add(a, "M1")]).json() == {"error": "batch_id_reused"}
    assert scanner.work(add(a, "M2"), add(c, "M2")) == [201, "shelf_full"]
    srv.restart()
    assert scanner.boxes == {a: "M2", b: "M2"}
