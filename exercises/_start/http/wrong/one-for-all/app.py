"""Counters by name."""

import os
import threading

from flask import Flask, jsonify

app = Flask(__name__)
step = int(os.environ.get("STEP", "1"))
total: dict[str, int] = {}
lock = threading.Lock()


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/counters/<name>")
def raise_counter(name):
    with lock:
        total["all"] = total.get("all", 0) + step
        value = total["all"]
    return jsonify(value=value)


@app.get("/counters/<name>")
def read_counter(name):
    if "all" not in total:
        return jsonify(error="there is no such counter"), 404
    return jsonify(value=total["all"])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
