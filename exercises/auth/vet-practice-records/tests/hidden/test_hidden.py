import pytest

UNGIVEN = 876_543_210
ROLES = ("reception", "vet", "manager")


class Practice:
    """A practice with its manager, a receptionist, a vet, one patient, one note and one appointment."""

    def __init__(self, srv, name):
        self.srv = srv
        r = srv.post("/practices", json={"name": name})
        assert r.status_code == 201
        self.id = r.json()["id"]
        self.tokens, self.staff = {"manager": r.json()["token"]}, {}
        for role in ("reception", "vet"):
            self.hire(role)
        self.rabbit = self.made("reception", "/patients", {"name": "Hazel", "species": "rabbit", "owner": "R. Down"})
        self.note = self.made("vet", self.notes_of(self.rabbit), {"text": f"Thumps when it sees {name}."})
        booked = {"patient_id": self.rabbit["id"], "vet_id": self.staff["vet"]["id"], "day": "2027-02-03"}
        self.visit = self.made("reception", "/appointments", booked)

    def hire(self, role, key=None):
        member = self.made("manager", "/staff", {"name": f"our {role}", "role": role})
        key = role if key is None else key
        self.tokens[key] = member.pop("token")
        self.staff[key] = member

    def notes_of(self, patient):
        return f"/patients/{patient['id']}/notes"

    def ask(self, who, method, path, body=None, **more):
        more |= {} if body is None else {"json": body}
        return self.srv.request(method, path, token=self.tokens[who], **more)

    def status(self, who, method, path, body=None, **more):
        return self.ask(who, method, path, body, **more).status_code

    def made(self, who, path, body):
        r = self.ask(who, "POST", path, body)
        assert r.status_code == 201
        return r.json()

    def listed(self, who, path, **params):
        r = self.ask(who, "GET", path, params=params)
        assert r.status_code == 200
        return r.json()

    def state(self):
        """Everything there is."""
        return self.listed("manager", "/export"), self.listed("manager", "/staff")


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def ours(srv):
    return Practice(srv, "Harbour Vets")


@pytest.fixture
def theirs(srv):
    return Practice(srv, "Moorside Animals")


def about(patient_id, member_id):
    """(least role, method, path, body) of every route about one thing."""
    return [
        ("manager", "PATCH", f"/staff/{member_id}", {"role": "reception"}),
        ("reception", "GET", f"/patients/{patient_id}", None),
        ("reception", "PATCH", f"/patients/{patient_id}", {"owner": "S. Trange"}),
        ("vet", "POST", f"/patients/{patient_id}/notes", {"text": "Overweight."}),
        ("vet", "GET", f"/patients/{patient_id}/notes", None),
        ("manager", "DELETE", f"/patients/{patient_id}", None),
    ]


def about_all(patient_id, vet_id):
    """(least role, method, path, body) of every other route."""
    return [
        ("manager", "POST", "/staff", {"name": "Ash", "role": "vet"}),
        ("manager", "GET", "/staff", None),
        ("reception", "POST", "/patients", {"name": "Bigwig", "species": "rabbit", "owner": "W. Arren"}),
        ("reception", "GET", "/patients", None),
        ("vet", "GET", "/search", None),
        ("reception", "POST", "/appointments", {"patient_id": patient_id, "vet_id": vet_id, "day": "2027-03-04"}),
        ("reception", "GET", "/appointments", None),
        ("reception", "GET", "/counts", None),
        ("manager", "GET", "/export", None),
    ]


def roles_from(least):
    return ROLES[ROLES.index(least) :]


def roles_below(least):
    return ROLES[: ROLES.index(least)]


def test_every_role_may_do_what_those_below_may(ours):
    good = {"GET": 200, "PATCH": 200, "POST": 201, "DELETE": 204}
    for role in ROLES:
        hare = ours.made(role, "/patients", {"name": "Fiver", "species": "hare", "owner": "D. Own"})
        everything = about_all(hare["id"], ours.staff["vet"]["id"])
        everything += about(hare["id"], ours.staff["reception"]["id"])
        for least, method, path, body in everything:
            if role in roles_from(least):
                assert ours.status(role, method, path, body) == good[method]
    counted = ours.listed("vet", "/counts")
    assert counted["patients"] == ours.listed("vet", "/patients")["total"] == sum(counted["species"].values())
    assert [item["name"] for item in ours.listed("reception", "/patients", species="hare")["items"]] == ["Fiver"] * 2
    # What belonged to the patient that the manager deleted is gone with it.
    hares = {item["id"] for item in ours.listed("vet", "/patients")["items"]}
    export = ours.listed("manager", "/export")
    assert {row["patient_id"] for row in export["notes"] + export["appointments"]} <= hares


