import hashlib

import pytest


@pytest.fixture
def srv(shared):
    return shared(SCRYPT_N=1024)


def sign_in(srv, name, password):
    return srv.post("/session", json={"name": name, "password": password})


def stored(srv, name):
    return srv.postgres.value("select password_hash from divers where name = %s", name)


def test_join_and_sign_in(srv):
    r = srv.post("/divers", json={"name": "kim", "password": "fins and mask"})
    assert r.status_code == 201
    assert r.json() == {"name": "kim"}
    r = sign_in(srv, "kim", "fins and mask")
    assert r.status_code == 200
    token = r.json()["token"]
    assert len(token) >= 32
    assert srv.get("/me", token=token).json() == {"name": "kim"}
    assert srv.get("/me", token="another").status_code == 401
    assert sign_in(srv, "kim", "fins and tank").status_code == 401


def test_what_the_table_holds(srv):
    srv.post("/divers", json={"name": "lea", "password": "deep blue sea"})
    kind, n, r, p, salt, digest = stored(srv, "lea").split("$")
    assert [kind, n, r, p] == ["scrypt", "1024", "8", "1"]
    assert len(salt) >= 32
    assert digest == hashlib.scrypt(b"deep blue sea", salt=bytes.fromhex(salt), n=1024, r=8, p=1, dklen=32).hex()


def test_an_old_member_signs_in(srv):
    old = "sha1$" + hashlib.sha1(b"shipwreck 2009").hexdigest()
    srv.postgres.execute("insert into divers (name, password_hash) values (%s, %s)", "old-max", old)
    assert sign_in(srv, "old-max", "shipwreck 2010").status_code == 401
    assert sign_in(srv, "old-max", "shipwreck 2009").status_code == 200
