"""Laboratories, their samples, and tokens that can never do more than the token that made them.

A token knows its maker. What it may see and revoke is what came from it, so both are walks up that line. All rules that
compare a new token with its maker (scopes, end, number) are applied once, in Vault.mint, under one lock.
"""

import hashlib
import math
import os
import secrets
import threading
import time
from dataclasses import dataclass
from itertools import count

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

SCOPES = ("samples:read", "samples:write", "tokens:manage")
MAX_TOKENS = int(os.environ.get("MAX_TOKENS", "8"))
TEN_YEARS = 315_360_000  # in seconds

app = Flask(__name__)


class Refused(Exception):
    """The request is answered with this status and message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Token:
    """What a secret stands for. The secret itself is not kept."""

    id: int
    lab_id: int
    name: str
    scopes: tuple
    ends: float = math.inf
    maker: "Token | None" = None

    def comes_from(self, other):
        """Whether this is `other`, or was made by it, or by one that was, and so on."""
        return self.id == other.id or (self.maker is not None and self.maker.comes_from(other))

    def shown(self):
        ends = None if self.ends == math.inf else self.ends
        return {"id": self.id, "name": self.name, "scopes": list(self.scopes), "expires_at": ends}


class Vault:
    """The live tokens of all labs, by the hash of their secret."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ids = count(1)
        self.tokens = {}
        self.expired = set()

    def live(self):
        """Expired tokens are dropped here, so nothing else has to think of them. The caller holds the lock."""
        now = time.time()
        self.expired |= {digest for digest, token in self.tokens.items() if now >= token.ends}
        self.tokens = {digest: token for digest, token in self.tokens.items() if now < token.ends}
        return self.tokens

    def find(self, secret):
        """The live token behind a secret, or None."""
        with self.lock:
            return self.live().get(digest_of(secret))

    def mint_first(self, lab_id):
        with self.lock:
            return self.store(Token(next(self.ids), lab_id, "first", SCOPES))

    def mint(self, maker, name, scopes, seconds):
        """(token, secret) of a token that is no stronger than its maker."""
        if not set(scopes) <= set(maker.scopes):
            raise Refused(403, "this token cannot give a scope that it does not have")
        with self.lock:
            live = self.live().values()
            if maker not in live:  # revoked since the request was let in
                raise unauthorized()
            if sum(token.lab_id == maker.lab_id for token in live) >= MAX_TOKENS:
                raise Refused(409, "this lab has as many tokens as it may have")
            ends = min(time.time() + seconds, maker.ends)
            return self.store(Token(next(self.ids), maker.lab_id, name, tuple(scopes), ends, maker))

    def store(self, token):
        secret = secrets.token_urlsafe(32)
        self.tokens[digest_of(secret)] = token
        return token, secret

    def reach(self, asking):
        """The live tokens that came from this one, itself included, oldest first."""
        with self.lock:
            return [token for token in self.live().values() if token.comes_from(asking)]

    def revoke(self, asking, token_id):
        with self.lock:
            target = next((t for t in self.live().values() if t.id == token_id and t.comes_from(asking)), None)
            if target is None:
                raise Refused(404, "there is no such token")
            self.tokens = {digest: t for digest, t in self.tokens.items() if not t.comes_from(target)}


def digest_of(secret):
    # A fast hash is right here: unlike a password, 256 random bits cannot be guessed.
    return hashlib.sha256(secret.encode()).digest()


vault = Vault()
lab_ids = count(1)
samples_lock = threading.Lock()
sample_ids = count(1)
samples = {}  # lab id -> {sample id -> sample}


def unauthorized():
    return Refused(401, "a valid token is needed")


def token_with(scope):
    """The live token of this request. Raises Refused if there is none or if it lacks the scope."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = vault.find(secret) if kind.lower() == "bearer" else None
    if token is None and digest_of(secret) in vault.expired:
        raise Refused(401, "this token has expired")
    if token is None:
        raise unauthorized()
    if scope not in token.scopes:
        raise Refused(403, f"this token lacks the scope {scope}")
    return token


def is_name(value):
    return isinstance(value, str) and 1 <= len(value) <= 60


def body_with(required, optional=()):
    """The request's body: an object that has the required fields and no unknown ones."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not set(required) <= body.keys() <= {*required, *optional}:
        raise Refused(422, f"the body must be an object with the fields {', '.join([*required, *optional])}")
    return body


def named_body(field):
    body = body_with([field])
    if not is_name(body[field]):
        raise Refused(422, f"{field} must be a text of 1 to 60 characters")
    return body


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/labs")
def found_lab():
    lab = {"id": next(lab_ids), **named_body("name")}
    samples[lab["id"]] = {}
    _, secret = vault.mint_first(lab["id"])
    return jsonify(**lab, token=secret), 201


@app.post("/samples")
def store_sample():
    token = token_with("samples:write")
    sample = {"id": next(sample_ids), **named_body("label")}
    with samples_lock:
        samples[token.lab_id][sample["id"]] = sample
    return jsonify(sample), 201


@app.get("/samples")
def list_samples():
    token = token_with("samples:read")
    with samples_lock:
        return jsonify(items=list(samples[token.lab_id].values()))


@app.get("/samples/<int:sample_id>")
def show_sample(sample_id):
    token = token_with("samples:read")
    sample = samples[token.lab_id].get(sample_id)
    if sample is None:
        raise Refused(404, "there is no such sample")
    return jsonify(sample)


@app.delete("/samples/<int:sample_id>")
def delete_sample(sample_id):
    token = token_with("samples:write")
    with samples_lock:
        if samples[token.lab_id].pop(sample_id, None) is None:
            raise Refused(404, "there is no such sample")
    return "", 204


@app.post("/tokens")
def make_token():
    maker = token_with("tokens:manage")
    body = body_with(["name", "scopes"], optional=["expires_in"])
    name, scopes, seconds = body["name"], body["scopes"], body.get("expires_in")
    if not is_name(name):
        raise Refused(422, "name must be a text of 1 to 60 characters")
    if not isinstance(scopes, list) or not scopes or any(scope not in SCOPES for scope in scopes):
        raise Refused(422, f"scopes must be a list out of {', '.join(SCOPES)}")
    if len(set(scopes)) < len(scopes):
        raise Refused(422, "scopes must be different")
    if seconds is not None and (type(seconds) not in (int, float) or not 0 < seconds <= TEN_YEARS):
        raise Refused(422, f"expires_in must be a number of seconds, greater than 0 and at most {TEN_YEARS}, or null")
    token, secret = vault.mint(maker, name, scopes, math.inf if seconds is None else seconds)
    return jsonify(**token.shown(), token=secret), 201


@app.get("/tokens")
def list_tokens():
    return jsonify(items=[token.shown() for token in vault.reach(token_with("tokens:manage"))])


@app.delete("/tokens/<int:token_id>")
def revoke_token(token_id):
    vault.revoke(token_with("tokens:manage"), token_id)
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
