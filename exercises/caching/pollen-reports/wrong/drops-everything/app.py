"""Pollen reports, cache-aside: Redis holds copies, the institute holds the truth."""

import http.client
import json
import os
import random
import urllib.error
import urllib.request
from urllib.parse import quote

import redis
from flask import Flask, jsonify, request

INSTITUTE = os.environ["UPSTREAM_URL"]
TTL = float(os.environ.get("TTL", "60"))
MISSING_TTL = float(os.environ.get("MISSING_TTL", "5"))
FAILED = 502, {"error": "the institute does not answer as it should"}
cache = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
app = Flask(__name__)


def ask(method, path, body=None, authorization=None):
    """Return (status, JSON) of the institute: 200, 201, 204 and 404 as it says, 502 for everything else."""
    sent = urllib.request.Request(INSTITUTE + path, method=method)
    if body is not None:
        sent.data = json.dumps(body).encode()
        sent.add_header("Content-Type", "application/json")
    if authorization:
        sent.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(sent, timeout=5) as answer:
            if answer.status == 204:
                return 204, None
            return (answer.status, json.loads(answer.read())) if answer.status in (200, 201) else FAILED
    except urllib.error.HTTPError as refusal:
        return (404, {"error": "the institute does not know this"}) if refusal.code == 404 else FAILED
    except (OSError, http.client.HTTPException, ValueError):
        return FAILED


def key_of(*parts):
    """Return the key of a copy. JSON keeps ("a:b", "c") and ("a", "b:c") apart; joining them would not."""
    return "pollen:" + json.dumps(parts)


def read_through(key, path, authorization=None):
    """Return (status, JSON) of the copy, or of the institute, whose answer is kept unless it is a failure."""
    copy = cache.get(key)
    if copy is not None:  # the copy of an empty list is a copy
        return tuple(json.loads(copy))
    status, body = ask("GET", path, authorization=authorization)
    if status in (200, 404):
        seconds = (TTL if status == 200 else MISSING_TTL) * random.uniform(1, 1.25)
        cache.set(key, json.dumps([status, body]), px=max(1, int(seconds * 1000)))
    return status, body


def reply(status, body):
    return ("", 204) if status == 204 else (jsonify(body), status)


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/reports/<region>")
def read(region):
    return reply(*read_through(key_of("report", region), f"/reports/{region}"))


@app.put("/reports/<region>")
def write(region):
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return reply(400, {"error": "the body must be a JSON object"})
    return change("PUT", region, body)


@app.delete("/reports/<region>")
def delete(region):
    return change("DELETE", region)


def change(method, region, body=None):
    """Change the truth first, and then drop the copy, however the change went."""
    try:
        return reply(*ask(method, f"/reports/{region}", body))
    finally:
        cache.flushdb()


@app.get("/diary")
def diary():
    kind, _, name = request.headers.get("Authorization", "").partition(" ")
    season = request.args.get("season", "")
    if kind.lower() != "bearer" or not name.strip():
        return reply(401, {"error": "say who you are"})
    if not season:
        return reply(400, {"error": "say which season"})
    key = key_of("diary", name.strip(), season)
    return reply(*read_through(key, f"/diary?season={quote(season, safe='')}", f"Bearer {name.strip()}"))


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
