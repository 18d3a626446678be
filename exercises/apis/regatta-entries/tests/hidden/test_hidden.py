import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest

MERGE_PATCH = "application/merge-patch+json"
IN_CLASS = "/entries?class="
LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT"
SOME_DAY = "Fri, 05 Nov 2094 08:49:37 GMT"


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def boat(rng):
    """The members of a boat of its own."""
    number = rng.randrange(10, 99999)
    return {"boat": f"Möwe {number}", "class": "keelboat", "sail": f"NED {number}", "skipper": {"name": "Piet Smit"}}


def named(conditions):
    return {name.replace("_", "-"): value for name, value in conditions.items()}


def enter(srv, members):
    """The address and the answer of a new entry."""
    r = srv.post("/entries", json=members)
    assert r.status_code == 201
    return f"/entries/{r.json()['id']}", r


def patch(srv, path, body, media=MERGE_PATCH, **conditions):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return srv.patch(path, content=content, headers={"Content-Type": media, **named(conditions)})


def patched(srv, path, body):
    r = patch(srv, path, body, If_Match=srv.get(path).headers["ETag"])
    assert r.status_code == 200
    return r.json()


def tag(srv, path):
    return srv.get(path).headers["ETag"]


def status(r, *expected):
    """Whether it is such a refusal."""
    assert r.status_code in expected
    assert isinstance(r.json()["error"], str)
    return True


def test_patches_are_merged(srv, boat):
    path, r = enter(srv, {**boat, "crew": {"bow": "An", "trim": "Bo"}, "flags": ["late", "U21"]})
    entry = r.json()
    steps = [
        ({"boat": "Zilvermeeuw"}, {"boat": "Zilvermeeuw"}),
        ({"crew": {"bow": None, "helm": "Cor"}}, {"crew": {"trim": "Bo", "helm": "Cor"}}),
        ({"crew": {"trim": "Dirk", "pit": None}}, {"crew": {"trim": "Dirk", "helm": "Cor"}}),
        ({"skipper": {"phone": "+31 6 55"}}, {"skipper": {"name": "Piet Smit", "phone": "+31 6 55"}}),
        ({"skipper": {"phone": None}, "nothing": None}, {"skipper": {"name": "Piet Smit"}}),
        ({"flags": ["OCS"]}, {"flags": ["OCS"]}),
        ({"flags": []}, {"flags": []}),
        ({"crew": {}}, {}),
        ({"crew": None, "flags": None}, {"crew": {}, "flags": []}),
        ({"crew": {"bow": "Eva", "mast": None}}, {"crew": {"bow": "Eva"}}),
        ({"class": "multihull", "sail": "DK 1"}, {"class": "multihull", "sail": "DK 1"}),
    ]
    for change, expected in steps:
        entry = entry | expected
        assert patched(srv, path, change) == entry
    assert srv.get(path).json() == entry
    without = {name: value for name, value in entry.items() if name != "skipper"}
    assert patched(srv, path, {"skipper": None}) == without
    assert patched(srv, path, {"skipper": {"name": "Fem", "phone": None}}) == entry | {"skipper": {"name": "Fem"}}
    assert patched(srv, f"{path}/crew", {"bow": None, "helm": "Gijs"}) == {"helm": "Gijs"}
    assert srv.get(path).json()["crew"] == {"helm": "Gijs"}


