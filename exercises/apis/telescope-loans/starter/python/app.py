"""Telescopes on loan. The contract is in openapi.yaml."""

import os
from itertools import count

from flask import Flask, jsonify, request

app = Flask(__name__)
instruments = {}  # id -> instrument
ids = count(1)


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/instruments")
def add_instrument():
    instrument = {**request.get_json(), "id": next(ids)}
    instruments[instrument["id"]] = instrument
    return jsonify(instrument)


@app.get("/instruments")
def list_instruments():
    return jsonify(items=list(instruments.values()))


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
