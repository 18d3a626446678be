"""The ringing station's authorization server: code flow with PKCE, and the API that it protects.

`asked` reads an authorization request and is the one place that decides whom a mistake is told: the ringer on a page,
while it is not certain where the client is, after that the client. `Vault.redeem` is one step, so a code works once.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import time
from dataclasses import dataclass
from html import escape
from urllib.parse import unquote_plus, urlencode

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

CODE_SECONDS = float(os.environ.get("CODE_SECONDS", "60"))
ACCESS_SECONDS = float(os.environ.get("ACCESS_SECONDS", "600"))
RINGERS = json.loads(os.environ.get("RINGERS", "{}"))
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

app = Flask(__name__)


@dataclass(frozen=True)
class Client:
    """An app that ringers may lend their data to. A public one has no secret."""

    id: str
    name: str
    redirect_uris: list
    scopes: list
    secret: str | None


CLIENTS = {entry["id"]: Client(**entry) for entry in json.loads(os.environ.get("CLIENTS", "[]"))}


@dataclass(frozen=True)
class Asked:
    """An authorization request that is in order."""

    client: Client
    redirect_uri: str
    scopes: tuple
    state: str | None
    challenge: str


class OnPage(Exception):
    """The ringer is told, on a page."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


class Redirected(Exception):
    """The browser is sent back to the client, with these parameters."""

    def __init__(self, redirect_uri, state, **params):
        super().__init__(redirect_uri)
        if state is not None:
            params["state"] = state
        self.location = redirect_uri + ("&" if "?" in redirect_uri else "?") + urlencode(params)


class Refused(Exception):
    """The client is told, as JSON."""

    def __init__(self, status, error, scheme=None):
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = {"WWW-Authenticate": scheme} if scheme else {}


def same(given, expected):
    # Bytes, because compare_digest raises an error for texts outside ASCII.
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


# Codes and tokens


def digest_of(secret):
    # A fast hash is right here: unlike a password, 256 random bits cannot be guessed.
    return hashlib.sha256(secret.encode()).digest()


@dataclass
class Grant:
    """What a ringer has allowed, what its code is bound to, and whether that was redeemed."""

    asked: Asked
    ringer: str
    ends: float
    redeemed: bool = False


class Vault:
    """Codes and access tokens, by the digests of what clients hold."""

    def __init__(self):
        self.lock = threading.Lock()
        self.grants = {}
        self.tokens = {}  # digest -> (grant, when it ends)

    def code_for(self, asked, ringer):
        code = secrets.token_urlsafe(32)
        with self.lock:
            self.grants[digest_of(code)] = Grant(asked, ringer, time.monotonic() + CODE_SECONDS)
        return code

    def redeem(self, client, code, redirect_uri, verifier):
        """(access token, grant) for a good code, or None."""
        with self.lock:
            grant = self.grants.get(digest_of(code))
            if grant is None or grant.asked.client != client:
                return None
            if grant.redeemed:
                self.tokens = {key: token for key, token in self.tokens.items() if token[0] is not grant}
                return None
            if time.monotonic() >= grant.ends or grant.asked.redirect_uri != redirect_uri:
                return None
            if not is_verifier_of(grant.asked.challenge, verifier):
                return None
            grant.redeemed = True
            token = secrets.token_urlsafe(32)
            self.tokens[digest_of(token)] = grant, time.monotonic() + ACCESS_SECONDS
            return token, grant

    def grant_behind(self, token):
        """The grant of a live access token, or None."""
        with self.lock:
            grant, ends = self.tokens.get(digest_of(token), (None, 0.0))
            return grant if time.monotonic() < ends else None


