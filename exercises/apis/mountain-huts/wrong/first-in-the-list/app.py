"""Mountain huts in two versions: huts are kept in the shape of version 2, and version 1 is a view of them."""

import json
import os
import re
import threading
import time
from email.utils import formatdate

from flask import Flask, Response, request

V1_DEPRECATED = int(os.environ.get("V1_DEPRECATED", "1767225600"))
V1_SUNSET = int(os.environ.get("V1_SUNSET", "4102441200"))
V1_ENDS = {"Deprecation": f"@{V1_DEPRECATED}", "Sunset": formatdate(V1_SUNSET, usegmt=True)}
MEDIA = {"v1": "application/vnd.huts.v1+json", "v2": "application/vnd.huts.v2+json"}
PLAIN = "application/json"
ACCEPTED = {MEDIA["v2"]: "v2", MEDIA["v1"]: "v1", PLAIN: "v1", "application/*": "v1", "*/*": "v1"}
POSITION = r"(-?(?:0|[1-9][0-9]?)\.[0-9]{4}),(-?(?:0|[1-9][0-9]{0,2})\.[0-9]{4})"
BODIES = {MEDIA["v2"]: "v2", MEDIA["v1"]: "v1", PLAIN: "v1"}

app = Flask(__name__)
lock = threading.Lock()
huts = {}  # id -> hut in the shape of version 2