def test_every_route_wants_a_token(srv, ours):
    before = ours.state()
    rabbit, vet = ours.rabbit["id"], ours.staff["vet"]["id"]
    token = ours.tokens["manager"]
    bad = ("Bearer", f"Bearer {token[:-1]}", f"Basic {token}", token)
    routes = about_all(rabbit, vet) + about(rabbit, vet)
    requests = [(method, path, body, {}) for _, method, path, body in routes]
    requests += [(method, path, body, {"Authorization": bad[2]}) for _, method, path, body in routes]
    requests += [("GET", "/patients", None, {"Authorization": header}) for header in bad]

    def send(i):
        method, path, body, headers = requests[i]
        return srv.request(method, path, headers=headers, **({} if body is None else {"json": body}))

    answers = srv.parallel(len(requests), send)
    assert [r.status_code for r in answers] == [401] * len(requests)
    assert all(r.headers["WWW-Authenticate"].split()[0] == "Bearer" for r in answers)
    assert ours.state() == before


def test_roles_are_asked_before_anything_else(ours):
    before = ours.state()
    vet = ours.staff["vet"]["id"]
    real = about(ours.rabbit["id"], ours.staff["reception"]["id"]) + about_all(ours.rabbit["id"], vet)
    for least, method, path, body in real + about(UNGIVEN, UNGIVEN):
        for role in roles_below(least):
            assert ours.status(role, method, path, body) == 403
        if body is not None and least != "reception":
            assert ours.status("reception", method, path, {"wrong": True}) == 403
    assert ours.state() == before


def test_other_practices_ids_are_nobodys(ours, theirs):
    before = theirs.state()
    real = about(theirs.rabbit["id"], theirs.staff["vet"]["id"])
    unreal = about(UNGIVEN, UNGIVEN)
    for (least, method, path, body), (_, _, nowhere, _) in zip(real, unreal, strict=True):
        there, gone = ours.ask(least, method, path, body), ours.ask(least, method, nowhere, body)
        assert (there.status_code, gone.status_code) == (404, 404)
        assert there.content == gone.content
        if body is not None:
            assert ours.status("manager", method, path, {"wrong": True}) == 404
    assert theirs.state() == before


def test_nothing_leaks_through_lists_and_counts(ours, theirs):
    theirs.made("vet", "/patients", {"name": "Cowslip", "species": "ferret", "owner": "M. Oor"})
    assert ours.listed("reception", "/patients") == {"items": [ours.rabbit], "total": 1}
    assert ours.listed("reception", "/patients", species="ferret") == {"items": [], "total": 1}
    assert ours.listed("vet", "/search", q="thumps") == {"items": [ours.note]}
    assert ours.listed("vet", "/search") == {"items": [ours.note]}
    assert ours.listed("vet", "/search", q="Moorside") == {"items": []}
    assert ours.listed("reception", "/appointments") == {"items": [ours.visit]}
    assert ours.listed("reception", "/counts") == {"patients": 1, "species": {"rabbit": 1}}
    whole = {"patients": [ours.rabbit], "notes": [ours.note], "appointments": [ours.visit]}
    assert ours.listed("manager", "/export") == whole
    assert ours.listed("manager", "/staff")["items"][0]["name"] == "first"
    assert ours.listed("manager", "/staff")["items"][1:] == list(ours.staff.values())


def test_only_the_token_names_the_practice(ours, theirs):
    other = theirs.id
    for more in (
        {"headers": {"X-Practice-Id": str(other)}},
        {"headers": {"X-Practice": str(other), "X-User-Id": str(theirs.staff["vet"]["id"])}},
        {"params": {"practice_id": other}},
        {"params": {"practice": other, "all": "true"}},
    ):
        assert ours.ask("manager", "GET", "/patients", **more).json()["items"] == [ours.rabbit]
        assert ours.ask("manager", "GET", "/counts", **more).json()["patients"] == 1
        assert ours.ask("manager", "GET", "/export", **more).json()["notes"] == [ours.note]
        assert ours.status("manager", "GET", f"/patients/{theirs.rabbit['id']}", **more) == 404
    new = {"name": "Blackberry", "species": "rabbit", "owner": "B. Row"}
    astray = {"headers": {"X-Practice-Id": str(other)}, "params": {"practice_id": other}}
    r = ours.ask("reception", "POST", "/patients", new, **astray)
    assert (r.status_code, r.json()["practice_id"]) == (201, ours.id)
    assert theirs.listed("vet", "/patients")["total"] == 1


