from itertools import count

import pytest

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def glass(rng):
    return {"label": f"Dobson {rng.randrange(10**6)}", "kind": "reflector", "copies": 3, "weight_kg": 21}


@pytest.fixture
def member(request):
    """Gives the number of another member each time; a hundred of them are this check's own."""
    checks = [name for name in globals() if name.startswith("test_")]
    numbers = count(1000 + 100 * checks.index(request.node.originalname))
    return lambda: f"M{next(numbers)}"


def add(srv, body):
    r = srv.post("/instruments", json=body)
    assert r.status_code == 201
    return r.json()


def lend(srv, instrument, member, day="2026-06-01"):
    return srv.post(f"/instruments/{instrument['id']}/loans", json={"member": member, "from": day})


def lent(srv, instrument, member, day="2026-06-01"):
    r = lend(srv, instrument, member, day)
    assert r.status_code == 201
    return r.json()


def returned(srv, loan, day="2026-06-02"):
    r = srv.post(f"/loans/{loan['id']}/return", json={"on": day})
    assert r.status_code == 200
    return r.json()


def error(r, status, code):
    """The answer's Error without its message, if it is that refusal."""
    assert r.status_code == status
    assert r.headers["Content-Type"].startswith("application/json")
    body = r.json()
    assert set(body) <= {"code", "message", "fields"}
    assert isinstance(body["message"], str) and body["message"]
    assert body["code"] == code
    return body


def refused(r, status, code):
    assert set(error(r, status, code)) == {"code", "message"}
    return True


def faults(r):
    names = error(r, 422, "invalid")["fields"]
    assert len(names) == len(set(names))
    return set(names)


def test_bodies_follow_their_schema(srv, glass, member):
    assert faults(srv.post("/instruments", json={})) == {"label", "kind", "copies", "weight_kg"}
    bad = {"label": "x", "kind": "Reflector", "copies": 0, "weight_kg": 0, "note": "n" * 121, "colour": "black"}
    assert faults(srv.post("/instruments", json=bad)) == set(bad)
    bad = {"label": 7, "kind": None, "copies": "2", "weight_kg": "heavy", "note": None, "Label": "Seeker"}
    assert faults(srv.post("/instruments", json=bad)) == set(bad)
    bad = {"label": "n" * 41, "kind": ["reflector"], "copies": True, "weight_kg": False, "note": 0}
    assert faults(srv.post("/instruments", json=bad)) == set(bad)
    bad = {"label": None, "kind": "", "copies": 2.5, "weight_kg": 80.5}
    assert faults(srv.post("/instruments", json=bad)) == set(bad)
    assert faults(srv.post("/instruments", json={**glass, "copies": 10, "weight_kg": -1})) == {"copies", "weight_kg"}
    for body in ([], [glass], None, "instrument", 3):
        r = (
            srv.post("/instruments", json=body)
            if body is not None
            else srv.post("/instruments", content=b"null", headers=JSON)
        )
        assert faults(r) == set()
    edge = {"label": "éé", "kind": "binoculars", "copies": 9, "weight_kg": 80, "note": "ñ" * 120}
    assert add(srv, edge).items() >= edge.items()
    assert add(srv, {**edge, "label": "n" * 40, "copies": 1, "weight_kg": 0.01})["available"] == 1

    path = f"/instruments/{add(srv, glass)['id']}/loans"
    assert faults(srv.post(path, json={})) == {"member", "from"}
    assert faults(srv.post(path, json={"member": None, "from": 20260601, "until": "2026-07-01"})) == {
        "member",
        "from",
        "until",
    }
    loan = srv.post(path, json={"member": member(), "from": "2026-06-01"}).json()
    assert faults(srv.post(f"/loans/{loan['id']}/return", json={"day": "2026-06-02"})) == {"on", "day"}
    assert srv.get(f"/loans/{loan['id']}").json() == loan


def test_patterns_and_dates(srv, glass, member):
    path = f"/instruments/{add(srv, glass)['id']}/loans"
    for text in ("M12", "M12345", "m1234", "1234", "XM1234", "M1234\n", "M\uff11\uff12\uff13\uff14", "M12 4", ""):
        assert faults(srv.post(path, json={"member": text, "from": "2026-06-01"})) == {"member"}
    who = member()
    days = ("2026-02-29", "2026-06-31", "2026-6-1", "20260601", "2026-W23-1", "2026-06-01T00:00:00Z", "2026-06-01\n")
    for day in (*days, "01.06.2026", "2026-13-01", "2026-00-01", "", "tomorrow"):
        assert faults(srv.post(path, json={"member": who, "from": day})) == {"from"}
    assert srv.get("/loans", params={"member": who}).json() == {"items": []}
    assert lent(srv, add(srv, glass), who, "2028-02-29")["from"] == "2028-02-29"


