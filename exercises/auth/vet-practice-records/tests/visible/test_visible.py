import pytest

NOBODYS = 987_654_321
POLLY = {"name": "Polly", "species": "parrot", "owner": "Ms Quill"}


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def founded(srv):
    """Founds a practice; returns its manager's token."""

    def post(name="Willow Lane"):
        r = srv.post("/practices", json={"name": name})
        assert r.status_code == 201
        assert r.json()["name"] == name
        return r.json()["token"]

    return post


@pytest.fixture
def manager(founded):
    return founded()


def hired(srv, manager, role):
    r = srv.post("/staff", json={"name": "Robin", "role": role}, token=manager)
    assert r.status_code == 201
    member = r.json()
    assert member == {"id": member["id"], "name": "Robin", "role": role, "token": member["token"]}
    return member


def admitted(srv, token):
    r = srv.post("/patients", json=POLLY, token=token)
    assert r.status_code == 201
    patient = r.json()
    assert patient == {"id": patient["id"], "practice_id": patient["practice_id"], **POLLY}
    return patient


def test_a_day_at_the_practice(srv, manager):
    desk, vet = hired(srv, manager, "reception"), hired(srv, manager, "vet")
    polly = admitted(srv, desk["token"])
    path = f"/patients/{polly['id']}"
    assert srv.get(path, token=desk["token"]).json() == polly
    booked = {"patient_id": polly["id"], "vet_id": vet["id"], "day": "2026-11-23"}
    r = srv.post("/appointments", json=booked, token=desk["token"])
    assert r.status_code == 201
    assert r.json() == {"id": r.json()["id"], "patient_name": "Polly", **booked}
    note = {"text": "Plucks its feathers. Lonely?"}
    r = srv.post(f"{path}/notes", json=note, token=vet["token"])
    assert r.status_code == 201
    written = {"id": r.json()["id"], "patient_id": polly["id"], "author_id": vet["id"], **note}
    assert r.json() == written
    assert srv.get(f"{path}/notes", token=vet["token"]).json() == {"items": [written]}
    assert srv.get("/search", params={"q": "FEATHER"}, token=vet["token"]).json() == {"items": [written]}
    assert srv.get("/counts", token=desk["token"]).json() == {"patients": 1, "species": {"parrot": 1}}
    moved = srv.patch(path, json={"owner": "Mr Quill"}, token=desk["token"])
    assert (moved.status_code, moved.json()) == (200, polly | {"owner": "Mr Quill"})
    assert srv.delete(path, token=manager).status_code == 204
    assert srv.get("/patients", token=desk["token"]).json() == {"items": [], "total": 0}
    assert srv.get("/export", token=manager).json() == {"patients": [], "notes": [], "appointments": []}


def test_reception_reads_no_notes(srv, manager):
    desk = hired(srv, manager, "reception")
    path = f"/patients/{admitted(srv, manager)['id']}/notes"
    assert srv.get(path, token=desk["token"]).status_code == 403
    assert srv.get("/search", params={"q": "a"}, token=desk["token"]).status_code == 403
    assert srv.post(path, json={"text": "Fine."}, token=desk["token"]).status_code == 403


def test_a_strangers_patient_does_not_exist(srv, founded):
    ours, theirs = founded("Willow Lane"), founded("Quayside")
    polly = admitted(srv, theirs)
    there, nowhere = (srv.get(f"/patients/{key}", token=ours) for key in (polly["id"], NOBODYS))
    assert there.status_code == 404
    assert there.json() == nowhere.json()
    assert srv.get(f"/patients/{polly['id']}", token=theirs).json() == polly
