import os
import time
from threading import Lock

from flask import Flask, jsonify, request

LOOKS = int(os.environ.get("LOOKS", "20"))
EXPOSURES = int(os.environ.get("EXPOSURES", "3"))
WINDOW = float(os.environ.get("WINDOW", "60"))

app = Flask(__name__)
counts = {}  # (observer, route) -> [when its window began, how many]; each process has its own
counting = Lock()


def allowed(observer, route, limit):
    with counting:
        count = counts.setdefault((observer, route), [time.monotonic(), 0])
        if time.monotonic() > count[0] + WINDOW:
            count[:] = [time.monotonic(), 0]
        count[1] += 1
        return count[1] <= limit


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/sky/<thing>")
def look(thing):
    if not allowed(request.headers["X-Observer"], "look", LOOKS):
        return jsonify(error="too many looks"), 429
    return jsonify(object=thing)


@app.post("/exposures")
def expose():
    if not allowed(request.headers["X-Observer"], "expose", EXPOSURES):
        return jsonify(error="too many exposures"), 429
    return jsonify(object=request.get_json()["object"]), 201


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