def test_read_only_members_are_ignored(srv, glass, member):
    for sent in ({"id": 1, "available": 9}, {"id": "mine", "available": None}):
        made = add(srv, {**glass, **sent})
        assert made == {**glass, "id": made["id"], "note": "", "available": 3}
        assert made["id"] > 1
        assert srv.get(f"/instruments/{made['id']}").json() == made
    other = add(srv, glass)
    sent = {"id": 77, "instrument_id": other["id"], "due": "2030-01-01", "returned_on": "2026-06-01"}
    who = member()
    r = srv.post(f"/instruments/{made['id']}/loans", json={"member": who, "from": "2026-06-01", **sent})
    assert r.status_code == 201
    loan = r.json()
    assert (loan["instrument_id"], loan["due"], loan["returned_on"]) == (made["id"], "2026-06-15", None)
    assert srv.get(f"/loans/{loan['id']}").json() == loan
    assert srv.get(f"/instruments/{made['id']}").json()["available"] == 2
    assert srv.get(f"/instruments/{other['id']}").json()["available"] == 3


def test_null_and_default(srv, glass):
    made = add(srv, {**glass, "weight_kg": None})
    assert made == {**glass, "weight_kg": None, "id": made["id"], "note": "", "available": 3}
    assert add(srv, {**glass, "note": "Red dot finder"})["note"] == "Red dot finder"
    assert add(srv, {**glass, "note": ""})["note"] == ""
    del glass["weight_kg"]
    assert faults(srv.post("/instruments", json=glass)) == {"weight_kg"}


def test_lists_and_their_parameters(start, glass):
    srv = start()
    kinds = ["refractor", "reflector", "binoculars"]
    made = [add(srv, {**glass, "kind": kinds[number % 3]}) for number in range(24)]

    def listed(**params):
        r = srv.get("/instruments", params=params)
        assert r.status_code == 200
        assert set(r.json()) == {"items"}
        return r.json()["items"], r.headers["X-Total-Count"]

    assert listed() == (made[:20], "24")
    assert listed(offset=20) == (made[20:], "24")
    assert listed(limit=3, offset=22) == (made[22:], "24")
    assert listed(limit=50) == (made, "24")
    assert listed(limit=1, offset=24) == ([], "24")
    assert listed(kind="binoculars", limit=2, offset=1) == (made[5:9:3], "8")
    assert listed(kind="refractor", colour="red") == (made[::3], "8")
    lent(srv, made[0], "M0001")
    assert listed(limit=1) == ([{**made[0], "available": 2}], "24")
    wrong = [("limit", text) for text in ("0", "51", "-1", "ten", "", "2.5", "1e1")]
    wrong += [("offset", text) for text in ("-1", "x", "", "100001")] + [("kind", "microscope"), ("kind", "")]
    for name, text in wrong:
        assert refused(srv.get("/instruments", params={name: text}), 400, "bad_parameter")


def test_loans_of_a_member(srv, glass, member):
    instrument, who = add(srv, {**glass, "copies": 9}), member()
    first, second = (lent(srv, instrument, who) for _ in range(2))
    lent(srv, instrument, member())
    first = returned(srv, first)
    third = lent(srv, add(srv, glass), who)

    def listed(**params):
        r = srv.get("/loans", params={"member": who, **params})
        assert r.status_code == 200
        return r.json()

    assert listed() == {"items": [first, second, third]}
    assert listed(open="true") == {"items": [second, third]}
    assert listed(open="false") == {"items": [first]}
    for params in ({}, {"member": ""}, {"member": "M1"}, {"member": who, "open": "1"}, {"member": who, "open": ""}):
        assert refused(srv.get("/loans", params=params), 400, "bad_parameter")
    assert srv.get("/loans", params={"member": "M0000"}).json() == {"items": []}


def test_rules_in_the_descriptions(srv, glass, member):
    single, plenty = add(srv, {**glass, "copies": 1}), add(srv, {**glass, "copies": 9})
    ann, bob, cyd = member(), member(), member()
    loans = [lent(srv, plenty, ann) for _ in range(3)]
    assert refused(lend(srv, plenty, ann), 409, "too_many_loans")
    assert srv.get(f"/instruments/{plenty['id']}").json()["available"] == 6
    returned(srv, loans[1])
    fourth = lent(srv, single, ann)
    assert refused(lend(srv, single, bob), 409, "no_copy_left")
    assert refused(lend(srv, single, ann), 409, "too_many_loans")
    # Due on 15 June: lending on that day is fine, later it is overdue, and that goes before everything else.
    assert refused(lend(srv, single, ann, "2026-06-15"), 409, "too_many_loans")
    assert refused(lend(srv, single, ann, "2026-06-16"), 409, "overdue")
    for loan in (loans[0], fourth):
        returned(srv, loan, "2026-06-20")
    assert refused(lend(srv, plenty, ann, "2026-06-20"), 409, "overdue")
    returned(srv, loans[2], "2026-06-20")
    assert lent(srv, single, ann, "2026-06-20")["due"] == "2026-07-04"
    assert refused(lend(srv, single, bob, "2026-08-01"), 409, "no_copy_left")
    old = lent(srv, plenty, cyd, "2026-01-01")
    assert lent(srv, plenty, cyd, "2026-01-15")["due"] == "2026-01-29"
    assert refused(lend(srv, plenty, cyd, "2026-01-16"), 409, "overdue")
    returned(srv, old, "2026-01-20")
    assert lent(srv, plenty, cyd, "2026-01-16")["due"] == "2026-01-30"
    assert lent(srv, plenty, cyd, "2025-12-24")["due"] == "2026-01-07"


