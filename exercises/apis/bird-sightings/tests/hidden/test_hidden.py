import base64
import re
from secrets import token_hex

import pytest

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


@pytest.fixture
def srv(shared):
    return shared(CURSOR_SECRET="heligoland")


@pytest.fixture
def species():
    """A species that only this check sees."""
    return f"Warbler {token_hex(5)}"


def log(srv, species, times):
    made = []
    for seen_at in times:
        r = srv.post("/sightings", json={"species": species, "seen_at": seen_at, "place": "Mole"})
        assert r.status_code == 201
        made.append(r.json())
    return made


def page(srv, **params):
    r = srv.get("/sightings", params=params)
    assert r.status_code == 200
    return r.json()


def pages(srv, *, between=None, **params):
    """The pages of a walk; `between(number, page)` happens after each but the last."""
    found = [page(srv, **params)]
    while cursor := found[-1]["next_cursor"]:
        assert len(found) < 60
        if between:
            between(len(found), found[-1])
        found.append(page(srv, **params, cursor=cursor))
    return found


def items(found):
    return [item for each in found for item in each["items"]]


def newest(made):
    return sorted(made, key=lambda item: (item["seen_at"], item["id"]), reverse=True)


def test_sightings_of_the_same_moment(srv, species, rng):
    start = rng.randrange(10**9)
    made = log(srv, species, [start + rng.randrange(3) for _ in range(7)] + [start + 1] * 4)
    for limit in (1, 2):
        assert items(pages(srv, species=species, limit=limit)) == newest(made)
    assert items(pages(srv, species=species, limit=2, order="oldest")) == newest(made)[::-1]


