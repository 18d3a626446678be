import os
import time
from secrets import token_hex

from flask import Flask, jsonify, request

LEASE = float(os.environ.get("LEASE", "10"))
app = Flask(__name__)
wheels = {}  # bridge -> {"holder", "token", "until"}; each process has its own
spans = {}  # bridge -> angle


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.post("/bridges/<bridge>/wheel")
def take(bridge):
    wheel = wheels.get(bridge)
    if wheel and wheel["until"] > time.monotonic():
        return jsonify(error="somebody has the wheel"), 409
    wheels[bridge] = {
        "holder": request.get_json()["holder"],
        "token": token_hex(16),
        "until": time.monotonic() + LEASE,
    }
    return jsonify(token=wheels[bridge]["token"], number=1, seconds=LEASE), 201


@app.get("/bridges/<bridge>/wheel")
def show(bridge):
    wheel = wheels.get(bridge)
    return jsonify(holder=wheel["holder"] if wheel else None, number=1)


@app.put("/bridges/<bridge>/wheel")
def extend(bridge):
    wheels[bridge]["until"] = time.monotonic() + LEASE
    return jsonify(number=1, seconds=LEASE)


@app.delete("/bridges/<bridge>/wheel")
def release(bridge):
    wheels.pop(bridge, None)
    return "", 204


@app.put("/bridges/<bridge>/span")
def move(bridge):
    spans[bridge] = request.get_json()["angle"]
    return jsonify(angle=spans[bridge], number=1)


@app.get("/bridges/<bridge>/span")
def look(bridge):
    return jsonify(angle=spans.get(bridge, 0), number=1)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
