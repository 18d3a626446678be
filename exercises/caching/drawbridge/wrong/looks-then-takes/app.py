"""Drawbridges: a lease says who may turn the wheel, and a number that only grows says whose turn was last."""

import os
import time
from secrets import token_urlsafe

import redis
from flask import Flask, jsonify, request

LEASE = float(os.environ.get("LEASE", "10"))
LEASE_MS = max(1, int(LEASE * 1000))
store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
app = Flask(__name__)

# KEYS: wheel, number. The number is drawn together with the lease: drawn later, a slow process could get a higher one
# than the holder after it.
take_wheel = store.register_script("""
local number = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', ARGV[2], 'number', number)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return number
""")
extend_wheel = store.register_script("""
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
    return false
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return tonumber(redis.call('HGET', KEYS[1], 'number'))
""")
release_wheel = store.register_script("""
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
    return false
end
return redis.call('DEL', KEYS[1])
""")
# KEYS: number, span.
move_span = store.register_script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return false
end
redis.call('HSET', KEYS[2], 'number', ARGV[1], 'angle', ARGV[2])
return 1
""")


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


@app.errorhandler(Refused)
def refused(refusal):
    return jsonify(error=str(refusal)), refusal.status


def key_of(bridge, what):
    return f"bridge:{bridge}:{what}"


def body():
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise Refused(400, "the body must be a JSON object")
    return sent


def whole(value, lowest, highest):
    return type(value) is int and lowest <= value <= highest


def token():
    if not request.headers.get("X-Token"):
        raise Refused(400, "X-Token is missing")
    return request.headers["X-Token"]


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.post("/bridges/<bridge>/wheel")
def take(bridge):
    holder = body().get("holder")
    if not isinstance(holder, str) or not 1 <= len(holder) <= 40:
        raise Refused(400, "holder must be a text of 1 to 40 characters")
    secret = token_urlsafe(24)
    keys = [key_of(bridge, "wheel"), key_of(bridge, "number")]
    if store.exists(keys[0]):
        raise Refused(409, "somebody has the wheel")
    time.sleep(0.03)
    number = take_wheel(keys=keys, args=[holder, secret, LEASE_MS])
    return jsonify(token=secret, number=number, seconds=LEASE), 201


@app.get("/bridges/<bridge>/wheel")
def show(bridge):
    with store.pipeline() as both:
        both.hget(key_of(bridge, "wheel"), "holder")
        both.get(key_of(bridge, "number"))
        holder, number = both.execute()
    return jsonify(holder=holder, number=int(number or 0))


@app.put("/bridges/<bridge>/wheel")
def extend(bridge):
    number = extend_wheel(keys=[key_of(bridge, "wheel")], args=[token(), LEASE_MS])
    if number is None:
        raise Refused(409, "this lease is over")
    return jsonify(number=number, seconds=LEASE)


@app.delete("/bridges/<bridge>/wheel")
def release(bridge):
    if release_wheel(keys=[key_of(bridge, "wheel")], args=[token()]) is None:
        raise Refused(409, "this lease is over")
    return "", 204


@app.put("/bridges/<bridge>/span")
def move(bridge):
    sent = body()
    number, angle = sent.get("number"), sent.get("angle")
    if not whole(number, 1, 2**53) or not whole(angle, 0, 80):
        raise Refused(400, "number must be a whole number from 1, angle one from 0 to 80")
    if move_span(keys=[key_of(bridge, "number"), key_of(bridge, "span")], args=[number, angle]) is None:
        raise Refused(409, "that was not the last number")
    return jsonify(angle=angle, number=number)


@app.get("/bridges/<bridge>/span")
def look(bridge):
    angle, number = store.hmget(key_of(bridge, "span"), "angle", "number")
    return jsonify(angle=int(angle or 0), number=int(number or 0))


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
