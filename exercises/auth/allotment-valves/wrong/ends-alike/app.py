"""The allotments' water valves, for gardeners at the site itself and on the pages of its partners.

Who may do what is decided before any route (`guard`), and who may read the answer after it (`tell_browsers`). The
routes know nothing of origins.
"""

import hmac
import os
import secrets
from threading import Lock

from flask import Flask, Response, jsonify, request

ORIGIN = os.environ.get("ORIGIN", "https://water.example")
PARTNERS = frozenset(filter(None, os.environ.get("PARTNERS", "").split(",")))
SHARED = {"/valve": "GET, PUT", "/csrf": "GET"}  # what partners may use, and how
HOSTS = tuple(partner.removeprefix("https://") for partner in PARTNERS)
COOKIE = "__Host-sid"

app = Flask(__name__)
lock = Lock()
sessions = {}  # session id -> (name, token)
opened = set()  # names of the gardeners whose valve is open


def refusal(status, message):
    return jsonify(error=message), status


def session():
    """Return (name, token) of the session of the cookie, or None."""
    return sessions.get(request.cookies.get(COOKIE))


def asks_for_partner():
    """Return whether a partner's page asks for something that partners may use."""
    return request.path in SHARED and request.headers.get("Origin", "").endswith(HOSTS)


@app.before_request
def guard():
    """Answer preflights, and refuse what the gardener may not have meant."""
    own = request.headers.get("Origin") == ORIGIN
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        if request.path not in SHARED or not (own or asks_for_partner()):
            return refusal(403, "not from this origin")
        return Response(status=204)
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return None
    if not (own or asks_for_partner()):
        return refusal(403, "not from this origin")
    if (request.method, request.path) != ("POST", "/session"):
        if session() is None:
            return refusal(401, "sign in first")
        sent = request.headers.get("X-CSRF-Token", "")
        if not hmac.compare_digest(sent.encode(), session()[1].encode()):
            return refusal(403, "the token of this session is missing")
    if request.method in {"POST", "PUT"} and request.mimetype != "application/json":
        return refusal(415, "only application/json")
    return None


@app.after_request
def tell_browsers(response):
    """Say who may read the answer."""
    if request.path in SHARED:
        response.vary.add("Origin")
    if asks_for_partner():
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = SHARED[request.path]
            response.headers["Access-Control-Allow-Headers"] = "Content-Type, X-CSRF-Token"
            response.headers["Access-Control-Max-Age"] = "600"
    return response


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/forecast")
def forecast():
    return jsonify(rain_mm=4), 200, {"Access-Control-Allow-Origin": "*"}


@app.post("/session")
def sign_in():
    body = request.get_json(silent=True)
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not 1 <= len(name) <= 30:
        return refusal(422, "a name has 1 to 30 characters")
    sid = secrets.token_urlsafe(32)
    sessions[sid] = (name, secrets.token_urlsafe(32))
    response = jsonify(name=name)
    response.set_cookie(COOKIE, sid, secure=True, httponly=True, samesite="Lax", path="/")
    return response


@app.delete("/session")
def sign_out():
    sessions.pop(request.cookies[COOKIE], None)
    response = Response(status=204)
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax", path="/")
    return response


@app.get("/csrf")
def csrf():
    if session() is None:
        return refusal(401, "sign in first")
    return jsonify(csrf=session()[1]), 200, {"Cache-Control": "no-store"}


@app.get("/valve")
def look():
    if session() is None:
        return refusal(401, "sign in first")
    return jsonify(open=session()[0] in opened)


@app.put("/valve")
def turn():
    body = request.get_json(silent=True)
    wanted = body.get("open") if isinstance(body, dict) else None
    if not isinstance(wanted, bool):
        return refusal(422, "open must be true or false")
    with lock:
        (opened.add if wanted else opened.discard)(session()[0])
    return jsonify(open=wanted)


@app.get("/valve/open")
@app.get("/valve/close")
def old_link():
    return refusal(410, "valves are no longer turned by links")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