def is_verifier_of(challenge, verifier):
    if not VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return same(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


vault = Vault()
rings = {name: [] for name in RINGERS}
rings_lock = threading.Lock()


# The ringer's browser


def asked():
    """The authorization request in the query. Raises OnPage or Redirected."""
    query = request.args
    client_ids, redirect_uris = query.getlist("client_id"), query.getlist("redirect_uri")
    client = CLIENTS.get(client_ids[0]) if len(client_ids) == 1 else None
    if client is None:
        raise OnPage(400, "We do not know the app that sent you here.")
    if len(redirect_uris) != 1 or redirect_uris[0] not in client.redirect_uris:
        raise OnPage(400, "The app that sent you here is not where it says it is.")
    redirect_uri, states = redirect_uris[0], query.getlist("state")
    state = states[0] if len(states) == 1 else None

    def mistake(error):
        return Redirected(redirect_uri, state, error=error)

    names = ("response_type", "scope", "state", "code_challenge", "code_challenge_method")
    if any(len(query.getlist(name)) > 1 for name in names) or "response_type" not in query:
        raise mistake("invalid_request")
    if query["response_type"] != "code":
        raise mistake("unsupported_response_type")
    challenge = query.get("code_challenge", "")
    if query.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise mistake("invalid_request")
    scopes = query.get("scope", "").split() or client.scopes
    if not set(scopes) <= set(client.scopes):
        raise mistake("invalid_scope")
    return Asked(client, redirect_uri, tuple(dict.fromkeys(scopes)), state, challenge)


def page(status, html):
    headers = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"}
    return Response(f"<!doctype html><title>Ringing station</title>{html}", status, headers, content_type="text/html")


@app.get("/authorize")
def ask_ringer():
    wanted = asked()
    # The form has no action, so it posts to this very address, query included.
    return page(
        200,
        f"<h1>{escape(wanted.client.name)} asks for {escape(', '.join(wanted.scopes))}</h1>"
        '<form method="post"><input name="name"><input name="password" type="password">'
        '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>',
    )


@app.post("/authorize")
def ringer_decides():
    wanted = asked()
    decision = request.form.get("decision")
    if decision not in ("allow", "deny"):
        raise OnPage(400, "Please decide: allow or deny.")
    if decision == "deny":
        raise Redirected(wanted.redirect_uri, wanted.state, error="access_denied")
    name, password = request.form.get("name", ""), request.form.get("password", "")
    if not same(password, RINGERS.get(name, secrets.token_hex())):
        raise OnPage(401, "Name or password is wrong.")
    raise Redirected(wanted.redirect_uri, wanted.state, code=vault.code_for(wanted, name))


# The client


def proven_client():
    """The client that sends this token request. Raises Refused."""
    client_id, secret = request.form.get("client_id"), request.form.get("client_secret")
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(credentials.strip(), validate=True).decode()
        except ValueError:
            pair = ""
        client_id, secret = (unquote_plus(part) for part in (pair.partition(":")[0], pair.partition(":")[2]))
    client = CLIENTS.get(client_id)
    if client is None or (client.secret is not None and not same(secret or "", client.secret)):
        raise Refused(401, "invalid_client", "Basic")
    return client


@app.post("/token")
def redeem():
    form = request.form
    if any(len(values) > 1 for values in form.listvalues()):
        raise Refused(400, "invalid_request")
    client = proven_client()
    if form.get("grant_type", "authorization_code") != "authorization_code":
        raise Refused(400, "unsupported_grant_type")
    if not {"grant_type", "code", "redirect_uri", "code_verifier"} <= form.keys():
        raise Refused(400, "invalid_request")
    redeemed = vault.redeem(client, form["code"], form["redirect_uri"], form["code_verifier"])
    if redeemed is None:
        raise Refused(400, "invalid_grant")
    token, grant = redeemed
    scope = " ".join(grant.asked.scopes)
    return jsonify(access_token=token, token_type="Bearer", expires_in=ACCESS_SECONDS, scope=scope)


@app.after_request
def keep_secrets_out_of_caches(response):
    if request.path == "/token" and response.status_code == 200:
        response.headers["Cache-Control"] = "no-store"
    return response


# The API


def grant_with(scope):
    """The grant behind the request's access token. Raises Refused if there is none or if it lacks the scope."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    grant = vault.grant_behind(token) if scheme.lower() == "bearer" else None
    if grant is None:
        raise Refused(401, "invalid_token", "Bearer")
    if scope not in grant.asked.scopes:
        raise Refused(403, "insufficient_scope")
    return grant


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/sightings")
def list_sightings():
    ringer = grant_with("sightings:read").ringer
    with rings_lock:
        return jsonify(ringer=ringer, rings=rings[ringer])


@app.post("/sightings")
def add_sighting():
    ringer = grant_with("sightings:write").ringer
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("ring"), str):
        raise Refused(422, "ring must be a text")
    with rings_lock:
        rings[ringer].append(body["ring"])
        return jsonify(ringer=ringer, rings=rings[ringer]), 201


@app.errorhandler(OnPage)
def on_page(error):
    return page(error.status, f"<p>{escape(error.message)}</p>")


@app.errorhandler(Redirected)
def redirected(error):
    return Response(status=303, headers={"Location": error.location, "Cache-Control": "no-store"})


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error=error.error), error.status, error.headers


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(error=error.description), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
