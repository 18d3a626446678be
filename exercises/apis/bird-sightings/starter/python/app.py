"""Sightings of birds, in numbered pages: entries shift from page to page while others are added."""

import os
import threading

from flask import Flask, jsonify, request

app = Flask(__name__)
lock = threading.Lock()
sightings = {}  # id -> sighting
last_id = 0


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/sightings")
def add():
    global last_id
    body = request.get_json()
    with lock:
        last_id += 1
        sighting = {"id": last_id, "species": body["species"], "seen_at": body["seen_at"], "place": body["place"]}
        sightings[last_id] = sighting
    return jsonify(sighting), 201


@app.delete("/sightings/<int:sighting_id>")
def remove(sighting_id):
    with lock:
        if sightings.pop(sighting_id, None) is None:
            return jsonify(error="there is no such sighting"), 404
    return "", 204


@app.get("/sightings")
def list_sightings():
    page = int(request.args.get("page", 1))
    limit = int(request.args.get("limit", 10))
    with lock:
        items = sorted(sightings.values(), key=lambda sighting: sighting["seen_at"], reverse=True)
    return jsonify(items=items[(page - 1) * limit : page * limit], next_page=page + 1)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
