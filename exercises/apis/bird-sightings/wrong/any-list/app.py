"""Sightings of birds, in pages that go on after a place in the order, not after a number of rows.

A place is the pair (seen_at, id): unique, never changing, and good even when nothing stands there any more.
A cursor is a place, signed together with the parameters of the list it was made for.
"""

import base64
import binascii
import hmac
import os
import re
import secrets
import threading
from bisect import bisect_left, bisect_right, insort

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

SECRET = os.environ.get("CURSOR_SECRET", secrets.token_hex(32)).encode()
CURSOR = re.compile(r"([A-Za-z0-9_-]+)\.([0-9a-f]{64})")
PARAMETERS = {"species", "order", "limit", "cursor"}

app = Flask(__name__)
lock = threading.Lock()
places = []  # of all sightings, oldest first
sightings = {}  # place -> sighting
last_id = 0


class Refused(Exception):
    """The request is at fault; the text is told."""


def signature(text, species, order):
    return hmac.new(SECRET, text.encode(), "sha256").hexdigest()


def cursor_at(place, species, order):
    text = base64.urlsafe_b64encode("-".join(map(str, place)).encode()).decode().rstrip("=")
    return f"{text}.{signature(text, species, order)}"


def place_of(cursor, species, order):
    match = CURSOR.fullmatch(cursor)
    # What is compared is the text, not what it stands for: no other spelling of a cursor is one.
    if not match or not hmac.compare_digest(match[2], signature(match[1], species, order)):
        raise Refused("this cursor does not belong to this list")
    try:
        seen_at, sighting_id = base64.urlsafe_b64decode(match[1] + "==").split(b"-")
        return int(seen_at), int(sighting_id)
    except (ValueError, binascii.Error):  # signed by a version of us that wrote something else
        raise Refused("this cursor is not understood") from None


def parameter_limit():
    written = request.args.get("limit", "10")
    if not re.fullmatch(r"[0-9]{1,4}", written) or not 1 <= int(written) <= 50:
        raise Refused("limit must be a whole number from 1 to 50")
    return int(written)


def parameter_order():
    order = request.args.get("order", "newest")
    if order not in ("newest", "oldest"):
        raise Refused("order must be newest or oldest")
    return order


def following(place, order):
    """The places after `place`, in order; all of them if it is None."""
    if order == "oldest":
        return places[0 if place is None else bisect_right(places, place) :]
    return places[: len(places) if place is None else bisect_left(places, place)][::-1]


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/sightings")
def add():
    global last_id
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused("the body must be a JSON object")
    species, seen_at, place = (body.get(name) for name in ("species", "seen_at", "place"))
    if not all(isinstance(text, str) and 1 <= len(text) <= 60 for text in (species, place)):
        raise Refused("species and place must be texts of 1 to 60 characters")
    if type(seen_at) is not int or seen_at < 0:
        raise Refused("seen_at must be a whole number, 0 or more")
    with lock:
        last_id += 1
        sighting = {"id": last_id, "species": species, "seen_at": seen_at, "place": place}
        insort(places, (seen_at, last_id))
        sightings[seen_at, last_id] = sighting
    return jsonify(sighting), 201


@app.delete("/sightings/<int:sighting_id>")
def remove(sighting_id):
    with lock:
        place = next((place for place in places if place[1] == sighting_id), None)
        if place is None:
            return jsonify(error="there is no such sighting"), 404
        places.remove(place)
        del sightings[place]
    return "", 204


@app.get("/sightings")
def list_sightings():
    if unknown := request.args.keys() - PARAMETERS:
        raise Refused(f"unknown parameters: {', '.join(sorted(unknown))}")
    limit, order = parameter_limit(), parameter_order()
    species, cursor = request.args.get("species"), request.args.get("cursor")
    after = None if cursor is None else place_of(cursor, species, order)
    items = []
    with lock:
        for place in following(after, order):
            if species in (None, sightings[place]["species"]):
                items.append(sightings[place])
            if len(items) > limit:
                break
    # One more than the page holds: so we know that something follows.
    more, items = len(items) > limit, items[:limit]
    last = (items[-1]["seen_at"], items[-1]["id"]) if more else None
    return jsonify(items=items, next_cursor=cursor_at(last, species, order) if last else None)


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error=str(error)), 400


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(error=error.description), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