def test_due_and_returned(srv, glass, member):
    days = {
        "2026-12-20": "2027-01-03",
        "2028-02-15": "2028-02-29",
        "2027-02-15": "2027-03-01",
        "2026-03-20": "2026-04-03",
        "2026-10-18": "2026-11-01",
    }
    for day, due in days.items():
        instrument = add(srv, {**glass, "copies": 1})
        loan = lent(srv, instrument, member(), day)
        assert loan["due"] == due
        path = f"/loans/{loan['id']}/return"
        assert faults(srv.post(path, json={"on": "2026-03-01"})) == {"on"}
        assert faults(srv.post(path, json={"on": "2028-02-30"})) == {"on"}
        assert srv.get(f"/loans/{loan['id']}").json() == loan
        assert returned(srv, loan, day)["returned_on"] == day
        assert refused(srv.post(path, json={"on": due}), 409, "already_returned")
        assert faults(srv.post(path, json={"on": "2026-03-01"})) == {"on"}
        assert srv.get(f"/loans/{loan['id']}").json() == {**loan, "returned_on": day}
        assert srv.get(f"/instruments/{instrument['id']}").json()["available"] == 1


def test_statuses_and_errors(srv, glass, member):
    instrument = add(srv, glass)
    loan = lent(srv, instrument, member())
    assert srv.get(f"/loans/{loan['id']}").status_code == 200
    for path in ("/instruments/99999", "/instruments/x", "/instruments/-1", "/loans/99999", "/loans/x", "/telescopes"):
        assert refused(srv.get(path), 404, "not_found")
    for path in ("/instruments/99999/loans", "/loans/99999/return"):
        assert refused(srv.post(path, content=b"{"), 404, "not_found")
    for path in ("/instruments", f"/instruments/{instrument['id']}/loans", f"/loans/{loan['id']}/return"):
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
            assert refused(srv.post(path, content=b"{}", headers=headers), 415, "unsupported_media_type")
            assert refused(srv.post(path, content=b"{", headers=headers), 415, "unsupported_media_type")
        for raw in (b"", b"{", b"label=x", b"{'a': 1}"):
            assert refused(srv.post(path, content=raw, headers=JSON), 400, "malformed")
        charset = {"Content-Type": "application/json; charset=utf-8"}
        assert faults(srv.post(path, content=b'{"odd": 1}', headers=charset)) > {"odd"}
    r = lend(srv, instrument, member())
    assert r.headers["Location"] == f"/loans/{r.json()['id']}"
    assert srv.get(r.headers["Location"]).json() == r.json()


def test_the_last_copy_is_lent_once(srv, glass, member):
    instrument = add(srv, {**glass, "copies": 3})
    lent(srv, instrument, member())
    members = [member() for _ in range(8)]
    answers = srv.parallel(8, lambda i: lend(srv, instrument, members[i]))
    assert sorted(r.status_code for r in answers) == [201] * 2 + [409] * 6
    assert all(refused(r, 409, "no_copy_left") for r in answers if r.status_code == 409)
    assert srv.get(f"/instruments/{instrument['id']}").json()["available"] == 0
    ids = [r.json()["id"] for r in answers if r.status_code == 201]
    assert len(set(ids)) == 2
    back = srv.parallel(4, lambda i: srv.post(f"/loans/{ids[0]}/return", json={"on": f"2026-06-1{i}"}))
    assert sorted(r.status_code for r in back) == [200, 409, 409, 409]
    assert srv.get(f"/instruments/{instrument['id']}").json()["available"] == 1


def test_a_member_cannot_outrun_the_limit(srv, glass, member):
    instruments = [add(srv, glass) for _ in range(7)]
    for _ in range(2):
        who = member()
        answers = srv.parallel(7, lambda i, who=who: lend(srv, instruments[i], who))
        assert sorted(r.status_code for r in answers) == [201] * 3 + [409] * 4
        assert all(refused(r, 409, "too_many_loans") for r in answers if r.status_code == 409)
        assert len(srv.get("/loans", params={"member": who, "open": "true"}).json()["items"]) == 3
    everything = [srv.get(f"/instruments/{each['id']}").json()["available"] for each in instruments]
    assert sum(everything) == 7 * 3 - 6
