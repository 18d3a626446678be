"""The audio guide: copies in Redis as long as it can be relied on, the archive always.

Copies belong to a generation, whose name is in Redis. A process that could not reach Redis may have missed telling
it of a change, so before it uses Redis again it begins a new generation: all copies of the old one are worthless
from then on.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from concurrent.futures import Future
from threading import Lock
from uuid import uuid4

import redis
from flask import Flask, jsonify, request
from redis.backoff import NoBackoff
from redis.retry import Retry

ARCHIVE = os.environ["UPSTREAM_URL"]
COPY_SECONDS = float(os.environ.get("COPY_SECONDS", "60"))
REDIS_TIMEOUT = float(os.environ.get("REDIS_TIMEOUT", "0.2"))
BREAK_SECONDS = float(os.environ.get("BREAK_SECONDS", "5"))
GENERATION = "guide:generation"

app = Flask(__name__)


class Copies:
    """The copies in Redis. While Redis cannot be used, there are none, and nobody waits for it."""

    def __init__(self):
        self.redis = redis.Redis.from_url(
            os.environ["REDIS_URL"],
            decode_responses=True,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self.in_use = False  # a new process does not know what an earlier one could not tell
        self.try_at = 0.0
        self.trial = Lock()  # one request tries Redis again, the others go on without

    def attempt(self, work):
        """Return what `work` got from Redis, or None where Redis is left alone or fails."""
        if not self.in_use and not self.back_in_use():
            return None
        try:
            return work()
        except redis.RedisError:
            self.failed()
            return None

    def back_in_use(self):
        """Try Redis again if it is time and nobody else does; return whether it is in use."""
        if time.monotonic() < self.try_at or not self.trial.acquire(blocking=False):
            return False
        try:
            self.redis.set(GENERATION, uuid4().hex)
            self.in_use = True
        except redis.RedisError:
            self.failed()
        finally:
            self.trial.release()
        return self.in_use

    def failed(self):
        self.in_use, self.try_at = False, time.monotonic() + BREAK_SECONDS

    def find(self, number):
        """Return (generation, text): no generation while Redis is not in use, no text if there is no copy."""
        found = self.attempt(lambda: self.redis.mget(GENERATION, f"guide:stop:{number}"))
        if found is None:
            return None, None
        generation, copy = found
        if generation is None:  # Redis has come back empty
            self.attempt(lambda: self.redis.set(GENERATION, uuid4().hex, nx=True))
            return None, None
        of, _, text = (copy or "").partition(" ")
        return generation, text if of == generation else None

    def keep(self, number, generation, text):
        """Keep `text` as a copy of the generation in which it was looked for."""
        lifetime = max(1, int(COPY_SECONDS * 1000))
        self.attempt(lambda: self.redis.set(f"guide:stop:{number}", f"{generation} {text}", px=lifetime))

    def drop(self, number):
        self.attempt(lambda: self.redis.delete(f"guide:stop:{number}"))


copies = Copies()
flights = {}  # number -> Future of (status, text), on its way to the archive
boarding = Lock()


def ask(method, number, body=None):
    """Return (status, text) of the archive: 200 and 404 as it says, 502 for everything else."""
    sent = urllib.request.Request(f"{ARCHIVE}/stops/{number}", method=method)
    if body is not None:
        sent.data = json.dumps(body).encode()
        sent.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(sent, timeout=5) as answer:
            if answer.status == 200:
                return 200, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        if refusal.code == 404:
            return 404, '{"error": "there is no such stop"}'
    except (OSError, http.client.HTTPException):
        pass
    return 502, '{"error": "the archive does not answer"}'


def fetch(number):
    """Return (status, text) of the one flight to the archive that is on its way for this stop."""
    with boarding:
        flight = flights.get(number)
        mine = flight is None
        if mine:
            flight = flights[number] = Future()
    if mine:
        try:
            flight.set_result(land(number, flight))
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            leave(number, flight)
    return flight.result()


def land(number, flight):
    """Return (status, text): of a copy, or of the archive, then kept unless the stop was changed meanwhile."""
    generation, text = copies.find(number)
    if text is not None:
        return 200, text
    status, text = ask("GET", number)
    if status == 200 and generation and flights.get(number) is flight:
        copies.keep(number, generation, text)
    return status, text


def leave(number, flight=None):
    """Let nobody join this flight any more; without one, whichever is on its way."""
    with boarding:
        if flight is None or flights.get(number) is flight:
            flights.pop(number, None)


def reply(status, text):
    return app.response_class(text, status, mimetype="application/json")


@app.get("/health")
def health():
    return jsonify(status="ok" if copies.in_use else "degraded")


@app.get("/stops/<number>")
def read(number):
    return reply(*fetch(number))


@app.put("/stops/<number>")
def write(number):
    answer = ask("PUT", number, request.get_json())
    leave(number)
    copies.drop(number)
    return reply(*answer)


if __name__ == "__main__":
    copies.back_in_use()
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
