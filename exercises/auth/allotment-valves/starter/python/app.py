"""The allotments' water valves. Everything works, for everybody: see the README."""

import os
import secrets

from flask import Flask, jsonify, request

ORIGIN = os.environ.get("ORIGIN", "https://water.example")
PARTNERS = [origin for origin in os.environ.get("PARTNERS", "").split(",") if origin]

app = Flask(__name__)
sessions = {}  # session id -> name
opened = set()  # names of the gardeners whose valve is open


def gardener():
    """Return the name of the gardener who asks, or None."""
    return sessions.get(request.cookies.get("sid"))


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/forecast")
def forecast():
    return jsonify(rain_mm=4)


@app.post("/session")
def sign_in():
    name = request.get_json(force=True)["name"]
    sid = secrets.token_urlsafe(32)
    sessions[sid] = name
    response = jsonify(name=name)
    response.set_cookie("sid", sid)
    return response


@app.get("/valve")
def look():
    if gardener() is None:
        return jsonify(error="sign in first"), 401
    return jsonify(open=gardener() in opened)


@app.get("/valve/open")
def open_valve():
    opened.add(gardener())
    return jsonify(open=True)


@app.get("/valve/close")
def close_valve():
    opened.discard(gardener())
    return jsonify(open=False)


@app.after_request
def let_everybody_in(response):
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Credentials"] = "true"
    return response


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
