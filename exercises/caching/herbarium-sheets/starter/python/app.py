"""The server in front of the herbarium's catalogue. It keeps sheets for ever, and nothing else: see the README."""

import json
import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from flask import Flask, jsonify, request
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CATALOGUE = os.environ["UPSTREAM_URL"]

app = Flask(__name__)
# Without Retry the client would wait for seconds when Redis is gone.
redis = Redis.from_url(
    os.environ["REDIS_URL"],
    decode_responses=True,
    socket_timeout=1,
    socket_connect_timeout=1,
    retry=Retry(NoBackoff(), 0),
)


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/sheets/<code>")
def look_up(code):
    kept = redis.get(f"sheet:{code}")
    if kept is not None:
        return jsonify(json.loads(kept))
    try:
        with urlopen(f"{CATALOGUE}/sheets/{code}") as answer:
            sheet = json.load(answer)
    except HTTPError:
        return jsonify(error="there is no such sheet"), 404
    redis.set(f"sheet:{code}", json.dumps(sheet))
    return jsonify(sheet)


@app.put("/sheets/<code>")
def enter(code):
    sent = request.get_json()
    headers = {"Content-Type": "application/json"}
    urlopen(Request(f"{CATALOGUE}/sheets/{code}", json.dumps(sent).encode(), headers, method="PUT")).close()
    return jsonify(code=code, **sent)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
