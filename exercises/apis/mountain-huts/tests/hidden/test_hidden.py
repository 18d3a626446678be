import time

import pytest

V1, V2, JSON = "application/vnd.huts.v1+json", "application/vnd.huts.v2+json", "application/json"


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def old(rng):
    """A body of version 1."""
    place = f"{rng.randrange(44, 48)}.{rng.randrange(1000, 9999)},{rng.randrange(6, 16)}.{rng.randrange(1000, 9999)}"
    return {"name": f"Capanna {rng.randrange(10**5)}", "position": place, "beds": 30, "warden": "Zoë Röthlisberger"}


@pytest.fixture
def hut(rng):
    """A body of version 2."""
    return {
        "name": f"Rifugio {rng.randrange(10**5)}",
        "position": {"lat": 46.1009, "lon": 10.5},
        "beds": {"summer": rng.randrange(20, 90), "winter": rng.randrange(1, 20)},
        "warden": {"name": "Ignaz Huber", "phone": "+43 512 555 03"},
        "tags": ["via ferrata", "höhenweg"],
    }


def send(srv, method, path, body=None, *, sends=JSON, accepts=None):
    headers = {"Content-Type": sends} | ({"Accept": accepts} if accepts else {})
    return srv.request(method, path, headers=headers, **({} if body is None else {"json": body}))


def created(srv, body, sends=JSON):
    r = send(srv, "POST", "/huts", body, sends=sends, accepts=sends)
    assert r.status_code == 201
    return f"/huts/{r.json()['id']}"


def seen(srv, path, version=V2):
    r = send(srv, "GET", path, accepts=version)
    assert r.status_code == 200
    return r.json()


def code(r, status):
    """The code of a refusal in version 2."""
    assert r.status_code == status
    assert r.headers["Content-Type"].startswith(V2)
    error = r.json()["error"]
    assert set(error) == {"code", "message"} and error["message"]
    return error["code"]


def test_every_byte_of_version_one(start, rng):
    srv = start()
    assert srv.get("/huts").text == "[]"
    names = ["Gamchihütte", "Малая хижина", 'Cabane d\'Orny \\ "petite"', "山小屋 ⛰", "a/b&c<d>"]
    texts = []
    for number, name in enumerate(names, start=1):
        body = {"warden": "", "beds": rng.randrange(99), "position": "-0.5000,-178.0001", "name": name}
        r = send(srv, "POST", "/huts", body)
        assert (r.status_code, r.headers["Content-Type"]) == (201, JSON)
        shown = name.replace("\\", "\\\\").replace('"', '\\"')
        text = f'{{"id":{number},"name":"{shown}","position":"-0.5000,-178.0001","beds":{body["beds"]},"warden":""}}'
        assert r.content == text.encode()
        assert srv.get(f"/huts/{number}").content == r.content
        texts.append(text)
    for accept in (
        None,
        "*/*",
        "application/json",
        "application/*",
        "text/html, */*;q=0.8",
        "application/json; charset=utf-8",
    ):
        r = send(srv, "GET", "/huts", accepts=accept)
        assert r.content == f"[{','.join(texts)}]".encode()
        assert r.headers["Content-Type"] == JSON
    r = send(srv, "GET", f"/huts/{1}", accepts=V1)
    assert (r.headers["Content-Type"], r.content) == (V1, texts[0].encode())

    good = {"name": "Fuori", "position": "46.0000,8.0000", "beds": 0, "warden": "w" * 120}
    bad = [
        good | change for change in ({"name": ""}, {"beds": -1}, {"beds": "9"}, {"warden": None}, {"warden": "w" * 121})
    ]
    bad += [good | {"position": text} for text in ("46,8", "46.00000,8.0000", "91.0000,8.0000", "46.0000, 8.0000", "")]
    bad += [good | {"tags": []}, {"name": "Fuori"}, [], "hut", good | {"beds": True}, good | {"name": "n" * 81}]
    for body in bad:
        r = send(srv, "PUT", f"/huts/{1}", body)
        assert (r.status_code, r.content) == (400, b'{"error":"bad hut"}')
    assert send(srv, "POST", "/huts", bad[0]).content == b'{"error":"bad hut"}'
    r = srv.post("/huts", content=b"{", headers={"Content-Type": JSON})
    assert (r.status_code, r.content) == (400, b'{"error":"bad hut"}')
    assert send(
        srv, "PUT", f"/huts/{2}", good
    ).content == b'{"id":2,"name":"Fuori","position":"46.0000,8.0000","beds":0,' + (b'"warden":"' + b"w" * 120 + b'"}')
    for r in (srv.get("/huts/77"), send(srv, "PUT", "/huts/77", good), send(srv, "PUT", "/huts/77", [])):
        assert (r.status_code, r.content) == (404, b'{"error":"no such hut"}')


