"""Tide tables for everybody, as often as they like."""

import os

from flask import Flask, jsonify

HIGH_WATER = {"brest": "04:31", "cuxhaven": "00:17", "hull": "06:05", "oban": "05:48"}

app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/tides/<harbour>")
def tides(harbour):
    return jsonify(harbour=harbour, high_water=HIGH_WATER[harbour])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
