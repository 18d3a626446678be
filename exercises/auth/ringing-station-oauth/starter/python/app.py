"""The ringing station's authorization server."""

import json
import os

from flask import Flask, jsonify, redirect, request

CODE_SECONDS = float(os.environ.get("CODE_SECONDS", "60"))
ACCESS_SECONDS = float(os.environ.get("ACCESS_SECONDS", "600"))
RINGERS = json.loads(os.environ.get("RINGERS", "{}"))
CLIENTS = {client["id"]: client for client in json.loads(os.environ.get("CLIENTS", "[]"))}

app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/authorize")
def ask_ringer():
    client = CLIENTS[request.args["client_id"]]
    return f"<h1>{client['name']} asks for your data</h1>"  # and the form


@app.post("/authorize")
def ringer_decides():
    return redirect(request.args["redirect_uri"] + "?error=access_denied")  # nobody gets anything yet


@app.post("/token")
def redeem():
    return jsonify(error="unsupported_grant_type"), 400


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
