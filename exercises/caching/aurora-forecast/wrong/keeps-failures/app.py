"""The aurora forecast: one process asks the model for a station, the others wait, or make do with a stale copy."""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from threading import Thread
from uuid import uuid4

import redis
from flask import Flask, jsonify

MODEL = os.environ["UPSTREAM_URL"]
FRESH_MS = int(float(os.environ.get("FRESH", "30")) * 1000)
STALE_MS = int(float(os.environ.get("STALE", "300")) * 1000)
LOCK_MS = max(1, int(float(os.environ.get("LOCK_SECONDS", "10")) * 1000))
PAUSE = 0.03  # between two looks of somebody who waits
PATIENCE = 3 * LOCK_MS / 1000

store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
app = Flask(__name__)

# KEYS: copy, lock, failure of the call that was waited for. ARGV: name of a new call, stale ms, lock ms.
# Returns what to do, and the copy, the failure, or the name of the call to wait for.
look = store.register_script("""
local copy = redis.call('GET', KEYS[1])
if copy and redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then
    return {'use', copy}
end
local failure = redis.call('GET', KEYS[3])
if failure and not copy then
    return {'failed', failure}
end
local mine = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[3])
if copy then
    return {mine and 'refresh' or 'use', copy}
end
return {mine and 'load' or 'wait', redis.call('GET', KEYS[2])}
""")
# KEYS: copy, lock. ARGV: name of the call, what it brought, its lifetime.
keep = store.register_script("""
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('DEL', KEYS[2])
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
""")
# KEYS: failure, lock. ARGV: name of the call, how it failed, its lifetime.
fail = store.register_script("""
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('DEL', KEYS[2])
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
""")


def copy_of(station):
    return f"aurora:{station}"


def lock_of(station):
    return f"aurora:{station}:lock"  # no station has a colon in its name


def failure_of(station, call):
    return f"aurora:{station}:failure:{call}"


def ask(station):
    """Return (status, text) of the model: 200 and 404 as it says, 502 for everything else."""
    try:
        with urllib.request.urlopen(f"{MODEL}/model/{station}", timeout=PATIENCE) as answer:
            text = answer.read().decode()
            json.loads(text)
            if answer.status == 200:
                return 200, text
    except urllib.error.HTTPError as refusal:
        if refusal.code == 404:
            return 404, '{"error": "the model does not know this station"}'
    except (OSError, http.client.HTTPException, ValueError):
        pass
    return 502, '{"error": "the model does not answer"}'


def load(station, call):
    """Ask the model while holding the lock, tell everybody what came of it, and return (status, text)."""
    status, text = ask(station)
    if status == 200:
        keep(keys=[copy_of(station), lock_of(station)], args=[call, text, FRESH_MS + STALE_MS])
    else:
        fail(keys=[failure_of(station, "last"), lock_of(station)], args=[call, json.dumps([status, text]), LOCK_MS])
    return status, text


def answer_for(station):
    """Return (status, text): of the copy, of the model, or of the call that was waited for."""
    me, waited_for = uuid4().hex, "nobody"
    patience_ends = time.monotonic() + PATIENCE
    while time.monotonic() < patience_ends:
        keys = [copy_of(station), lock_of(station), failure_of(station, "last")]
        todo, what = look(keys=keys, args=[me, STALE_MS, LOCK_MS])
        if todo == "refresh":
            Thread(target=load, args=(station, me), daemon=True).start()
        if todo in ("use", "refresh"):
            return 200, what
        if todo == "failed":
            return tuple(json.loads(what))
        if todo == "load":
            return load(station, me)
        waited_for = what
        time.sleep(PAUSE)
    return 502, '{"error": "nobody brought a forecast"}'


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/forecast/<station>")
def forecast(station):
    status, text = answer_for(station)
    return app.response_class(text, status, mimetype="application/json")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