def test_a_refused_patch_changes_nothing(srv, boat):
    path, r = enter(srv, {**boat, "crew": {"bow": "An"}, "flags": ["late"]})
    entry, known = r.json(), r.headers["ETag"]
    six = dict.fromkeys("abcdef", "Jo")
    seven = {**six, "bow": "Jo"}
    bad = [{"boat": None}, {"class": None}, {"sail": None}, {"boat": ""}, {"boat": "b" * 41}, {"boat": 5}, {"boat": {}}]
    bad += [{"class": "raft"}, {"sail": "GER117"}, {"sail": "G 1"}, {"sail": "GER 123456"}, {"sail": "GER 1\n"}]
    bad += [{"skipper": value} for value in ("Piet", [], {"name": None}, {"name": ""}, {"phone": 5}, {"boat": "x"})]
    bad += [{"crew": value} for value in ("An", ["An"], seven, {"Bow": "An"}, {"bow": 7}, {"bow": {}}, {"bow": ""})]
    bad += [{"flags": value} for value in ("late", {"late": True}, [1], ["x"] * 11, [None])]
    bad += [{"id": entry["id"]}, {"id": 77}, {"length": 7.5}, {"Boat": "x"}, [], None, "boat", 7, [{"boat": "x"}]]
    for change in bad:
        body = {"flags": ["new"], "crew": {"helm": "Ria"}, **change} if isinstance(change, dict) else change
        assert status(patch(srv, path, body, If_Match=known), 422)
    r = srv.get(path)
    assert (r.json(), r.headers["ETag"]) == (entry, known)
    crew = tag(srv, f"{path}/crew")
    for change in (seven, {"Bow": "An"}, {"bow": {}}, {"helm": "Ria", "pit": 5}, [], None, "bow"):
        assert status(patch(srv, f"{path}/crew", change, If_Match=crew), 422)
    assert srv.get(f"{path}/crew").json() == {"bow": "An"}
    assert patched(srv, path, {"id": None}) == entry
    full = {**six, "bow": None}
    assert patched(srv, f"{path}/crew", full) == six
    assert srv.post("/entries", json={**boat, "boat": "b" * 40, "flags": ["x"] * 10}).status_code == 201
    for body in ({}, [], boat | {"id": 1}, boat | {"skipper": None}, boat | {"class": ""}, boat | {"crew": None}):
        assert status(srv.post("/entries", json=body), 422)


def test_refusals_have_an_order(srv, boat):
    path, r = enter(srv, boat)
    entry, known = r.json(), r.headers["ETag"]
    crew = f"{path}/crew"
    assert status(patch(srv, "/entries/987654", b"{", media="text/plain"), 404)
    assert status(srv.delete("/entries/987654"), 404)
    assert status(srv.get("/entries/987654/crew"), 404)
    for address in (path, crew):
        assert status(patch(srv, address, b"{", media="text/plain"), 428)
        assert status(patch(srv, address, b"{", media="text/plain", If_Match='"guess"'), 412)
        right = tag(srv, address)
        for media in ("text/plain", "application/json", "application/json-patch+json"):
            r = patch(srv, address, b"{", media=media, If_Match=right)
            assert status(r, 415)
            assert r.headers["Accept-Patch"] == MERGE_PATCH
        for raw in (b"", b"{", b"{'boat': 1}"):
            assert status(patch(srv, address, raw, If_Match=right), 400)
    assert status(patch(srv, path, {"boat": 5}), 428)
    assert status(patch(srv, path, {"boat": 5}, If_Match='"guess"'), 412)
    assert status(srv.delete(path), 428)
    assert status(srv.delete(path, headers={"If-Match": '"guess"'}), 412)
    assert status(srv.post("/entries", content=b"{}", headers={"Content-Type": MERGE_PATCH}), 415)
    assert status(srv.post("/entries", content=b"{", headers={"Content-Type": "application/json"}), 400)
    r = srv.get(path)
    assert (r.json(), r.headers["ETag"]) == (entry, known)
    r = patch(srv, path, {"boat": "Reiger"}, media=f"{MERGE_PATCH}; charset=utf-8", If_Match=known)
    assert (r.status_code, r.json()["boat"]) == (200, "Reiger")
    assert srv.delete(path, headers={"If-Match": r.headers["ETag"]}).status_code == 204
    assert status(srv.delete(path, headers={"If-Match": "*"}), 404)
    assert status(patch(srv, crew, {}, If_Match="*"), 404)


def moved(date, seconds):
    """The HTTP date so many seconds later."""
    return format_datetime(parsedate_to_datetime(date) + timedelta(seconds=seconds), usegmt=True)


