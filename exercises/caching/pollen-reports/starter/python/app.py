import json
import os
import urllib.error
import urllib.request
from urllib.parse import quote

import redis
from flask import Flask, jsonify, request

INSTITUTE = os.environ["UPSTREAM_URL"]
cache = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)  # nobody uses it yet
app = Flask(__name__)


def ask(method, path, body=None, authorization=None):
    """Return (status, JSON) of the institute."""
    sent = urllib.request.Request(INSTITUTE + path, method=method)
    if body is not None:
        sent.data = json.dumps(body).encode()
        sent.add_header("Content-Type", "application/json")
    if authorization:
        sent.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(sent, timeout=5) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as refusal:
        return refusal.code, {"error": "the institute refused"}


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/reports/<region>")
def read(region):
    status, body = ask("GET", f"/reports/{region}")
    return jsonify(body), status


@app.put("/reports/<region>")
def write(region):
    status, body = ask("PUT", f"/reports/{region}", request.get_json())
    return jsonify(body), status


@app.delete("/reports/<region>")
def delete(region):
    status, body = ask("DELETE", f"/reports/{region}")
    return ("", 204) if status == 204 else (jsonify(body), status)


@app.get("/diary")
def diary():
    season = quote(request.args["season"], safe="")
    status, body = ask("GET", f"/diary?season={season}", authorization=request.headers["Authorization"])
    return jsonify(body), status


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
