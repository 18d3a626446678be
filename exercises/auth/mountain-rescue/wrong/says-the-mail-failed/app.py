"""The volunteers of the mountain rescue: joining, signing in, and the way back in for those who have forgotten.

A mail is a row of `resets`: its time counts towards the limit, its hash recognises the token. Good is only the row of
the latest mail, while it is young and unused.
"""

import hashlib
import json
import os
import secrets
from urllib.error import URLError
from urllib.request import Request, urlopen

from flask import Flask, Response, jsonify, request
from psycopg_pool import ConnectionPool
from werkzeug.security import check_password_hash, generate_password_hash

PUBLIC_URL = os.environ.get("PUBLIC_URL", "https://rota.example")
MAIL_SERVICE = os.environ["UPSTREAM_URL"] + "/mail"
RESET_SECONDS = float(os.environ.get("RESET_SECONDS", "1800"))
MAX_MAILS = int(os.environ.get("MAX_MAILS", "3"))
MAIL_SECONDS = float(os.environ.get("MAIL_SECONDS", "3600"))
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


@app.post("/reset-requests")
def request_reset():
    sent = texts("email")
    if sent is None:
        return refusal(422, "email is needed")
    mail = new_mail(sent[0].lower()) if sent[0].isascii() and "\0" not in sent[0] else None
    if mail is not None and not send(mail):
        return refusal(502, "the mail could not be sent")
    return jsonify(message="If this is a volunteer's address, a mail is on its way."), 202


def new_mail(email):
    """Return the mail for a volunteer, recorded; None if there is no such volunteer, or were too many mails."""
    with pool.connection() as db:
        # The lock makes requests for one volunteer come one after another, so that the count below is true.
        volunteer = db.execute("select id from volunteers where email = %s for update", [email]).fetchone()
        if volunteer is None:
            return None
        # clock_timestamp(), not now(): the transaction may have waited for the lock.
        sql = """select count(*) from resets
                 where volunteer_id = %s and requested_at > clock_timestamp() - make_interval(secs => %s)"""
        if db.execute(sql, [volunteer[0], MAIL_SECONDS]).fetchone()[0] >= MAX_MAILS:
            return None
        token = secrets.token_urlsafe(32)
        sql = """insert into resets (volunteer_id, token_hash, requested_at) values (%s, %s, clock_timestamp())"""
        db.execute(sql, [volunteer[0], digest(token)])
    return {"to": email, "subject": "Your way back in", "link": f"{PUBLIC_URL}/reset#{token}"}


def send(mail):
    headers = {"Content-Type": "application/json"}
    try:
        with urlopen(Request(MAIL_SERVICE, json.dumps(mail).encode(), headers), timeout=5):
            return True
    except (URLError, OSError) as error:
        print(f"a mail was not sent: {error}", flush=True)
        return False


@app.post("/reset")
def reset():
    sent = texts("token", "password")
    if sent is None or not 8 <= len(sent[1]) <= 200:
        return refusal(422, "a token and a password of 8 to 200 characters are needed")
    token, password = sent
    password_hash = generate_password_hash(password, HASH_METHOD)  # slow, so before the transaction
    with pool.connection() as db:
        # One statement finds the token and uses it up: only one of several gets the row.
        sql = """update resets set used_at = clock_timestamp()
                 where token_hash = %s and used_at is null
                   and requested_at > clock_timestamp() - make_interval(secs => %s)
                   and id = (select max(id) from resets latest where latest.volunteer_id = resets.volunteer_id)
                 returning volunteer_id"""
        row = db.execute(sql, [digest(token), RESET_SECONDS]).fetchone()
        if row is None:
            return refusal(400, "this link is not good any more")
        db.execute("update volunteers set password_hash = %s where id = %s", [password_hash, row[0]])
        db.execute("delete from sessions where volunteer_id = %s", [row[0]])
    return Response(status=204)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
