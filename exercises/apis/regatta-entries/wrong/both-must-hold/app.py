"""Entries of a regatta: read and patched under conditions.

A tag is a hash of exactly what its address shows. So entry, crew and each filtered list have the right tag by
themselves, also after a restart. All that is kept besides is the time of each entry's last change.
"""

import hashlib
import json
import os
import re
import threading
import time
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

STATE = Path(os.environ["STATE_DIR"]) / "entries.json"
MERGE_PATCH = "application/merge-patch+json"
DATE = "%a, %d %b %Y %H:%M:%S GMT"
CLASSES = ("dinghy", "keelboat", "multihull")


class Refused(Exception):
    """The request ends here; nothing was changed."""

    def __init__(self, status, message, headers=()):
        super().__init__(message)
        self.status, self.headers = status, dict(headers)


class Office:
    """All entries. The state is replaced as a whole, in the file and in memory, and never changed in place."""

    def __init__(self):
        self.lock = threading.Lock()  # whoever writes compares and stores under it
        self.state = {"last_id": 0, "entries": {}, "changed": {}}
        if STATE.exists():
            self.state = json.loads(STATE.read_text())

    def store(self, entry_id, entry, *, last_id=None):
        """Keep the entry, or forget it if it is None. The caller holds the lock."""
        key = str(entry_id)
        entries = {name: each for name, each in self.state["entries"].items() if entry or name != key}
        changed = {name: each for name, each in self.state["changed"].items() if entry or name != key}
        if entry:
            entries[key], changed[key] = entry, int(time.time())
        state = {"last_id": last_id or self.state["last_id"], "entries": entries, "changed": changed}
        draft = STATE.with_suffix(".new")
        draft.write_text(json.dumps(state))
        draft.replace(STATE)  # in one step: the file is the old state or the new one
        self.state = state

    def find(self, entry_id):
        """Return the entry and the time of its last change."""
        state, key = self.state, str(entry_id)
        if key not in state["entries"]:
            raise Refused(404, "there is no such entry")
        return state["entries"][key], state["changed"][key]


# Rules of what is stored.


def is_text(value, longest):
    return isinstance(value, str) and 1 <= len(value) <= longest


def is_skipper(value):
    return (
        isinstance(value, dict)
        and {"name"} <= value.keys() <= {"name", "phone"}
        and is_text(value["name"], 60)
        and is_text(value.get("phone", "-"), 30)
    )


def is_crew(value):
    return (
        isinstance(value, dict)
        and len(value) <= 6
        and all(re.fullmatch("[a-z]{1,20}", role) and is_text(name, 60) for role, name in value.items())
    )


def is_flags(value):
    return isinstance(value, list) and len(value) <= 10 and all(isinstance(flag, str) for flag in value)


RULES = {
    "boat": lambda value: is_text(value, 40),
    "class": lambda value: value in CLASSES,
    "sail": lambda value: isinstance(value, str) and bool(re.fullmatch("[A-Z]{2,3} [0-9]{1,5}", value)),
    "skipper": is_skipper,
    "crew": is_crew,
    "flags": is_flags,
}


def checked(members):
    """Return the members of an entry, complete."""
    members = {"crew": {}, "flags": [], **members}
    faults = [name for name in ("boat", "class", "sail") if name not in members]
    faults += [name for name, value in members.items() if name not in RULES or not RULES[name](value)]
    if faults:
        raise Refused(422, f"not an entry: {', '.join(faults)}")
    return members