def test_dates_are_conditions_too(srv, boat):
    path, r = enter(srv, boat)
    known, date = r.headers["ETag"], r.headers["Last-Modified"]
    assert abs(parsedate_to_datetime(date) - datetime.now(UTC)) < timedelta(seconds=120)
    assert date == moved(date, 0)
    for since, expected in ((date, 304), (SOME_DAY, 304), (moved(date, -1), 200), (LONG_AGO, 200)):
        r = srv.get(path, headers={"If-Modified-Since": since})
        assert (since, r.status_code) == (since, expected)
        assert r.headers["ETag"] == known
        assert expected == 304 or r.headers["Last-Modified"] == date
        assert (r.content == b"") == (expected == 304)
    for since in (moved(date, -1), LONG_AGO):
        assert status(patch(srv, path, {"boat": "Fuut"}, If_Unmodified_Since=since), 412)
        assert status(srv.delete(path, headers={"If-Unmodified-Since": since}), 412)
    r = patch(srv, path, {"boat": "Fuut"}, If_Unmodified_Since=date)
    assert (r.status_code, r.json()["boat"]) == (200, "Fuut")
    for odd in ("yesterday", "", "2094-11-05T08:49:37Z", "4102441200", "Sat, 32 Nov 2094 08:49:37 GMT"):
        assert status(patch(srv, path, {"boat": "Aap"}, If_Unmodified_Since=odd), 428)
        assert srv.get(path, headers={"If-Modified-Since": odd}).status_code == 200
    for address in (f"{path}/crew", "/entries"):
        r = srv.get(address, headers={"If-Modified-Since": SOME_DAY})
        assert (r.status_code, "Last-Modified" in r.headers) == (200, False)
    assert status(patch(srv, f"{path}/crew", {"bow": "An"}, If_Unmodified_Since=SOME_DAY), 428)
    assert srv.delete(path, headers={"If-Unmodified-Since": SOME_DAY}).status_code == 204


def test_tags_go_before_dates(srv, boat):
    path, r = enter(srv, boat)
    known, date = r.headers["ETag"], r.headers["Last-Modified"]

    def read(**conditions):
        return srv.get(path, headers=named(conditions)).status_code

    assert read(If_None_Match='"guess"', If_Modified_Since=SOME_DAY) == 200
    assert read(If_None_Match='"guess"', If_Modified_Since=date) == 200
    assert read(If_None_Match=known, If_Modified_Since=LONG_AGO) == 304
    assert status(patch(srv, path, {"boat": "Kluut"}, If_Match='"guess"', If_Unmodified_Since=SOME_DAY), 412)
    assert status(srv.delete(path, headers=named({"If_Match": '"guess"', "If_Unmodified_Since": date})), 412)
    r = patch(srv, path, {"boat": "Kluut"}, If_Match=known, If_Unmodified_Since=LONG_AGO)
    assert (r.status_code, r.json()["boat"]) == (200, "Kluut")
    gone = srv.delete(path, headers={"If-Match": r.headers["ETag"], "If-Unmodified-Since": LONG_AGO})
    assert gone.status_code == 204


def test_forms_of_conditions(srv, boat):
    path, r = enter(srv, {**boat, "crew": {"bow": "An"}})
    for address in (path, f"{path}/crew", IN_CLASS + "keelboat"):
        right = tag(srv, address)
        assert right.startswith('"') and right.endswith('"')
        for known in (
            right,
            f'"a", {right}',
            f'{right},"b"',
            f"W/{right}",
            f'W/"a" , W/{right}',
            '"a,b", ' + right,
            "*",
        ):
            r = srv.get(address, headers={"If-None-Match": known})
            assert (known, r.status_code, r.content, r.headers["ETag"]) == (known, 304, b"", right)
        for known in ('"a"', f'"{right[1:-2]}"', 'W/"a", "b"'):
            assert srv.get(address, headers={"If-None-Match": known}).status_code == 200
    for address, change in ((path, {"boat": "Tureluur"}), (f"{path}/crew", {"bow": "Ben"})):
        right = tag(srv, address)
        for wanted in (f"W/{right}", f'"a", W/{right}', '"a"', f'"{right[1:-2]}"', f'"a", "{right[1:-1]}x"'):
            assert status(patch(srv, address, change, If_Match=wanted), 412)
        assert patch(srv, address, change, If_Match=f'W/"a", "b", {right}').status_code == 200
        assert patch(srv, address, change, If_Match="*").status_code == 200
    assert srv.get(path, headers={"If-None-Match": "*"}).status_code == 304
    assert status(srv.get("/entries/987654", headers={"If-None-Match": "*"}), 404)


