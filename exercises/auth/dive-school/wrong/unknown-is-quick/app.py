"""The diving school's sign-in. `stored_form` and `fits` are the only places that know how a password is stored."""

import hashlib
import hmac
import os
import re
import secrets
import threading
import unicodedata

from flask import Flask, Response, jsonify, request
from psycopg_pool import ConnectionPool

SCRYPT_N = int(os.environ.get("SCRYPT_N", "16384"))
NAME = re.compile(r"[a-z0-9-]{2,30}")
NO_SALT = bytes(16)

app = Flask(__name__)
pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=8, kwargs={"autocommit": True}, open=True)
lock = threading.Lock()
hashes = 0  # how often scrypt has been computed
sessions = {}  # token -> name


def scrypt(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Return the 32 bytes that scrypt makes of a password, and count that it did."""
    global hashes
    with lock:
        hashes += 1
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=1 << 28, dklen=32)


def normal(password):
    """Return the one form of a text, whichever keyboard it came from."""
    return unicodedata.normalize("NFC", password)


def stored_form(password):
    salt = secrets.token_bytes(16)
    digest = scrypt(normal(password).encode(), salt, SCRYPT_N, 8, 1)
    return f"scrypt${SCRYPT_N}$8$1${salt.hex()}${digest.hex()}"


def fits(password, stored):
    """Return whether the password is the stored one. A refusal costs one scrypt, whatever is stored, even nothing."""
    secret = normal(password).encode()
    kind, *parts = (stored or "none").split("$")
    if kind == "scrypt":
        n, r, p, salt, digest = parts
        made = scrypt(secret, bytes.fromhex(salt), int(n), int(r), int(p)).hex()
        return hmac.compare_digest(made, digest)
    if kind == "sha1" and hmac.compare_digest(hashlib.sha1(secret).hexdigest(), parts[0]):
        return True
    scrypt(secret, NO_SALT, SCRYPT_N, 8, 1)
    return False


def is_weak(stored):
    kind, number = stored.split("$")[:2]
    return kind == "sha1" or int(number) < SCRYPT_N


def find(name):
    """Return what is stored for a name, or None."""
    if not NAME.fullmatch(name):
        return None
    with pool.connection() as db:
        row = db.execute("select password_hash from divers where name = %s", [name]).fetchone()
    return row[0] if row else None


def replace(name, old, password):
    """Store the password in place of the old hash, unless somebody else has changed it meanwhile."""
    new = stored_form(password)
    with pool.connection() as db:
        sql = "update divers set password_hash = %s where name = %s and password_hash = %s"
        return db.execute(sql, [new, name, old]).rowcount == 1


def texts(*fields):
    """Return these fields of the body, or None unless all of them are texts."""
    body = request.get_json(silent=True)
    values = [body.get(field) for field in fields] if isinstance(body, dict) else [None]
    return values if all(isinstance(value, str) for value in values) else None


def is_password(text):
    return 8 <= len(normal(text)) <= 1024


def signed_in():
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return sessions.get(token) if kind == "Bearer" else None


def refusal(status, message):
    return jsonify(error=message), status


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/work")
def work():
    return jsonify(hashes=hashes)


@app.post("/divers")
def join():
    sent = texts("name", "password")
    if sent is None or not NAME.fullmatch(sent[0]) or not is_password(sent[1]):
        return refusal(422, "a diver needs a name of 2 to 30 characters and a password of 8 to 1024")
    name, password = sent
    with pool.connection() as db:
        sql = "insert into divers (name, password_hash) values (%s, %s) on conflict (name) do nothing"
        if db.execute(sql, [name, stored_form(password)]).rowcount == 0:
            return refusal(409, "this name is taken")
    return jsonify(name=name), 201


@app.post("/session")
def sign_in():
    sent = texts("name", "password")
    if sent is None:
        return refusal(422, "name and password are needed")
    name, password = sent
    stored = find(name)
    if stored is None or not fits(password, stored):
        return refusal(401, "name or password is wrong")
    if is_weak(stored):
        replace(name, stored, password)
    token = secrets.token_urlsafe(32)
    with lock:
        sessions[token] = name
    return jsonify(token=token)


@app.get("/me")
def me():
    if signed_in() is None:
        return refusal(401, "sign in first")
    return jsonify(name=signed_in())


@app.put("/password")
def change():
    name = signed_in()
    if name is None:
        return refusal(401, "sign in first")
    sent = texts("old", "new")
    if sent is None or not is_password(sent[1]):
        return refusal(422, "the old password and a new one of 8 to 1024 characters are needed")
    stored = find(name)
    if not fits(sent[0], stored) or not replace(name, stored, sent[1]):
        return refusal(403, "the old password is wrong")
    with lock:
        for token in [token for token, owner in sessions.items() if owner == name]:
            del sessions[token]
    return Response(status=204)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