def test_no_empty_last_page(srv, species, rng):
    start = rng.randrange(10**9)
    log(srv, species, [start + 5 * number for number in range(6)])
    log(srv, species + "!", [start + 1, start + 100])
    for limit, lengths in ((3, [3, 3]), (6, [6]), (4, [4, 2]), (5, [5, 1])):
        for order in ("newest", "oldest"):
            found = pages(srv, species=species, limit=limit, order=order)
            assert [len(each["items"]) for each in found] == lengths
    assert page(srv, species=species + "?") == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_sightings_added_between_pages(srv, species, order, rng):
    start = rng.randrange(1000, 10**9)
    made = log(srv, species, [start + 10 * (number // 2) for number in range(7)])

    def more(number, read):
        first, last = read["items"][0]["seen_at"], read["items"][-1]["seen_at"]
        log(srv, species, [start + 1000 if order == "newest" else start - 1, first if number == 1 else last])

    found = items(pages(srv, between=more, species=species, limit=3, order=order))
    ids = [item["id"] for item in found]
    assert len(ids) == len(set(ids))
    there = {item["id"] for item in made}
    expected = newest(made) if order == "newest" else newest(made)[::-1]
    assert [item for item in found if item["id"] in there] == expected
    assert found == (newest(found) if order == "newest" else newest(found)[::-1])


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_sightings_removed_between_pages(srv, species, order, rng):
    start = rng.randrange(10**9)
    made = log(srv, species, [start + number // 3 for number in range(8)])
    expected = newest(made) if order == "newest" else newest(made)[::-1]

    def fewer(number, read):
        for item in (read["items"][0], read["items"][-1]):
            assert srv.delete(f"/sightings/{item['id']}").status_code == 204
        if number == 1:
            assert srv.delete(f"/sightings/{expected[5]['id']}").status_code == 204

    found = items(pages(srv, between=fewer, species=species, limit=3, order=order))
    assert found == expected[:5] + expected[6:]


def test_a_cursor_belongs_to_its_list(srv, species):
    log(srv, species, range(3))
    log(srv, species + "2", range(3))

    def status(**params):
        return srv.get("/sightings", params={"limit": 1, **params}).status_code

    cursor = page(srv, species=species, limit=1)["next_cursor"]
    assert status(species=species + "2", cursor=cursor) == 400
    assert status(cursor=cursor) == 400
    assert status(species="", cursor=cursor) == 400
    assert status(species=species, order="oldest", cursor=cursor) == 400
    assert status(species=species, order="newest", cursor=cursor) == 200
    assert status(species=species, limit=4, cursor=cursor) == 200
    everything = page(srv, limit=1)["next_cursor"]
    assert status(species=species, cursor=everything) == 400
    assert status(order="newest", cursor=everything) == 200
    oldest = page(srv, species=species, order="oldest", limit=1)["next_cursor"]
    assert status(species=species, cursor=oldest) == 400


def test_changed_cursors_are_refused(srv, start, species, rng):
    log(srv, species, range(3))
    good = page(srv, species=species, limit=1)["next_cursor"]

    def status(cursor):
        r = srv.get("/sightings", params={"species": species, "limit": 1, "cursor": cursor})
        assert r.status_code < 400 or isinstance(r.json()["error"], str)
        return r.status_code

    assert status(good) == 200
    changed = [good[:-1], good[1:], good[: len(good) // 2], good + "=", good + "A", " " + good]
    for place in {len(good) - 1, *rng.sample(range(len(good)), 4)}:
        # Neighbours in the alphabet, because encodings with spare bits give several of them the same meaning.
        index = ALPHABET.index(good[place])
        others = {ALPHABET[(index + 1) % 65], ALPHABET[index - 1], good[place].swapcase()} - {good[place]}
        changed += [good[:place] + other + good[place + 1 :] for other in others]
    for text in ("[5, 5]", "5-5", '{"seen_at": 5, "id": 5}', "null", '[1e999, "x"]'):
        changed += [text, base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")]
    changed += ["é", "\x00", "A" * 5000, "." * 3, good[:-10], good[10:]]
    assert [(each, status(each)) for each in changed if status(each) != 400] == []

    other = start(CURSOR_SECRET="heligoland-2")
    log(other, species, range(3))
    foreign = page(other, species=species, limit=1)["next_cursor"]
    assert status(foreign) == 400


def test_any_process_can_go_on(start, rng):
    begin = rng.randrange(10**9)
    times = [begin + rng.randrange(3) for _ in range(7)]
    one, two = (start(CURSOR_SECRET="fair-isle") for _ in range(2))
    made = log(one, "Fulmar", times)
    assert log(two, "Fulmar", times) == made
    for params in ({}, {"order": "oldest", "species": "Fulmar"}):
        first = page(one, limit=3, **params)
        second = page(two, limit=3, cursor=first["next_cursor"], **params)
        third = page(one, limit=3, cursor=second["next_cursor"], **params)
        listed = newest(made)[:: -1 if params else 1]
        assert items([first, second, third]) == listed
        assert third["next_cursor"] is None


def test_cursors_are_small_and_plain(srv):
    species = "Æ" * 9 + token_hex(5) + "?&/+ %" + "雀" * 35
    made = log(srv, species, [7] * 3 + list(range(10**12, 10**12 + 5)))
    found = pages(srv, species=species, limit=1)
    assert items(found) == newest(made)
    for each in found[:-1]:
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,200}", each["next_cursor"])


def test_parameters_are_checked(srv, species):
    log(srv, species, range(3))
    bad = [("limit", value) for value in ("0", "51", "-1", "", "ten", "2.0", "1e1", "+5", " 5", "1_0", "\u0663", "0x5")]
    bad += [
        ("limit", "9" * 30),
        ("order", ""),
        ("order", "NEWEST"),
        ("order", "seen_at"),
        ("page", "2"),
        ("curser", "x"),
    ]
    for name, value in bad:
        r = srv.get("/sightings", params={"species": species, name: value})
        assert (name, value, r.status_code) == (name, value, 400)
        assert isinstance(r.json()["error"], str)
    assert len(page(srv, species=species, limit=50)["items"]) == 3
    assert len(page(srv, species=species, limit=1)["items"]) == 1
    good = {"species": species, "seen_at": 1, "place": "Mole"}
    for change in (
        {"seen_at": "1"},
        {"seen_at": 1.5},
        {"seen_at": -1},
        {"species": ""},
        {"place": "p" * 61},
        {"place": None},
    ):
        assert srv.post("/sightings", json=good | change).status_code == 400
