"""The observatory's sign-in: observers and passwords are there, sessions are yours."""

import os
import re
from pathlib import Path

from flask import Flask, jsonify, request
from werkzeug.security import generate_password_hash

ACCESS_SECONDS = float(os.environ.get("ACCESS_SECONDS", "300"))
REFRESH_SECONDS = float(os.environ.get("REFRESH_SECONDS", "86400"))
SESSION_SECONDS = float(os.environ.get("SESSION_SECONDS", "2592000"))
GRACE_SECONDS = float(os.environ.get("GRACE_SECONDS", "0"))
STATE_DIR = Path(os.environ.get("STATE_DIR", "."))

# Small, so that the judge is quick; production wants scrypt:131072:8:1 or more.
HASH_METHOD = "scrypt:1024:8:1"
NAME = re.compile(r"[a-z0-9-]{2,30}")

app = Flask(__name__)
observers = {}  # name -> password hash


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/observers")
def register():
    body = request.get_json()
    observers[body["name"]] = generate_password_hash(body["password"], HASH_METHOD)
    return jsonify(name=body["name"]), 201


@app.post("/sessions")
def sign_in():
    return jsonify(error="not written yet"), 501


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
