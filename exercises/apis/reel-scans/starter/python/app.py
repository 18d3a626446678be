"""Scans of reels: takes them in, and that is all."""

import os

from flask import Flask, jsonify, request

app = Flask(__name__)
scans = {}  # id -> scan


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/scans")
def start_scan():
    scan = {"id": len(scans) + 1, **request.get_json(), "state": "queued", "done": 0}
    scans[scan["id"]] = scan
    return jsonify(scan)


@app.get("/scans/<int:scan_id>")
def read_scan(scan_id):
    return jsonify(scans[scan_id])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
