import json

import pytest

ARABIC = "\u0662\u0660\u0662\u0666-\u0660\u0665-\u0661\u0667"  # 2026-05-17 in other digits
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def report(rng):
    """A good report of its own."""
    return {
        "apiary": f"Orchard {rng.randrange(10**6)}",
        "inspected_on": f"2026-0{rng.randrange(1, 9)}-1{rng.randrange(10)}",
        "queen_seen": False,
        "mites_per_100": rng.randrange(100),
        "frames": [{"position": place, "brood": place / 20} for place in rng.sample(range(1, 21), 4)],
    }


def problem(r, status, kind):
    """The answer's document, if it is that problem."""
    assert r.status_code == status
    assert r.headers.get("Content-Type", "").startswith("application/problem+json")
    body = r.json()
    assert (body["type"], body["status"]) == (f"/problems/{kind}", status)
    assert isinstance(body["title"], str) and body["title"]
    return body


def faults(srv, body):
    r = srv.post("/reports", content=json.dumps(body).encode(), headers=JSON)
    errors = problem(r, 422, "invalid-report")["errors"]
    assert all(isinstance(each["detail"], str) and each["detail"] for each in errors)
    return sorted((each["pointer"], each["code"]) for each in errors)


def fault_of(srv, body):
    (only,) = faults(srv, body)
    return only


def filed(srv, body):
    r = srv.post("/reports", json=body)
    assert r.status_code == 201
    return r.json()


def test_every_fault_is_found_once(srv, report):
    assert faults(srv, {}) == sorted(
        (f"/{name}", "required") for name in ("apiary", "inspected_on", "queen_seen", "mites_per_100", "frames")
    )
    bad = {
        "apiary": "",
        "inspected_on": 20260517,
        "queen_seen": "yes",
        "mites_per_100": -1,
        "note": ["late"],
        "frames": [
            {"position": 2, "brood": 0.25},
            "empty",
            {"position": 2, "brood": 1.5, "stores": "wax"},
            {"position": 21, "colour": "dark"},
            {"position": 2, "brood": None, "stores": 4},
        ],
        "hive": 7,
    }
    assert faults(srv, bad) == sorted(
        [
            ("/apiary", "length"),
            ("/inspected_on", "type"),
            ("/queen_seen", "type"),
            ("/mites_per_100", "range"),
            ("/note", "type"),
            ("/frames/1", "type"),
            ("/frames/2/position", "duplicate"),
            ("/frames/2/brood", "range"),
            ("/frames/2/stores", "choice"),
            ("/frames/3/position", "range"),
            ("/frames/3/brood", "required"),
            ("/frames/3/colour", "unknown"),
            ("/frames/4/position", "duplicate"),
            ("/frames/4/brood", "type"),
            ("/frames/4/stores", "type"),
            ("/hive", "unknown"),
        ]
    )
    assert fault_of(srv, report | {"frames": []}) == ("/frames", "length")
    crowd = [{"position": 30, "brood": "x"}] * 21
    assert fault_of(srv, report | {"frames": crowd}) == ("/frames", "length")
    assert fault_of(srv, report | {"frames": {"0": report["frames"][0]}}) == ("/frames", "type")


def test_numbers_are_numbers(srv, report):
    for value in (True, False, "4", 4.5, [4], {}):
        assert fault_of(srv, report | {"mites_per_100": value}) == ("/mites_per_100", "type")
    for value in (True, "0.5", None):
        frame = {"position": 1, "brood": value}
        assert fault_of(srv, report | {"frames": [frame]}) == ("/frames/0/brood", "type")
    for value in (True, "1", 1.25):
        frame = {"position": value, "brood": 0}
        assert fault_of(srv, report | {"frames": [frame]}) == ("/frames/0/position", "type")
    for value in (0, 1, "true", None):
        assert fault_of(srv, report | {"queen_seen": value}) == ("/queen_seen", "type")
    for value in (100.5, 1e30, 10**25, -0.5):
        (pointer, code) = fault_of(srv, report | {"mites_per_100": value})
        assert (pointer, code) == ("/mites_per_100", "range" if value in (1e30, 10**25) else "type")
    made = filed(srv, report | {"mites_per_100": 4.0, "frames": [{"position": 7.0, "brood": 1}]})
    assert (made["mites_per_100"], made["frames"][0]["position"]) == (4, 7)
    twice = [{"position": 7.0, "brood": 0}, {"position": 7, "brood": 0.0}]
    assert fault_of(srv, report | {"frames": twice}) == ("/frames/1/position", "duplicate")


def test_null_is_not_missing(srv, report):
    made = filed(srv, report | {"mites_per_100": None})
    assert made["mites_per_100"] is None
    assert srv.get(f"/reports/{made['id']}").json() == made
    without = {name: value for name, value in report.items() if name != "mites_per_100"}
    assert fault_of(srv, without) == ("/mites_per_100", "required")
    for name in ("apiary", "inspected_on", "queen_seen", "note", "frames"):
        assert fault_of(srv, report | {name: None}) == (f"/{name}", "type")
    frame = {"position": 5, "brood": 0.5, "stores": None}
    assert fault_of(srv, report | {"frames": [frame]}) == ("/frames/0/stores", "type")
    assert filed(srv, report)["note"] == ""
    assert filed(srv, report | {"note": ""})["note"] == ""


