"""The volunteers of the mountain rescue: joining and signing in. There is no way back in yet."""

import hashlib
import os
import secrets

from flask import Flask, jsonify, request
from psycopg_pool import ConnectionPool
from werkzeug.security import check_password_hash, generate_password_hash

PUBLIC_URL = os.environ.get("PUBLIC_URL", "https://rota.example")
MAIL_SERVICE = os.environ["UPSTREAM_URL"] + "/mail"
# Small, so that the tests are quick; production wants scrypt:131072:8:1 or more.
HASH_METHOD = "scrypt:1024:8:1"

app = Flask(__name__)
pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=8, open=True)


def digest(token):
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def texts(*fields):
    """Return these fields of the body, or None unless all of them are texts."""
    body = request.get_json(silent=True)
    values = [body.get(field) for field in fields] if isinstance(body, dict) else [None]
    return values if all(isinstance(value, str) for value in values) else None


def refusal(status, message):
    return jsonify(error=message), status


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.post("/volunteers")
def join():
    sent = texts("email", "password")
    if sent is None or not sent[0].isascii() or not 8 <= len(sent[1]) <= 200:
        return refusal(422, "an ASCII address and a password of 8 to 200 characters are needed")
    email, password = sent[0].lower(), sent[1]
    with pool.connection() as db:
        sql = "insert into volunteers (email, password_hash) values (%s, %s) on conflict do nothing"
        if db.execute(sql, [email, generate_password_hash(password, HASH_METHOD)]).rowcount == 0:
            return refusal(409, "this address is taken")
    return jsonify(email=email), 201


@app.post("/session")
def sign_in():
    sent = texts("email", "password")
    if sent is None:
        return refusal(422, "email and password are needed")
    email, password = sent
    with pool.connection() as db:
        sql = "select id, password_hash from volunteers where email = %s"
        volunteer = db.execute(sql, [email.lower()]).fetchone()
        if volunteer is None or not check_password_hash(volunteer[1], password):
            return refusal(401, "email or password is wrong")
        token = secrets.token_urlsafe(32)
        db.execute("insert into sessions (token_hash, volunteer_id) values (%s, %s)", [digest(token), volunteer[0]])
    return jsonify(token=token)


@app.get("/me")
def me():
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    with pool.connection() as db:
        sql = "select v.email from sessions s join volunteers v on v.id = s.volunteer_id where s.token_hash = %s"
        row = db.execute(sql, [digest(token)]).fetchone()
    if row is None:
        return refusal(401, "sign in first")
    return jsonify(email=row[0])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
