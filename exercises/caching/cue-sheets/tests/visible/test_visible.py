def test_write_and_read(shared):
    srv = shared()
    created = srv.put("/cues/prologue", json={"text": "Fog."}, headers={"If-None-Match": "*"}, token="ana")
    assert created.status_code == 201
    assert created.json() == {"scene": "prologue", "text": "Fog.", "viewer": "ana"}
    tag = created.headers["ETag"]
    changed = srv.put("/cues/prologue", json={"text": "Fog, then light."}, headers={"If-Match": tag}, token="ana")
    assert changed.status_code == 200
    assert srv.get("/cues/prologue").json() == {"scene": "prologue", "text": "Fog, then light.", "viewer": None}


def test_unchanged_is_304(shared):
    srv = shared()
    srv.put("/cues/overture", json={"text": "House lights out."}, headers={"If-None-Match": "*"}, token="ana")
    first = srv.get("/cues/overture")
    assert first.status_code == 200
    again = srv.get("/cues/overture", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