def test_the_crew_has_a_tag_of_its_own(srv, boat):
    path, r = enter(srv, {**boat, "crew": {"bow": "An"}})
    crew = f"{path}/crew"
    entry_tags, crew_tags = [r.headers["ETag"]], [tag(srv, crew)]

    r = patch(srv, crew, {"trim": "Bo"}, If_Match=crew_tags[-1])
    assert (r.status_code, r.json()) == (200, {"bow": "An", "trim": "Bo"})
    crew_tags.append(r.headers["ETag"])
    assert (tag(srv, crew), tag(srv, path)) == (crew_tags[-1], srv.get(path).headers["ETag"])
    entry_tags.append(tag(srv, path))
    assert status(patch(srv, path, {"boat": "Wulp"}, If_Match=entry_tags[0]), 412)

    for change in ({"boat": "Wulp"}, {"flags": ["OCS"]}, {"skipper": {"phone": "1"}}, {"class": "dinghy"}):
        r = patch(srv, path, change, If_Match=entry_tags[-1])
        assert r.status_code == 200
        entry_tags.append(r.headers["ETag"])
        assert tag(srv, crew) == crew_tags[-1]

    r = patch(srv, path, {"crew": {"bow": None}}, If_Match=entry_tags[-1])
    entry_tags.append(r.headers["ETag"])
    assert status(patch(srv, crew, {"helm": "Cor"}, If_Match=crew_tags[-1]), 412)
    crew_tags.append(tag(srv, crew))
    r = patch(srv, crew, {"helm": "Cor"}, If_Match=crew_tags[-1])
    assert r.json() == srv.get(path).json()["crew"] == {"trim": "Bo", "helm": "Cor"}
    crew_tags.append(r.headers["ETag"])
    entry_tags.append(tag(srv, path))
    assert len(set(entry_tags)) == len(entry_tags)
    assert len(set(crew_tags)) == len(crew_tags)


def test_a_list_changes_with_its_members(start, boat):
    srv = start()
    lists = ["/entries", *(IN_CLASS + name for name in ("dinghy", "keelboat", "multihull"))]
    seen = [{tag(srv, each)} for each in lists]
    before = [tag(srv, each) for each in lists]

    def changed():
        """Which of the lists have another tag than before; none ever has an old one again."""
        now = [tag(srv, each) for each in lists]
        names = [each for each, old, new in zip("*dkm", before, now, strict=True) if old != new]
        for known, old, new in zip(seen, before, now, strict=True):
            assert old == new or new not in known
            known.add(new)
        before[:] = now
        return "".join(names)

    one, two = (enter(srv, {**boat, "sail": f"NED {number}"})[0] for number in (1, 2))
    assert changed() == "*k"
    three = enter(srv, {**boat, "class": "dinghy"})[0]
    assert changed() == "*d"
    for number in range(2):
        patched(srv, one, {"flags": [f"protest {number}"]})
        assert changed() == "*k"
    patched(srv, f"{two}/crew", {"bow": "An"})
    assert changed() == "*k"
    patched(srv, one, {"class": "multihull"})
    assert changed() == "*km"
    # One goes and another comes: as many as before, and within the same second.
    assert srv.delete(three, headers={"If-Match": "*"}).status_code == 204
    enter(srv, {**boat, "class": "dinghy"})
    assert changed() == "*d"
    patched(srv, two, {})
    srv.get(two)
    assert changed() == ""
    assert status(srv.post("/entries", json={}), 422)
    assert changed() == ""
    items = srv.get("/entries").json()["items"]
    assert [item["id"] for item in items] == [1, 2, 4]
    assert [item["id"] for item in srv.get(IN_CLASS + "keelboat").json()["items"]] == [2]


