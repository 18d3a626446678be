"""Counters by name."""

import os
import threading

from flask import Flask, jsonify

app = Flask(__name__)
step = int(os.environ.get("STEP", "1"))
counters: dict[str, int] = {}
lock = threading.Lock()


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/counters/<name>")
def raise_counter(name):
    with lock:
        counters[name] = counters.get(name, 0) + step
        value = counters[name]
    return jsonify(value=value)


@app.get("/counters/<name>")
def read_counter(name):
    return jsonify(value=counters.get(name, 0))


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
