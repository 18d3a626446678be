import time

import pytest


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def owner(srv):
    r = srv.post("/labs", json={"name": "Moss"})
    assert r.status_code == 201
    assert r.json()["name"] == "Moss"
    return r.json()["token"]


def mint(srv, token, *scopes, **more):
    return srv.post("/tokens", json={"name": "notebook", "scopes": scopes, **more}, token=token)


def test_a_lab_keeps_samples(srv, owner):
    r = srv.post("/samples", json={"label": "A-17"}, token=owner)
    assert r.status_code == 201
    sample = r.json()
    assert sample == {"id": sample["id"], "label": "A-17"}
    assert srv.get(f"/samples/{sample['id']}", token=owner).json() == sample
    assert srv.get("/samples", token=owner).json() == {"items": [sample]}
    assert srv.delete(f"/samples/{sample['id']}", token=owner).status_code == 204
    assert srv.get("/samples", token=owner).json() == {"items": []}
    assert srv.get("/samples").status_code == 401


def test_a_token_makes_a_weaker_token(srv, owner):
    r = mint(srv, owner, "samples:read", expires_in=3600)
    assert r.status_code == 201
    made = r.json()
    assert set(made) == {"id", "name", "scopes", "expires_at", "token"}
    assert made["name"] == "notebook"
    assert made["scopes"] == ["samples:read"]
    assert abs(made["expires_at"] - time.time() - 3600) < 60
    assert srv.get("/samples", token=made["token"]).status_code == 200
    assert srv.post("/samples", json={"label": "A-18"}, token=made["token"]).status_code == 403
    assert mint(srv, made["token"], "samples:read").status_code == 403
    assert mint(srv, owner, "samples:write").json()["expires_at"] is None


def test_a_revoked_token_is_refused(srv, owner):
    made = mint(srv, owner, "samples:read").json()
    assert [token["id"] for token in srv.get("/tokens", token=owner).json()["items"]][1:] == [made["id"]]
    assert srv.delete(f"/tokens/{made['id']}", token=owner).status_code == 204
    assert srv.get("/samples", token=made["token"]).status_code == 401
    assert srv.delete(f"/tokens/{made['id']}", token=owner).status_code == 404
