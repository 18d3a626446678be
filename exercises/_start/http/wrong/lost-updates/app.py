"""Counters by name."""

import os
import time

from flask import Flask, jsonify

app = Flask(__name__)
step = int(os.environ.get("STEP", "1"))
counters: dict[str, int] = {}


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/counters/<name>")
def raise_counter(name):
    value = counters.get(name, 0) + step
    time.sleep(0.05)  # a pause makes the race certain, so that the verdict is not luck
    counters[name] = value
    return jsonify(value=value)


@app.get("/counters/<name>")
def read_counter(name):
    if name not in counters:
        return jsonify(error="there is no such counter"), 404
    return jsonify(value=counters[name])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
