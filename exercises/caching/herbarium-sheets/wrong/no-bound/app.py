"""The server in front of the herbarium's catalogue: it remembers what is there for long, what is not for a moment.

A sheet in the cache wins over an absence, and a lookup never overwrites a sheet. So a lookup that began before a PUT
and stores after it does no harm, whatever it was told.
"""

import json
import os
import re
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from flask import Flask, jsonify, request
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

CATALOGUE = os.environ["UPSTREAM_URL"]
CATALOGUE_SECONDS = float(os.environ.get("CATALOGUE_SECONDS", "2"))
RECORD_MS = int(float(os.environ.get("RECORD_SECONDS", "600")) * 1000)
ABSENT_MS = int(float(os.environ.get("ABSENT_SECONDS", "10")) * 1000)
MAX_ABSENT = int(os.environ.get("MAX_ABSENT", "1000"))
CODE = re.compile(r"[A-Za-z]{2}-[0-9]{5}")

app = Flask(__name__)
# Without Retry the client would wait for seconds when Redis is gone.
redis = Redis.from_url(
    os.environ["REDIS_URL"],
    decode_responses=True,
    socket_timeout=1,
    socket_connect_timeout=1,
    retry=Retry(NoBackoff(), 0),
)


class CatalogueFailed(Exception):
    """The catalogue has said nothing about the sheet."""


class Cache:
    """What Redis remembers of the catalogue. Without Redis it remembers nothing."""

    def look(self, code):
        """Return (sheet or None, whether the code is known to be absent)."""
        try:
            sheet, ends = redis.pipeline(transaction=False).get(f"sheet:{code}").zscore("absent", code).execute()
        except RedisError:
            return None, False
        return json.loads(sheet) if sheet else None, ends is not None and now_ms() < ends

    def keep_found(self, code, sheet):
        self._do(lambda pipe: pipe.set(f"sheet:{code}", json.dumps(sheet), px=RECORD_MS, nx=True))

    def keep_absent(self, code):
        def add(pipe):
            pipe.zremrangebyscore("absent", "-inf", now_ms())
            pipe.zadd("absent", {code: now_ms() + ABSENT_MS}, nx=True)
            pipe.pexpire("absent", ABSENT_MS + 1000)

        self._do(add)

    def keep_put(self, code, sheet):
        self._do(lambda pipe: pipe.set(f"sheet:{code}", json.dumps(sheet), px=RECORD_MS).zrem("absent", code))

    def forget(self, code):
        self._do(lambda pipe: pipe.delete(f"sheet:{code}").zrem("absent", code))

    def _do(self, change):
        """Make a change, all of it at once."""
        try:
            with redis.pipeline(transaction=True) as pipe:
                change(pipe)
                pipe.execute()
        except RedisError as error:
            print(f"Redis: {error}", flush=True)


cache = Cache()


def now_ms():
    return int(time.time() * 1000)


def catalogue(code, sent=None):
    """Return the catalogue's answer: None if there is no such sheet, else the body. Raises CatalogueFailed."""
    asked = Request(f"{CATALOGUE}/sheets/{code}")
    if sent is not None:
        headers = {"Content-Type": "application/json"}
        asked = Request(asked.full_url, json.dumps(sent).encode(), headers, method="PUT")
    try:
        with urlopen(asked, timeout=CATALOGUE_SECONDS) as answer:
            if answer.status not in ((200,) if sent is None else (200, 201)):
                raise CatalogueFailed(f"status {answer.status}")
            return answer.read()
    except HTTPError as error:
        if error.code == 404 and sent is None:
            return None
        raise CatalogueFailed(f"status {error.code}") from error
    except (OSError, HTTPException) as error:
        raise CatalogueFailed(str(error)) from error


def sheet_in(body):
    """Return the sheet in an answer of the catalogue. Raises CatalogueFailed when there is none."""
    try:
        sheet = json.loads(body)
    except ValueError as error:
        raise CatalogueFailed("no JSON") from error
    if not isinstance(sheet, dict):
        raise CatalogueFailed("no object")
    return sheet


@app.errorhandler(CatalogueFailed)
def failed(error):
    return refusal(502, f"the catalogue does not answer: {error}")


def refusal(status, message):
    return jsonify(error=message), status


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/sheets/<code>")
def look_up(code):
    if not CODE.fullmatch(code):
        return refusal(422, "a code is two letters, a hyphen and five digits")
    code = code.upper()
    sheet, absent = cache.look(code)
    if sheet is not None:
        return jsonify(sheet)
    if absent:
        return refusal(404, "there is no such sheet")
    body = catalogue(code)
    if body is None:
        cache.keep_absent(code)
        return refusal(404, "there is no such sheet")
    sheet = sheet_in(body)
    cache.keep_found(code, sheet)
    return jsonify(sheet)


@app.put("/sheets/<code>")
def enter(code):
    sent = request.get_json(silent=True)
    texts = [sent.get("plant"), sent.get("place")] if isinstance(sent, dict) else [None]
    if not CODE.fullmatch(code) or not all(isinstance(text, str) and 1 <= len(text) <= 100 for text in texts):
        return refusal(422, "a code, a plant and a place are needed")
    code = code.upper()
    entry = {"plant": texts[0], "place": texts[1]}
    try:
        catalogue(code, entry)
    except CatalogueFailed:
        cache.forget(code)
        raise
    sheet = {"code": code, **entry}
    cache.keep_put(code, sheet)
    return jsonify(sheet)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
