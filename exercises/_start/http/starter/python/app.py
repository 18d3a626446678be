"""Counters by name."""

import os

from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/counters/<name>")
def raise_counter(name):
    return jsonify(error="not written yet"), 501


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
