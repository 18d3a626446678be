"""Mountain huts, version 1. Old apps depend on every byte of it."""

import json
import os
import re
import threading

from flask import Flask, Response, request

app = Flask(__name__)
lock = threading.Lock()
huts = {}  # id -> hut
POSITION = r"(-?(?:0|[1-9][0-9]?)\.[0-9]{4}),(-?(?:0|[1-9][0-9]{0,2})\.[0-9]{4})"
MEMBERS = ("name", "position", "beds", "warden")


def answer(body, status=200):
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json")


def is_position(value):
    match = isinstance(value, str) and re.fullmatch(POSITION, value)
    return bool(match) and abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180


def hut_of_request():
    """The body's hut, or None if it is none."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return None
    if not isinstance(body, dict) or body.keys() != set(MEMBERS):
        return None
    if not isinstance(body["name"], str) or not 1 <= len(body["name"]) <= 80 or not is_position(body["position"]):
        return None
    if type(body["beds"]) is not int or body["beds"] < 0:
        return None
    if not isinstance(body["warden"], str) or len(body["warden"]) > 120:
        return None
    return body


@app.get("/health")
def health():
    return answer({"status": "up"})


@app.get("/huts")
def list_huts():
    return answer(list(huts.values()))


@app.post("/huts")
def add_hut():
    body = hut_of_request()
    if body is None:
        return answer({"error": "bad hut"}, 400)
    with lock:
        hut = {"id": len(huts) + 1, **{name: body[name] for name in MEMBERS}}
        huts[hut["id"]] = hut
    return answer(hut, 201)


@app.get("/huts/<int:hut_id>")
def read_hut(hut_id):
    if hut_id not in huts:
        return answer({"error": "no such hut"}, 404)
    return answer(huts[hut_id])


@app.put("/huts/<int:hut_id>")
def change_hut(hut_id):
    if hut_id not in huts:
        return answer({"error": "no such hut"}, 404)
    body = hut_of_request()
    if body is None:
        return answer({"error": "bad hut"}, 400)
    huts[hut_id] = {"id": hut_id, **{name: body[name] for name in MEMBERS}}
    return answer(huts[hut_id])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
