"""Laboratories, their samples and the tokens that open them."""

import os
import secrets

from flask import Flask, jsonify, request

SCOPES = ("samples:read", "samples:write", "tokens:manage")
MAX_TOKENS = int(os.environ.get("MAX_TOKENS", "8"))

app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/labs")
def found_lab():
    body = request.get_json()
    return jsonify(id=1, name=body["name"], token=secrets.token_urlsafe(32)), 201  # and nobody remembers it


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