def test_wardens_and_positions_are_translated(srv, old, hut):
    wardens = {
        "": None,
        "Bruno": {"name": "Bruno", "phone": None},
        "Bruno, 12, 34": {"name": "Bruno", "phone": "12, 34"},
        "Bruno,Carla": {"name": "Bruno,Carla", "phone": None},
        "Bruno, ": {"name": "Bruno, ", "phone": None},
        ", 0800": {"name": ", 0800", "phone": None},
        ", ": {"name": ", ", "phone": None},
        "Dr. Bruno ,  +39": {"name": "Dr. Bruno ", "phone": " +39"},
    }
    for text, warden in wardens.items():
        path = created(srv, old | {"warden": text})
        assert seen(srv, path)["warden"] == warden
        assert seen(srv, path, V1)["warden"] == text
    for warden in (None, {"name": "Elsa", "phone": None}, {"name": "Elsa,F", "phone": "1, 2"}):
        path = created(srv, hut | {"warden": warden}, V2)
        shown = "" if warden is None else ", ".join(filter(None, warden.values()))
        assert seen(srv, path, V1)["warden"] == shown
    for lat, lon, shown in (
        (46.5, 9, "46.5000,9.0000"),
        (-33.123449, 151.000051, "-33.1234,151.0001"),
        (0, -180, "0.0000,-180.0000"),
        (90, 7.00004, "90.0000,7.0000"),
    ):
        path = created(srv, hut | {"position": {"lat": lat, "lon": lon}}, V2)
        assert seen(srv, path, V1)["position"] == shown
        assert seen(srv, path)["position"] == {"lat": lat, "lon": lon}
    lat, lon = map(float, old["position"].split(","))
    assert seen(srv, created(srv, old))["position"] == {"lat": lat, "lon": lon}
    r = send(srv, "POST", "/huts", old, accepts=V2)
    assert (r.status_code, r.json()["beds"]) == (201, {"summer": 30, "winter": None})
    r = send(srv, "POST", "/huts", hut, sends=V2)
    assert (r.status_code, r.json()["beds"]) == (201, hut["beds"]["summer"])


def test_an_old_app_keeps_what_it_cannot_see(srv, hut):
    path = created(srv, hut, V2)
    before, shown = seen(srv, path), seen(srv, path, V1)
    del shown["id"]
    r = send(srv, "PUT", path, shown | {"beds": 7})
    assert (r.status_code, r.json()["beds"]) == (200, 7)
    after = seen(srv, path)
    assert after == before | {"beds": {"summer": 7, "winter": hut["beds"]["winter"]}}
    r = send(srv, "PUT", path, shown | {"warden": "", "name": "Baita"}, accepts=V2)
    assert r.json() == before | {"name": "Baita", "warden": None}
    assert send(srv, "PUT", path, shown | {"warden": "Nina, 117"}).status_code == 200
    assert seen(srv, path) == before | {"warden": {"name": "Nina", "phone": "117"}}
    # The new version may well take something away.
    less = {name: value for name, value in hut.items() if name != "tags"}
    less["beds"] = {"summer": 3, "winter": None}
    r = send(srv, "PUT", path, less, sends=V2, accepts=V2)
    assert (r.status_code, r.json()) == (200, {**less, "id": before["id"], "tags": []})


def test_an_old_app_does_not_round(srv, hut):
    exact = {"lat": 46.123456789, "lon": -7.00004}
    path = created(srv, hut | {"position": exact, "warden": {"name": "Pia", "phone": "9, 9"}}, V2)
    shown = seen(srv, path, V1)
    del shown["id"]
    assert shown["position"] == "46.1235,-7.0000"
    assert send(srv, "PUT", path, shown | {"beds": 1}).status_code == 200
    assert send(srv, "PUT", path, shown | {"name": "Bivacco"}).status_code == 200
    after = seen(srv, path)
    assert (after["position"], after["warden"]) == (exact, {"name": "Pia", "phone": "9, 9"})
    assert send(srv, "PUT", path, shown | {"position": "46.1235,-7.0001"}).status_code == 200
    assert seen(srv, path)["position"] == {"lat": 46.1235, "lon": -7.0001}
    assert send(srv, "PUT", path, shown).status_code == 200
    assert seen(srv, path)["position"] == {"lat": 46.1235, "lon": -7}