def merged(target, patch):
    """Return what RFC 7396 makes of target and patch; neither is touched."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


# Conditions.


def tag_of(shown):
    canonical = json.dumps(shown, sort_keys=True).encode()
    return f'"{hashlib.sha256(canonical).hexdigest()[:32]}"'


def tags_in(header):
    return re.findall(r'(?:W/)?"[^"]*"', header)


def date_in(header):
    """Return the seconds of an HTTP date, or None if it is none."""
    try:
        return datetime.strptime(request.headers.get(header, ""), DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def check_conditions(tag, changed=None):
    """Refuse a write that is not based on the current version."""
    if "If-Match" in request.headers:
        wanted = request.headers["If-Match"]
        if wanted.strip() != "*" and tag not in tags_in(wanted):
            raise Refused(412, "this is not the version you know")
        date = date_in("If-Unmodified-Since")
        if changed is not None and date is not None and changed > date:
            raise Refused(412, "it was changed since")
        return
    date = date_in("If-Unmodified-Since") if changed is not None else None
    if date is None:
        raise Refused(428, "say which version this is based on")
    if changed > date:
        raise Refused(412, "it was changed since")


def is_known(tag, changed=None):
    """Return whether the reader has this version already."""
    if "If-None-Match" in request.headers:
        known = request.headers["If-None-Match"]
        return known.strip() == "*" or tag in [each.removeprefix("W/") for each in tags_in(known)]
    date = date_in("If-Modified-Since") if changed is not None else None
    return date is not None and changed <= date


def answer(shown, status=200, changed=None, **headers):
    tag = tag_of(shown)
    headers["ETag"] = tag
    if changed is not None:
        headers["Last-Modified"] = formatdate(changed, usegmt=True)
    if request.method == "GET" and is_known(tag, changed):
        return Response(status=304, headers=headers)
    return jsonify(shown), status, headers


def body_of_request(media, **headers):
    if request.mimetype != media:
        raise Refused(415, f"send {media}", headers)
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(422, "the body is not an object")
    return body


def patch_of_request():
    return body_of_request(MERGE_PATCH, **{"Accept-Patch": MERGE_PATCH})


app = Flask(__name__)
office = Office()


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/entries")
def list_entries():
    wanted = request.args.get("class")
    items = [entry for entry in office.state["entries"].values() if wanted in (None, entry["class"])]
    return answer({"items": items})


@app.post("/entries")
def enter():
    members = checked(body_of_request("application/json"))
    with office.lock:
        entry_id = office.state["last_id"] + 1
        office.store(entry_id, {"id": entry_id, **members}, last_id=entry_id)
        entry, changed = office.find(entry_id)
    return answer(entry, 201, changed, Location=f"/entries/{entry_id}")


@app.get("/entries/<int:entry_id>")
def read_entry(entry_id):
    entry, changed = office.find(entry_id)
    return answer(entry, changed=changed)


def patched(entry, patch):
    """Store what the patch makes of the entry; return it with its date. The caller holds the lock."""
    entry_id = entry["id"]
    members = {name: value for name, value in entry.items() if name != "id"}
    after = {"id": entry_id, **checked(merged(members, patch))}
    if after != entry:
        office.store(entry_id, after)
    return office.find(entry_id)


@app.patch("/entries/<int:entry_id>")
def patch_entry(entry_id):
    with office.lock:
        entry, changed = office.find(entry_id)
        check_conditions(tag_of(entry), changed)
        entry, changed = patched(entry, patch_of_request())
    return answer(entry, changed=changed)


@app.delete("/entries/<int:entry_id>")
def withdraw(entry_id):
    with office.lock:
        entry, changed = office.find(entry_id)
        check_conditions(tag_of(entry), changed)
        office.store(entry_id, None)
    return "", 204


@app.get("/entries/<int:entry_id>/crew")
def read_crew(entry_id):
    return answer(office.find(entry_id)[0]["crew"])


@app.patch("/entries/<int:entry_id>/crew")
def patch_crew(entry_id):
    with office.lock:
        entry, _ = office.find(entry_id)
        check_conditions(tag_of(entry["crew"]))
        entry, _ = patched(entry, {"crew": patch_of_request()})
    return answer(entry["crew"])


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error=str(error)), error.status, error.headers


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(error=error.description), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
