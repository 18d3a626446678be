"""Telescope time: a sliding window per observer and route, counted in Redis by one script."""

import math
import os
import re
from uuid import uuid4

import redis
from flask import Flask, jsonify, request
from redis.backoff import NoBackoff
from redis.retry import Retry

LOOKS = int(os.environ.get("LOOKS", "20"))
EXPOSURES = int(os.environ.get("EXPOSURES", "3"))
WINDOW = float(os.environ.get("WINDOW", "60"))
REDIS_TIMEOUT = float(os.environ.get("REDIS_TIMEOUT", "0.2"))
OBSERVER = re.compile(r"[A-Za-z0-9_-]{1,40}")

# Returns how many more are allowed, or -1 and the microseconds to wait.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
if used >= limit then
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return {-1, oldest[2] and oldest[2] + window - now or window}
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return {limit - used - 1, 0}
"""

store = redis.Redis.from_url(
    os.environ["REDIS_URL"],
    decode_responses=True,
    retry=Retry(NoBackoff(), 0),
)
take = store.register_script(TAKE)
app = Flask(__name__)


class Refused(Exception):
    def __init__(self, status, message, seconds=None):
        super().__init__(message)
        self.status = status
        self.headers = {} if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))}


@app.errorhandler(Refused)
def refused(refusal):
    return jsonify(error=str(refusal)), refusal.status, refusal.headers


def observer():
    name = request.headers.get("X-Observer", "")
    if not OBSERVER.fullmatch(name):
        raise Refused(400, "X-Observer must be 1 to 40 letters, digits, - or _")
    return name


def charge(route, limit):
    """Return the headers of an allowed request. Raises Refused, and redis.RedisError when nobody knows."""
    key = f"scope:{route}:{observer()}"
    remaining, wait = take(keys=[key], args=[limit, int(WINDOW * 1_000_000), uuid4().hex])
    if remaining < 0:
        raise Refused(429, "your budget is used up", wait / 1_000_000)
    return {"X-Remaining": str(remaining)}


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/sky/<thing>")
def look(thing):
    try:
        headers = charge("look", LOOKS)
    except redis.RedisError:
        headers = {}  # a look costs nearly nothing
    return jsonify(object=thing), 200, headers


@app.post("/exposures")
def expose():
    body = request.get_json(silent=True)
    thing = body.get("object") if isinstance(body, dict) else None
    if not isinstance(thing, str) or not 1 <= len(thing) <= 40:
        raise Refused(400, "object must be a text of 1 to 40 characters")
    try:
        headers = charge("expose", EXPOSURES)
    except redis.RedisError as error:
        raise Refused(503, "nobody can say whether there is time left", 1) from error
    return jsonify(object=thing), 201, headers


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
