"""Entries of a regatta: whoever saves last wins."""

import os

from flask import Flask, jsonify, request

app = Flask(__name__)
entries = {}  # id -> entry


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/entries")
def list_entries():
    return jsonify(items=list(entries.values()))


@app.post("/entries")
def enter():
    entry = {"crew": {}, "flags": [], **request.get_json(), "id": len(entries) + 1}
    entries[entry["id"]] = entry
    return jsonify(entry), 201, {"Location": f"/entries/{entry['id']}"}


@app.get("/entries/<int:entry_id>")
def read_entry(entry_id):
    return jsonify(entries[entry_id])


@app.patch("/entries/<int:entry_id>")
def change_entry(entry_id):
    entries[entry_id] = {**request.get_json(force=True), "id": entry_id}
    return jsonify(entries[entry_id])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