def test_the_best_acceptable_version_wins(srv, old):
    path = created(srv, old)
    second = (
        f"{V2};q=0.9, {V1};q=0.5",
        f"{V1};q=0.5,{V2};q=0.9",
        f"{V1}, {V2}",
        f"*/*, {V2}",
        f"application/json;q=0.1, text/html, {V2};q=0.2",
        f"{V1};q=0, {V2};q=0.001",
        f"application/vnd.huts.v3+json, {V2};q=0.3",
        V2.upper(),
        f"{V2} ; q=1",
        f"{V2};charset=utf-8;q=0.4, {V1};q=0.3",
    )
    for accept in second:
        r = send(srv, "GET", path, accepts=accept)
        assert (accept, r.status_code, r.headers["Content-Type"].split(";")[0]) == (accept, 200, V2)
        assert r.json()["beds"] == {"summer": 30, "winter": None}
    first = {
        f"{V2};q=0.5, {V1}": V1,
        f"{V2};q=0.4, */*;q=0.5": JSON,
        f"{V2};q=0, */*": JSON,
        f"text/html, {V1};q=0.2, application/json;q=0.1": V1,
        f"application/json, {V1}": JSON,
        f"{V1}, application/json": V1,
        f"{V2};q=0.0, application/json;q=0.3": JSON,
        "application/vnd.huts.v3+json, application/*;q=0.1": JSON,
    }
    for accept, media in first.items():
        r = send(srv, "GET", path, accepts=accept)
        assert (accept, r.status_code, r.headers["Content-Type"].split(";")[0]) == (accept, 200, media)
        assert r.json()["beds"] == 30


def test_versions_that_are_none(srv, old, hut):
    path = created(srv, old)
    for accept in (
        "application/vnd.huts.v3+json",
        "application/vnd.huts+json",
        "text/html",
        f"{V2};q=0",
        "text/*;q=0.3",
    ):
        answers = [send(srv, "GET", path, accepts=accept), send(srv, "GET", "/huts/999", accepts=accept)]
        answers += [send(srv, "PUT", path, [], sends="text/plain", accepts=accept)]
        for r in answers:
            assert r.status_code == 406
            assert r.headers["Content-Type"].startswith(JSON)
            body = r.json()
            assert body == {"error": body["error"], "versions": ["v1", "v2"]}
            assert "Sunset" not in r.headers
    for media in ("text/plain", "application/vnd.huts.v3+json", "application/x-www-form-urlencoded"):
        for address in (path, "/huts/999"):
            r = send(srv, "PUT", address, old, sends=media)
            assert r.status_code == 415
            assert isinstance(r.json()["error"], str)
            assert code(send(srv, "PUT", address, hut, sends=media, accepts=V2), 415) == "unsupported_media_type"
    for media in (f"{V2}; charset=utf-8", V2.title()):
        assert send(srv, "POST", "/huts", hut, sends=media).status_code == 201
    assert send(srv, "POST", "/huts", old, sends=V1).status_code == 201
    assert send(srv, "POST", "/huts", old, sends="application/json;charset=utf-8").status_code == 201


def ends(r):
    return r.headers.get("Deprecation"), r.headers.get("Sunset")


def test_the_first_version_says_that_it_ends(shared, old, hut):
    srv = shared(V1_DEPRECATED=1_688_169_599, V1_SUNSET=2_000_000_000)
    told = ("@1688169599", "Wed, 18 May 2033 03:33:20 GMT")
    path = created(srv, old)
    for r in (
        srv.get(path),
        srv.get("/huts"),
        srv.get("/huts/999"),
        send(srv, "GET", path, accepts=V1),
        send(srv, "POST", "/huts", old),
        send(srv, "POST", "/huts", {}),
        send(srv, "PUT", path, hut, sends=V2),
        send(srv, "PUT", path, hut, sends="text/plain"),
    ):
        assert ends(r) == told
    for r in (
        send(srv, "GET", path, accepts=V2),
        send(srv, "GET", "/huts/999", accepts=V2),
        send(srv, "PUT", path, old, accepts=V2),
        send(srv, "PUT", path, {}, sends=V2, accepts=V2),
        send(srv, "GET", path, accepts="text/html"),
    ):
        assert ends(r) == (None, None)