class Refused(Exception):
    """The request ends here: a status and a code, which each version tells in its own words."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


OLD_WORDS = {"not_found": "no such hut", "unsupported_media_type": "unsupported media type"}


# Version 1 as a view of version 2.


def old_position(position):
    return f"{position['lat']:.4f},{position['lon']:.4f}"


def old_warden(warden):
    if warden is None:
        return ""
    return warden["name"] if warden["phone"] is None else f"{warden['name']}, {warden['phone']}"


def new_position(text):
    lat, lon = map(float, text.split(","))
    return {"lat": lat, "lon": lon}


def new_warden(text):
    if not text:
        return None
    name, _, phone = text.partition(", ")
    return {"name": name, "phone": phone} if name and phone else {"name": text, "phone": None}


def shown_as_old(hut):
    return {
        "id": hut["id"],
        "name": hut["name"],
        "position": old_position(hut["position"]),
        "beds": hut["beds"]["summer"],
        "warden": old_warden(hut["warden"]),
    }


def merged(body, hut):
    """Return the hut that an old body makes of `hut` (None: of nothing)."""
    if hut is None:
        hut = {"position": None, "beds": {"winter": None}, "warden": None, "tags": []}
        seen = {}
    else:
        seen = shown_as_old(hut)
    changed = {**hut, "name": body["name"], "beds": {"summer": body["beds"], "winter": hut["beds"]["winter"]}}
    if body["position"] != seen.get("position"):
        changed["position"] = new_position(body["position"])
    if body["warden"] != seen.get("warden"):
        changed["warden"] = new_warden(body["warden"])
    return changed


# What bodies may hold.


def is_text(value, shortest, longest):
    return isinstance(value, str) and shortest <= len(value) <= longest


def is_number(value, bound):
    return isinstance(value, int | float) and not isinstance(value, bool) and -bound <= value <= bound


def is_count(value):
    return type(value) is int and value >= 0


def has(value, *members):
    return isinstance(value, dict) and value.keys() == set(members)


def is_old_position(value):
    match = isinstance(value, str) and re.fullmatch(POSITION, value)
    return bool(match) and abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180


def is_old(body):
    return (
        has(body, "name", "position", "beds", "warden")
        and is_text(body["name"], 1, 80)
        and is_old_position(body["position"])
        and is_count(body["beds"])
        and is_text(body["warden"], 0, 120)
    )


def is_warden(value):
    return value is None or (
        has(value, "name", "phone")
        and is_text(value["name"], 1, 80)
        and ", " not in value["name"]
        and (value["phone"] is None or is_text(value["phone"], 1, 80))
    )


def is_new(body):
    if not isinstance(body, dict):
        return False
    body = {"tags": [], **body}
    return (
        has(body, "name", "position", "beds", "warden", "tags")
        and is_text(body["name"], 1, 80)
        and has(body["position"], "lat", "lon")
        and is_number(body["position"]["lat"], 90)
        and is_number(body["position"]["lon"], 180)
        and has(body["beds"], "summer", "winter")
        and is_count(body["beds"]["summer"])
        and (body["beds"]["winter"] is None or is_count(body["beds"]["winter"]))
        and is_warden(body["warden"])
        and isinstance(body["tags"], list)
        and all(isinstance(tag, str) for tag in body["tags"])
    )


# Versions of request and answer.


def weight_of(parameters):
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0
    return 1


def accepted_version():
    """Return the version and the media type of the answer, or None."""
    candidates = []
    for part in request.headers.get("Accept", "*/*").split(","):
        media, *parameters = part.split(";")
        media = media.strip().lower()
        weight = weight_of(parameters)
        if media in ACCEPTED and weight > 0:
            version = ACCEPTED[media]
            candidates.append((weight, version, media if media in MEDIA.values() else PLAIN))
    return candidates[0][1:] if candidates else None


def written(body, status, media, headers):
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, {"Vary": "Accept", **headers}, content_type=media)


@app.before_request
def choose_version():
    if not request.path.startswith("/huts"):
        return None
    accepted = accepted_version()
    if accepted is None:
        refusal = {"error": "there is no such version", "versions": list(MEDIA)}
        return written(refusal, 406, PLAIN, {})
    request.version, request.media = accepted
    request.body_version = BODIES.get(request.mimetype) if request.method in ("POST", "PUT") else request.version
    if "v1" in (request.version, request.body_version) and time.time() >= V1_SUNSET:
        return written({"error": "version 1 is gone"}, 410, PLAIN, V1_ENDS)
    if request.body_version is None:
        raise Refused(415, "unsupported_media_type")
    return None


def answer(body, status=200):
    return written(body, status, request.media, V1_ENDS if request.version == "v1" else {})


def shown(hut):
    return shown_as_old(hut) if request.version == "v1" else hut


def body_of_request():
    """Return the body: an old or a new one, whole and right."""
    is_v1 = request.body_version == "v1"
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refused(400, "malformed") from None
    if not (is_old if is_v1 else is_new)(body):
        raise Refused(400 if is_v1 else 422, "invalid")
    return body


def hut_from(body, hut_id):
    """Return the hut that `hut_id` becomes. The caller holds the lock."""
    made = merged(body, huts.get(hut_id)) if request.body_version == "v1" else {"tags": [], **body}
    return {"id": hut_id, **{name: made[name] for name in ("name", "position", "beds", "warden", "tags")}}


def find(hut_id):
    if hut_id not in huts:
        raise Refused(404, "not_found")
    return huts[hut_id]


@app.get("/health")
def health():
    return Response('{"status":"up"}', content_type=PLAIN)


@app.get("/huts")
def list_huts():
    with lock:
        items = [shown(hut) for hut in huts.values()]
    return answer(items if request.version == "v1" else {"items": items})


@app.post("/huts")
def add_hut():
    body = body_of_request()
    with lock:
        hut_id = len(huts) + 1
        huts[hut_id] = hut_from(body, hut_id)
        return answer(shown(huts[hut_id]), 201)


@app.get("/huts/<int:hut_id>")
def read_hut(hut_id):
    return answer(shown(find(hut_id)))


@app.put("/huts/<int:hut_id>")
def change_hut(hut_id):
    find(hut_id)
    body = body_of_request()
    with lock:
        huts[hut_id] = hut_from(body, hut_id)
        return answer(shown(huts[hut_id]))


@app.errorhandler(Refused)
def refused(error):
    if request.version == "v1":
        return answer({"error": OLD_WORDS.get(error.code, "bad hut")}, error.status)
    return answer({"error": {"code": error.code, "message": error.code.replace("_", " ")}}, error.status)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
