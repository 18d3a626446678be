import hashlib
import os
from threading import Lock

from flask import Flask, Response, json, jsonify, request

app = Flask(__name__)
sheets: dict[str, str] = {}  # scene -> text
writing = Lock()  # a write compares and stores under it


@app.get("/health")
def health():
    return jsonify(ok=True)


def viewer() -> str | None:
    """Return the name of the person who asks, or None."""
    kind, _, name = request.headers.get("Authorization", "").partition(" ")
    return name.strip() or None if kind.lower() == "bearer" else None


def body_of(scene: str, text: str) -> bytes:
    """Return what the person who asks gets to see of a sheet."""
    return json.dumps({"scene": scene, "text": text, "viewer": viewer()}, sort_keys=True).encode()


def tag_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def answer(body: bytes, status: int) -> Response:
    response = Response(b"" if status == 304 else body, status, mimetype="application/json")
    response.set_etag(tag_of(body))
    response.vary.add("Authorization")
    response.headers["Cache-Control"] = "private, no-cache" if viewer() else "public, max-age=5"
    return response


def refusal(status: int, reason: str, **headers: str):
    return jsonify(error=reason), status, headers


@app.get("/cues/<scene>")
def read(scene):
    text = sheets.get(scene)
    if text is None:
        return refusal(404, "no such sheet")
    body = body_of(scene, text)
    if request.if_none_match.contains_weak(tag_of(body)):  # true for a star, too
        return answer(body, 304)
    return answer(body, 200)


@app.put("/cues/<scene>")
def write(scene):
    if viewer() is None:
        return refusal(401, "sign in to write", **{"WWW-Authenticate": "Bearer"})
    sent = request.get_json()
    if not sent.get("text"):
        return refusal(400, "the body must have a text")
    if "If-Match" not in request.headers and not request.if_none_match.star_tag:
        return refusal(428, "say which version this is based on")
    with writing:
        current = sheets.get(scene)
        if not condition_holds(scene, current):
            return refusal(412, "the sheet is not what you think it is")
        sheets[scene] = sent["text"]
    return answer(body_of(scene, sent["text"]), 201 if current is None else 200)


def condition_holds(scene: str, current: str | None) -> bool:
    """Return whether the sheet is in the state that the writer's condition names."""
    if "If-Match" not in request.headers:
        return current is None
    return current is not None and request.if_match.contains(tag_of(body_of(scene, current)))


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
