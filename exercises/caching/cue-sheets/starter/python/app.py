import os

from flask import Flask, jsonify, request

app = Flask(__name__)
sheets = {}  # scene -> text


@app.get("/health")
def health():
    return jsonify(ok=True)


def viewer():
    """Return the name of the person who asks, or None."""
    kind, _, name = request.headers.get("Authorization", "").partition(" ")
    return name.strip() or None if kind.lower() == "bearer" else None


@app.get("/cues/<scene>")
def read(scene):
    if scene not in sheets:
        return jsonify(error="no such sheet"), 404
    return jsonify(scene=scene, text=sheets[scene], viewer=viewer())


@app.put("/cues/<scene>")
def write(scene):
    created = scene not in sheets
    sheets[scene] = request.get_json()["text"]
    return jsonify(scene=scene, text=sheets[scene], viewer=viewer()), 201 if created else 200


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
