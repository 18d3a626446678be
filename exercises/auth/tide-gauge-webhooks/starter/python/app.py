"""The harbour office's receiver, as it is today: it believes everybody."""

import os

from flask import Flask, jsonify, request

app = Flask(__name__)
gauges = {}  # name -> {"gauge", "level_cm", "readings"}


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/deliveries")
def receive():
    reading = request.get_json()
    known = gauges.get(reading["gauge"], {"readings": 0})
    gauges[reading["gauge"]] = {
        "gauge": reading["gauge"],
        "level_cm": reading["level_cm"],
        "readings": known["readings"] + 1,
    }
    return jsonify(status="recorded"), 201


@app.get("/gauges/<name>")
def show(name):
    if name not in gauges:
        return jsonify(error="there is no reading of this gauge"), 404
    return jsonify(gauges[name])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
