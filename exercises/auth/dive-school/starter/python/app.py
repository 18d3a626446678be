"""The diving school's sign-in, as it has been since 2009: see the README."""

import hashlib
import os
import threading

from flask import Flask, jsonify, request
from psycopg_pool import ConnectionPool

SCRYPT_N = int(os.environ.get("SCRYPT_N", "16384"))

app = Flask(__name__)
pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=8, kwargs={"autocommit": True}, open=True)
counting = threading.Lock()
hashes = 0  # how often scrypt has been computed


def scrypt(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Return the 32 bytes that scrypt makes of a password, and count that it did."""
    global hashes
    with counting:
        hashes += 1
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=1 << 28, dklen=32)


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/work")
def work():
    return jsonify(hashes=hashes)


@app.post("/divers")
def join():
    body = request.get_json()
    stored = "sha1$" + hashlib.sha1(body["password"].encode()).hexdigest()
    with pool.connection() as db:
        db.execute("insert into divers (name, password_hash) values (%s, %s)", [body["name"], stored])
    return jsonify(name=body["name"]), 201


@app.post("/session")
def sign_in():
    return jsonify(error="not written yet"), 501


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