def test_ids_in_bodies_stay_inside(ours, theirs):
    before = ours.state(), theirs.state()
    rabbit, vet = ours.rabbit["id"], ours.staff["vet"]["id"]

    def book(patient_id, vet_id, day="2027-05-06"):
        return ours.ask("reception", "POST", "/appointments", {"patient_id": patient_id, "vet_id": vet_id, "day": day})

    for real, unreal in (
        (book(theirs.rabbit["id"], vet), book(UNGIVEN, vet)),
        (book(rabbit, theirs.staff["vet"]["id"]), book(rabbit, UNGIVEN)),
    ):
        assert (real.status_code, unreal.status_code) == (422, 422)
        assert real.content == unreal.content
    assert book(rabbit, ours.staff["reception"]["id"]).status_code == 422
    assert book(vet, rabbit).status_code == 422
    assert book(str(rabbit), vet).status_code == book(rabbit, None).status_code == 422
    assert (ours.state(), theirs.state()) == before
    manager = ours.listed("manager", "/staff")["items"][0]["id"]
    assert book(rabbit, manager).status_code == 201


def test_nobody_sets_what_the_server_decides(ours, theirs):
    before = ours.state(), theirs.state()
    rabbit = f"/patients/{ours.rabbit['id']}"
    patient = {"name": "Pipkin", "species": "rabbit", "owner": "T. Iny"}
    desk = f"/staff/{ours.staff['reception']['id']}"
    extras = [{"practice_id": theirs.id}, {"id": theirs.rabbit["id"]}, {"author_id": 1}]
    bodies = [("PATCH", rabbit, {"owner": "N. Ew"} | extra) for extra in extras]
    bodies += [("PATCH", rabbit, extra) for extra in (extras[0], {"vip": True})]
    bodies += [("POST", "/patients", patient | extra) for extra in extras]
    bodies += [("POST", f"{rabbit}/notes", {"text": "Fine."} | extra) for extra in extras]
    bodies += [("POST", "/staff", {"name": "Ash", "role": "vet"} | extra) for extra in extras]
    bodies += [("PATCH", desk, {"role": "vet"} | extra) for extra in [*extras, {"name": "Ash"}]]
    bodies += [("PATCH", rabbit, body) for body in ({}, [], {"name": ""}, {"owner": "o" * 81}, {"species": 5})]
    bodies += [("PATCH", desk, {"role": role}) for role in ("owner", "Manager", "", None, ["vet"])]
    bodies += [("POST", "/patients", {"name": "Pipkin"}), ("POST", f"{rabbit}/notes", {"text": "t" * 2001})]
    answers = ours.srv.parallel(len(bodies), lambda i: ours.status("manager", *bodies[i]))
    assert answers == [422] * len(bodies)
    assert (ours.state(), theirs.state()) == before


def test_a_new_role_counts_at_once(ours):
    ours.hire("vet", key="mover")
    path = f"/staff/{ours.staff['mover']['id']}"
    notes = ours.notes_of(ours.rabbit)
    steps = [("vet", 200, 403), ("reception", 403, 403), ("manager", 200, 200), ("vet", 200, 403)]
    for role, reading, exporting in steps:
        r = ours.ask("manager", "PATCH", path, {"role": role})
        assert (r.status_code, r.json()) == (200, ours.staff["mover"] | {"role": role})
        assert ours.status("mover", "GET", notes) == reading
        assert ours.status("mover", "GET", "/export") == exporting
    assert ours.status("mover", "PATCH", path, {"role": "manager"}) == 403


def test_what_is_not_in_the_table_is_not_there(srv, ours):
    before = ours.state()
    rabbit = f"/patients/{ours.rabbit['id']}"
    tries = [("GET", "/admin/practices"), ("GET", "/practices"), ("GET", f"/practices/{ours.id}"), ("GET", "/admin")]
    vet = f"/staff/{ours.staff['vet']['id']}"
    tries += [("PUT", rabbit), ("POST", rabbit), ("DELETE", "/patients"), ("DELETE", f"{rabbit}/notes")]
    tries += [("GET", vet), ("DELETE", vet)]
    assert {ours.status("manager", method, path) for method, path in tries} <= {404, 405}
    assert srv.get("/admin/practices").status_code in (401, 404, 405)
    assert ours.state() == before