def test_dates_are_of_the_calendar(srv, report):
    bad = ("", "2026-02-29", "2026-13-01", "2026-04-31", "2026-00-10", "20260517", "2026-W20-7", "2026-5-17")
    more = ("17.05.2026", "2026-05-17T10:00:00", " 2026-05-17", "2026-05-17\n", "2026-137", ARABIC, "1900-02-29")
    for value in bad + more:
        assert fault_of(srv, report | {"inspected_on": value}) == ("/inspected_on", "format")
    for value in ("2024-02-29", "2000-02-29", "2026-12-31"):
        assert filed(srv, report | {"inspected_on": value})["inspected_on"] == value


def test_characters_are_counted(srv, report):
    longest = {"apiary": "🐝" * 60, "note": "蜜" * 150 + "🍯" * 50}
    made = filed(srv, report | longest)
    assert (made["apiary"], made["note"]) == (longest["apiary"], longest["note"])
    assert srv.get(f"/reports/{made['id']}").json() == made
    too_long = {name: value + "!" for name, value in longest.items()}
    assert faults(srv, report | too_long) == [("/apiary", "length"), ("/note", "length")]


def test_pointers_are_json_pointers(srv, report):
    odd = {"hive/queen": 1, "~": 2, "~1": 3, "": 4, "a b": 5, "Imkerei Süd": 6}
    expected = ["/", "/Imkerei Süd", "/a b", "/hive~1queen", "/~0", "/~01"]
    assert faults(srv, report | odd) == sorted((pointer, "unknown") for pointer in expected)
    inside = [*report["frames"], {"position": 1, "brood": 0, "x/y~z": None}]
    inside[-1]["position"] = next(p for p in range(1, 21) if p not in {f["position"] for f in report["frames"]})
    assert fault_of(srv, report | {"frames": inside}) == ("/frames/4/x~1y~0z", "unknown")
    for body in ([], [report], None, "report", 17, True):
        assert fault_of(srv, body) == ("", "type")


def test_large_bodies_are_refused(shared, report):
    srv = shared(MAX_BODY_BYTES=700)
    body = json.dumps(report | {"note": "ü" * 100}, ensure_ascii=False).encode()
    for size, status in ((700, 201), (701, 413), (5000, 413)):
        r = srv.post("/reports", content=body + b" " * (size - len(body)), headers=JSON)
        assert r.status_code == status
        if status == 413:
            problem(r, 413, "too-large")
    wide = json.dumps(report | {"note": "蜜" * 190}, ensure_ascii=False)
    assert len(wide) < 700 < len(wide.encode())
    problem(srv.post("/reports", content=wide.encode(), headers=JSON), 413, "too-large")
    problem(srv.post("/reports", content=b"{" * 701, headers=JSON), 413, "too-large")


def test_bodies_that_cannot_be_read(srv, report):
    good = json.dumps(report).encode()
    for media in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/problem+json"):
        r = srv.post("/reports", content=good, headers={"Content-Type": media})
        problem(r, 415, "unsupported-media-type")
    problem(srv.post("/reports", content=good), 415, "unsupported-media-type")
    problem(srv.post("/reports", content=b"{" * 20000), 415, "unsupported-media-type")
    for media in ("application/json; charset=utf-8", "Application/JSON"):
        assert srv.post("/reports", content=good, headers={"Content-Type": media}).status_code == 201
    nan = json.dumps(report | {"mites_per_100": float("nan")}).encode()
    infinite = json.dumps(report | {"mites_per_100": float("-inf")}).encode()
    cut = (b"", b"   ", b"{", good[:-1], good + b"}", b"{'apiary': 1}", b"[1,]", b"apiary=Oak")
    for raw in (*cut, nan, infinite, b"[" * 10000, b'"\xff"', json.dumps(report).encode("utf-16")):
        problem(srv.post("/reports", content=raw, headers=JSON), 400, "not-json")


def test_methods_and_addresses(srv, report):
    path = f"/reports/{filed(srv, report)['id']}"
    for unknown in ("/reports/987654", "/reports/first", "/report", "/"):
        problem(srv.get(unknown), 404, "not-found")
    problem(srv.post("/apiaries", content=b"{"), 404, "not-found")
    for send, address, has in (
        (srv.put, path, "GET"),
        (srv.delete, path, "GET"),
        (srv.post, path, "GET"),
        (srv.delete, "/reports", "POST"),
    ):
        r = send(address)
        problem(r, 405, "method-not-allowed")
        allowed = {method.strip() for method in r.headers["Allow"].split(",")}
        assert has in allowed
        assert not allowed & {"PUT", "DELETE", "PATCH"}


def test_nothing_internal_gets_out(start, report):
    srv = start(ARCHIVE="down")
    inner = (
        "internal:",
        "7433",
        "frames_2019",
        "no route",
        "archiveerror",
        "traceback",
        ".py",
        ".js",
        "    at ",
    )
    r = srv.post("/reports", json=report)
    problem(r, 500, "internal")
    assert not [word for word in inner if word in r.text.lower()]
    assert "hives-archive.internal:7433" in srv.output
    for number in (1, 2):
        problem(srv.get(f"/reports/{number}"), 404, "not-found")
    assert fault_of(srv, report | {"apiary": 5}) == ("/apiary", "type")
    for r in (srv.post("/reports", content=b"{", headers=JSON), srv.put("/reports", json=report)):
        assert not [word for word in (*inner, "werkzeug", "jsondecode", "syntaxerror") if word in r.text.lower()]
