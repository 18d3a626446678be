"""The harbour office's receiver: a reading counts only if one of our secrets has signed its very bytes, just now."""

import hashlib
import hmac
import json
import os
import re
import threading
import time

from flask import Flask, jsonify, request

SECRETS = os.environ.get("GAUGE_SECRETS", "").encode().split()
TOLERANCE_SECONDS = float(os.environ.get("TOLERANCE_SECONDS", "300"))
TIMESTAMP = re.compile(r"[0-9]{1,15}")
GAUGE = re.compile(r"[a-z0-9-]{1,40}")

app = Flask(__name__)


class Log:
    """What has been recorded. Asking whether an id is new and recording it are one step."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ids = set()
        self.gauges = {}

    def record(self, reading):
        """Whether the reading was new."""
        with self.lock:
            if reading["id"] in self.ids:
                return False
            self.ids.add(reading["id"])
            name = reading["gauge"]
            so_far = self.gauges[name]["readings"] if name in self.gauges else 0
            self.gauges[name] = {"gauge": name, "level_cm": reading["level_cm"], "readings": so_far + 1}
            return True


log = Log()


def is_genuine(timestamp, signatures, body):
    """Whether the two headers and the raw body fit together, under one of the secrets, at this time."""
    if not TIMESTAMP.fullmatch(timestamp):
        return False
    signed = timestamp.encode() + b"." + body
    given = [entry.strip().removeprefix("v1=") for entry in signatures.split(",") if entry.strip().startswith("v1=")]
    found = False
    for secret in SECRETS:
        expected = hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()
        for signature in given:
            # Bytes, because compare_digest raises an error for texts outside ASCII.
            found |= hmac.compare_digest(signature.encode(), expected)
    return found and abs(time.time() - int(timestamp)) <= TOLERANCE_SECONDS


def reading_in(body):
    """The reading that the body holds, or None."""
    try:
        reading = json.loads(body)
    except ValueError:
        return None
    if not isinstance(reading, dict):
        return None
    key, gauge, level = reading.get("id"), reading.get("gauge"), reading.get("level_cm")
    if not isinstance(key, str) or not 1 <= len(key) <= 64:
        return None
    if not isinstance(gauge, str) or not GAUGE.fullmatch(gauge):
        return None
    if type(level) is not int or not -1000 <= level <= 2000:
        return None
    return reading


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/deliveries")
def receive():
    body = request.get_data()
    timestamp = request.headers.get("Gauge-Timestamp", "")
    if not is_genuine(timestamp, request.headers.get("Gauge-Signature", ""), body):
        return jsonify(error="this delivery is not genuine"), 401
    reading = reading_in(body)
    if reading is None:
        return jsonify(error="this is no reading"), 422
    if not log.record(reading):
        return jsonify(status="duplicate")
    return jsonify(status="recorded"), 201


@app.get("/gauges/<name>")
def show(name):
    if name not in log.gauges:
        return jsonify(error="there is no reading of this gauge"), 404
    return jsonify(log.gauges[name])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