def test_a_patch_that_changes_nothing(srv, boat):
    path, r = enter(srv, {**boat, "crew": {"bow": "An", "trim": "Bo"}, "flags": ["late"]})
    entry, known, date = r.json(), r.headers["ETag"], r.headers["Last-Modified"]
    same = ({}, {"boat": entry["boat"]}, {"crew": {}}, {"crew": {"pit": None}}, {"flags": ["late"], "nothing": None})
    for change in (*same, {"skipper": {"name": "Piet Smit", "phone": None}}, {"crew": {"trim": "Bo", "bow": "An"}}):
        r = patch(srv, path, change, If_Match=known)
        assert (r.status_code, r.json()) == (200, entry)
        assert (r.headers["ETag"], r.headers["Last-Modified"]) == (known, date)
    crew = tag(srv, f"{path}/crew")
    r = patch(srv, f"{path}/crew", {"trim": "Bo", "pit": None}, If_Match=crew)
    assert (r.status_code, r.headers["ETag"]) == (200, crew)
    assert tag(srv, path) == known


def test_simultaneous_patches(srv, boat):
    path, r = enter(srv, boat)
    known = r.headers["ETag"]
    for turn in range(2):
        answers = srv.parallel(
            6, lambda i, t=turn, k=known: patch(srv, path, {"crew": {"bow": f"{t} {i}"}}, If_Match=k)
        )
        codes = [r.status_code for r in answers]
        assert sorted(codes) == [200, *[412] * 5]
        winner = codes.index(200)
        assert srv.get(path).json()["crew"] == {"bow": f"{turn} {winner}"}
        known = answers[winner].headers["ETag"]
    # Crew and entry at once: the crew's patch always holds, and nothing of either is lost.
    crew = tag(srv, f"{path}/crew")

    def both(i):
        if i:
            return patch(srv, f"{path}/crew", {"helm": "Cor"}, If_Match=crew)
        return patch(srv, path, {"flags": ["OCS"]}, If_Match=known)

    office, jury = srv.parallel(2, both)
    assert (jury.status_code, office.status_code in (200, 412)) == (200, True)
    entry = srv.get(path).json()
    assert entry["crew"] == {"bow": f"{turn} {winner}", "helm": "Cor"}
    assert entry["flags"] == (["OCS"] if office.status_code == 200 else [])
    known = tag(srv, path)
    answers = srv.parallel(5, lambda i: srv.delete(path, headers={"If-Match": known}))
    assert sorted(r.status_code for r in answers) == [204, *[404] * 4]


def test_tags_outlive_the_process(start, boat):
    srv = start()
    one, two, three = (enter(srv, {**boat, "sail": f"NED {number}", "crew": {"bow": "An"}})[0] for number in (1, 2, 3))
    patched(srv, one, {"flags": ["late"], "class": "dinghy"})
    assert srv.delete(three, headers={"If-Match": "*"}).status_code == 204
    addresses = (one, two, f"{one}/crew", "/entries", IN_CLASS + "dinghy", IN_CLASS + "multihull")
    before = [srv.get(each) for each in addresses]
    time.sleep(0.02)
    for _ in range(2):
        srv.restart()
        for address, old in zip(addresses, before, strict=True):
            new = srv.get(address)
            assert new.json() == old.json()
            for name in ("ETag", "Last-Modified"):
                assert new.headers.get(name) == old.headers.get(name)
            assert srv.get(address, headers={"If-None-Match": old.headers["ETag"]}).status_code == 304
    assert status(srv.get(three), 404)
    assert patch(srv, one, {"boat": "Kanoet"}, If_Match=before[0].headers["ETag"]).status_code == 200
    assert (
        patch(srv, two, {"boat": "Kanoet"}, If_Unmodified_Since=before[1].headers["Last-Modified"]).status_code == 200
    )
    assert enter(srv, boat)[0] == "/entries/4"