def test_after_the_sunset(start, old, hut):
    srv = start(V1_DEPRECATED=1_500_000_000, V1_SUNSET=1_600_000_000)
    path = created(srv, hut, V2)
    for r in (
        srv.get(path),
        srv.get("/huts/999"),
        send(srv, "GET", path, accepts=V1),
        send(srv, "PUT", path, old),
        send(srv, "PUT", path, old, accepts=V2),
        send(srv, "PUT", path, hut, sends=V2),
        send(srv, "POST", "/huts", [], sends="text/plain"),
    ):
        assert (r.status_code, r.json()) == (410, {"error": "version 1 is gone"})
        assert ends(r) == ("@1500000000", "Sun, 13 Sep 2020 12:26:40 GMT")
    assert send(srv, "GET", path, accepts="text/html").status_code == 406
    assert seen(srv, path)["name"] == hut["name"]
    assert send(srv, "PUT", path, hut | {"name": "Malga"}, sends=V2, accepts=V2).json()["name"] == "Malga"
    assert code(send(srv, "POST", "/huts", [], sends="text/plain", accepts=V2), 415) == "unsupported_media_type"


def test_caches_are_told(srv, old):
    path = created(srv, old)
    for address in (path, "/huts", "/huts/999"):
        for accept in (None, V1, V2, "application/vnd.huts.v9+json"):
            vary = send(srv, "GET", address, accepts=accept).headers.get("Vary", "")
            assert "accept" in {name.strip().lower() for name in vary.split(",")}


def test_refusals_of_the_second_version(srv, old, hut):
    path = created(srv, hut, V2)
    before = seen(srv, path)
    place, warden = hut["position"], hut["warden"]
    changes = [
        {"name": ""},
        {"name": None},
        {"id": 5},
        {"altitude": 2000},
        {"tags": None},
        {"tags": [1]},
        {"tags": "a"},
    ]
    changes += [{"position": value} for value in (None, "46.0000,8.0000", [46, 8], {"lat": 46}, place | {"alt": 3})]
    changes += [{"position": place | part} for part in ({"lat": 90.5}, {"lon": -181}, {"lat": "46"}, {"lon": True})]
    changes += [{"beds": value} for value in (30, None, {"summer": 3}, {"summer": None, "winter": 2})]
    changes += [{"beds": {"summer": 3, "winter": value}} for value in (-1, "2", True, 1.5)]
    changes += [{"warden": value} for value in ("Ignaz", {"name": "Ignaz"}, warden | {"name": "Huber, Ignaz"})]
    changes += [{"warden": warden | part} for part in ({"name": ""}, {"phone": ""}, {"phone": 12}, {"mail": None})]
    for change in changes:
        assert code(send(srv, "PUT", path, hut | change, sends=V2, accepts=V2), 422) == "invalid"
    for name in ("name", "position", "beds", "warden"):
        less = {key: value for key, value in hut.items() if key != name}
        assert code(send(srv, "POST", "/huts", less, sends=V2, accepts=V2), 422) == "invalid"
    assert code(srv.put(path, content=b"{", headers={"Content-Type": V2, "Accept": V2}), 400) == "malformed"
    assert code(send(srv, "PUT", "/huts/999", hut, sends=V2, accepts=V2), 404) == "not_found"
    assert code(send(srv, "PUT", path, old | {"beds": -1}, accepts=V2), 400) == "invalid"
    r = send(srv, "PUT", path, old, sends=V2)
    assert (r.status_code, r.content) == (422, b'{"error":"bad hut"}')
    assert seen(srv, path) == before


def test_both_versions_write_at_once(srv, hut):
    for turn in range(3):
        path = created(srv, hut, V2)
        shown = seen(srv, path, V1)
        del shown["id"]
        winter = {"summer": 50, "winter": 100 + turn}

        def save(i, path=path, shown=shown, winter=winter):
            if i == 5:
                time.sleep(0.03)  # let some of the old apps begin
                return send(srv, "PUT", path, hut | {"beds": winter, "tags": ["new"]}, sends=V2, accepts=V2)
            return send(srv, "PUT", path, shown | {"beds": i})

        assert [r.status_code for r in srv.parallel(6, save)] == [200] * 6
        after = seen(srv, path)
        assert (after["beds"]["winter"], after["tags"]) == (100 + turn, ["new"])
        assert after["beds"]["summer"] in {0, 1, 2, 3, 4, 50}
