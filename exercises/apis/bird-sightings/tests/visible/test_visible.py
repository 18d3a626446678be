import pytest

T = 1_760_000_000


@pytest.fixture
def srv(start):
    return start()


def log(srv, species, *times):
    made = []
    for seen_at in times:
        r = srv.post("/sightings", json={"species": species, "seen_at": seen_at, "place": "Spit"})
        assert r.status_code == 201
        made.append(r.json())
    return made


def page(srv, **params):
    r = srv.get("/sightings", params=params)
    assert r.status_code == 200
    return r.json()


def test_newest_first_and_oldest_first(srv):
    assert page(srv) == {"items": [], "next_cursor": None}
    late, early, middle = log(srv, "Common crane", T + 900, T + 100, T + 500)
    assert late == {"id": 1, "species": "Common crane", "seen_at": T + 900, "place": "Spit"}
    log(srv, "Brent goose", T + 300)
    assert page(srv, species="Common crane") == {"items": [late, middle, early], "next_cursor": None}
    assert page(srv, species="Common crane", order="oldest")["items"] == [early, middle, late]
    assert len(page(srv)["items"]) == 4
    assert srv.delete(f"/sightings/{middle['id']}").status_code == 204
    assert srv.delete(f"/sightings/{middle['id']}").status_code == 404
    assert page(srv, species="Common crane")["items"] == [late, early]


def test_a_walk_in_pages(srv):
    made = log(srv, "Brent goose", *(T + 60 * minute for minute in range(12)))
    first = page(srv)
    assert first["items"] == made[:1:-1]
    last = page(srv, cursor=first["next_cursor"])
    assert last == {"items": made[1::-1], "next_cursor": None}


def test_nonsense_is_refused(srv):
    log(srv, "Brent goose", T, T + 1, T + 2)
    for cursor in ("", "2", "nonsense"):
        r = srv.get("/sightings", params={"limit": 1, "cursor": cursor})
        assert r.status_code == 400
        assert isinstance(r.json()["error"], str)
