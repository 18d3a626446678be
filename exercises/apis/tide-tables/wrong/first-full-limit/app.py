"""Tide tables behind a limiter that keeps the moments of what it accepted, and decides by them alone."""

import os
import re
import threading

from flask import Flask, jsonify, request

HIGH_WATER = {"brest": "04:31", "cuxhaven": "00:17", "hull": "06:05", "oban": "05:48"}


class Limiter:
    """Accepts at most `count` requests of a key in every `window` milliseconds, for all limits at once."""

    def __init__(self, limits):
        self.limits = limits  # list of (count, window)
        self.longest = max(window for _, window in limits)
        self.clock = 0
        self.accepted = {}  # key -> moments, oldest first; the key that was accepted last stands last
        self.lock = threading.Lock()

    def ask(self, key, arrived):
        """Return how long the key must wait (0: it is let in) and how many more it could send now."""
        with self.lock:
            self.advance(arrived)
            moments = self.accepted.get(key, [])
            wait = next(filter(None, (self.wait(moments, *limit) for limit in self.limits)), 0)
            if wait == 0:
                moments = [*(m for m in moments if m > self.clock - self.longest), self.clock]
                self.accepted.pop(key, None)
                self.accepted[key] = moments
            return wait, min(count - self.used(moments, window) for count, window in self.limits)

    def advance(self, arrived):
        self.clock = max(self.clock, arrived)
        for key, moments in list(self.accepted.items()):
            if moments[-1] > self.clock - self.longest:
                break  # the others were accepted later still
            del self.accepted[key]
        return self.clock

    def used(self, moments, window):
        return sum(moment > self.clock - window for moment in moments)

    def wait(self, moments, count, window):
        """Return in how many milliseconds this limit has room."""
        if self.used(moments, window) < count:
            return 0
        return moments[-count] + window - self.clock

    def keys(self):
        with self.lock:
            return len(self.accepted)


def limits_of(text):
    return [tuple(map(int, limit.split("/"))) for limit in text.split(",")]


app = Flask(__name__)
limiter = Limiter(limits_of(os.environ.get("LIMITS", "3/1000,100/3600000")))


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/status")
def status():
    return jsonify(keys=limiter.keys())


@app.get("/tides/<harbour>")
def tides(harbour):
    stamp, key = request.headers.get("X-Arrived-At", ""), request.headers.get("X-Api-Key", "")
    if not re.fullmatch(r"[0-9]{1,15}", stamp):
        return jsonify(error="the gateway's stamp is missing"), 400
    if not key:
        return jsonify(error="send your key as X-Api-Key"), 401
    wait, remaining = limiter.ask(key, int(stamp))
    if wait:
        return jsonify(error="rate_limited", retry_after_ms=wait), 429, {"Retry-After": str(-(-wait // 1000))}
    headers = {"X-RateLimit-Remaining": str(remaining)}
    if harbour not in HIGH_WATER:
        return jsonify(error="there is no such harbour"), 404, headers
    return jsonify(harbour=harbour, high_water=HIGH_WATER[harbour]), 200, headers


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
