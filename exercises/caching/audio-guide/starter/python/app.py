import json
import os
import urllib.request

import redis
from flask import Flask, jsonify, request

ARCHIVE = os.environ["UPSTREAM_URL"]
COPY_SECONDS = float(os.environ.get("COPY_SECONDS", "60"))
copies = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
app = Flask(__name__)


def ask(method, number, body=None):
    """Return the archive's answer as text."""
    sent = urllib.request.Request(f"{ARCHIVE}/stops/{number}", method=method)
    if body is not None:
        sent.data = json.dumps(body).encode()
        sent.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(sent, timeout=5) as answer:
        return answer.read().decode()


@app.get("/health")
def health():
    return jsonify(status="ok" if copies.ping() else "degraded")


@app.get("/stops/<number>")
def read(number):
    text = copies.get(f"guide:stop:{number}")
    if text is None:
        text = ask("GET", number)
        copies.set(f"guide:stop:{number}", text, px=int(COPY_SECONDS * 1000))
    return app.response_class(text, mimetype="application/json")


@app.put("/stops/<number>")
def write(number):
    text = ask("PUT", number, request.get_json())
    copies.delete(f"guide:stop:{number}")
    return app.response_class(text, mimetype="application/json")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
