import pytest

V2 = "application/vnd.huts.v2+json"
OLD = {"name": "Fuorcla", "position": "46.4265,9.8447", "beds": 12, "warden": "Reto Campell, +41 81 555 01 02"}
NEW = {
    "name": "Coaz",
    "position": {"lat": 46.38127, "lon": 9.847},
    "beds": {"summer": 80, "winter": 16},
    "warden": {"name": "Ursina Schmid", "phone": None},
    "tags": ["glacier"],
}


@pytest.fixture
def srv(shared):
    return shared()


def new(srv, method, path, **options):
    return srv.request(method, path, headers={"Accept": V2, "Content-Type": V2}, **options)


def test_the_first_version_is_as_it_was(srv):
    r = srv.post("/huts", json=OLD)
    assert r.status_code == 201
    hut_id = r.json()["id"]
    text = f'{{"id":{hut_id},"name":"Fuorcla","position":"46.4265,9.8447","beds":12,'
    assert r.text == text + '"warden":"Reto Campell, +41 81 555 01 02"}'
    again = srv.get(f"/huts/{hut_id}")
    assert (again.status_code, again.text) == (200, r.text)
    assert r.text in srv.get("/huts").text
    assert srv.get("/huts/9999").text == '{"error":"no such hut"}'
    assert srv.post("/huts", json={**OLD, "beds": "many"}).text == '{"error":"bad hut"}'


def test_the_second_version_has_its_own_shape(srv):
    r = new(srv, "POST", "/huts", json=NEW)
    assert r.status_code == 201
    assert r.headers["Content-Type"].startswith(V2)
    hut = r.json()
    assert hut == {**NEW, "id": hut["id"]}
    r = new(srv, "PUT", f"/huts/{hut['id']}", json={**NEW, "tags": []})
    assert (r.status_code, r.json()) == (200, {**hut, "tags": []})
    assert r.json() in new(srv, "GET", "/huts").json()["items"]


def test_both_versions_see_the_same_hut(srv):
    path = f"/huts/{srv.post('/huts', json=OLD).json()['id']}"
    seen = new(srv, "GET", path).json()
    assert seen["position"] == {"lat": 46.4265, "lon": 9.8447}
    assert seen["beds"] == {"summer": 12, "winter": None}
    assert seen["warden"] == {"name": "Reto Campell", "phone": "+41 81 555 01 02"}
    assert seen["tags"] == []
    path = f"/huts/{new(srv, 'POST', '/huts', json=NEW).json()['id']}"
    assert srv.get(path).json() == {
        "id": int(path.split("/")[-1]),
        "name": "Coaz",
        "position": "46.3813,9.8470",
        "beds": 80,
        "warden": "Ursina Schmid",
    }
