"""Records of several veterinary practices: every request asks "may I?".

Two places decide, and no view does. `route` says who may use a route, so none can be added without saying it. `own` and
`find` are the only ways to rows, and they see those of one practice.
"""

import functools
import os
import re
import secrets
import threading
from collections import Counter
from itertools import count

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

ROLES = ("reception", "vet", "manager")  # each may do what those before it may
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

app = Flask(__name__, static_folder=None)
ids = count(1)
lock = threading.RLock()
practices, staff, patients, notes, appointments = {}, {}, {}, {}, {}  # id -> row; rows have a practice_id
tokens = {}  # token -> id of a member of staff


class Refused(Exception):
    """The request is answered with this status and message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


# Who may


def who_asks():
    """The member of staff behind the request's token."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or token not in tokens:
        raise Refused(401, "a valid token is needed")
    return staff[tokens[token]]


def is_at_least(member, role):
    return ROLES.index(member["role"]) >= ROLES.index(role)


def route(method, path, *, least):
    """Adds a view that is called with the asking member of staff, whose role is `least` or above."""

    def add(view):
        @functools.wraps(view)
        def guarded(**keys):
            with lock:
                me = who_asks()
                if not is_at_least(me, least):
                    raise Refused(403, "your role may not do this")
                return view(me, **keys)

        app.add_url_rule(path, view.__name__, guarded, methods=[method])
        return view

    return add


# What there is


def own(me, table):
    """The rows of this table that exist for this member of staff, oldest first."""
    return [row for row in table.values() if row["practice_id"] == me["practice_id"]]


def find(me, table, key):
    """The row with this id, or None if it does not exist for this member of staff."""
    row = table.get(key)
    return row if row is not None and row["practice_id"] == me["practice_id"] else None


def find_or_404(me, table, key):
    row = find(me, table, key)
    if row is None:
        raise Refused(404, "there is no such thing")
    return row


def insert(me, table, **fields):
    row = {"id": next(ids), "practice_id": me["practice_id"]} | fields
    table[row["id"]] = row
    return row


# What may be sent


def text(longest):
    return lambda value: isinstance(value, str) and 1 <= len(value) <= longest


def is_id(value):
    return type(value) is int


def is_role(value):
    return isinstance(value, str) and value in ROLES


def is_day(value):
    return isinstance(value, str) and DAY.fullmatch(value) is not None


PATIENT = {"name": text(80), "species": text(80), "owner": text(80)}


def body_of(rules, *, partial=False):
    """The request's body: an object with the fields of `rules`, all of them or (partial) one at least."""
    body = request.get_json(silent=True, force=True)
    if not isinstance(body, dict) or not body:
        raise Refused(422, f"the body must be an object with the fields {', '.join(rules)}")
    if not partial and not rules.keys() <= body.keys():
        raise Refused(422, f"the fields {', '.join(rules)} are needed")
    for field, value in body.items():
        if field in rules and not rules[field](value):
            raise Refused(422, f"{field} is not as it should be")
    return body


# What is answered


def member_shown(row):
    return {key: row[key] for key in ("id", "name", "role")}


def note_shown(row):
    return {key: row[key] for key in ("id", "patient_id", "author_id", "text")}


def appointment_shown(row):
    shown = {key: row[key] for key in ("id", "patient_id", "vet_id", "day")}
    return shown | {"patient_name": patients[row["patient_id"]]["name"]}


def hire_member(practice_id, name, role, **more):
    """(row, token) of a new member of staff."""
    row = insert({"practice_id": practice_id}, staff, name=name, role=role, **more)
    token = secrets.token_urlsafe(32)
    tokens[token] = row["id"]
    return row, token


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/practices")
def found_practice():
    body = body_of({"name": text(80)})
    with lock:
        practice = {"id": next(ids), "name": body["name"]}
        practices[practice["id"]] = practice
        _, token = hire_member(practice["id"], "first", "manager")
    return jsonify(**practice, token=token), 201


@route("POST", "/staff", least="manager")
def hire(me):
    row, token = hire_member(**{"practice_id": me["practice_id"], **body_of({"name": text(80), "role": is_role})})
    return jsonify(**member_shown(row), token=token), 201


@route("GET", "/staff", least="manager")
def list_staff(me):
    return jsonify(items=[member_shown(row) for row in own(me, staff)])


@route("PATCH", "/staff/<int:key>", least="manager")
def change_role(me, key):
    row = find_or_404(me, staff, key)
    row.update(body_of({"role": is_role}))
    return jsonify(member_shown(row))


@route("POST", "/patients", least="reception")
def admit_patient(me):
    return jsonify(insert(me, patients, **body_of(PATIENT))), 201


@route("GET", "/patients", least="reception")
def list_patients(me):
    mine = own(me, patients)
    species = request.args.get("species")
    return jsonify(items=[row for row in mine if species in (None, row["species"])], total=len(mine))


@route("GET", "/patients/<int:key>", least="reception")
def show_patient(me, key):
    return jsonify(find_or_404(me, patients, key))


@route("PATCH", "/patients/<int:key>", least="reception")
def change_patient(me, key):
    row = find_or_404(me, patients, key)
    row.update(body_of(PATIENT, partial=True))
    return jsonify(row)


@route("DELETE", "/patients/<int:key>", least="manager")
def delete_patient(me, key):
    find_or_404(me, patients, key)
    del patients[key]
    for table in (notes, appointments):
        for row in own(me, table):
            if row["patient_id"] == key:
                del table[row["id"]]
    return "", 204


@route("POST", "/patients/<int:key>/notes", least="vet")
def write_note(me, key):
    find_or_404(me, patients, key)
    row = insert(me, notes, **{"patient_id": key, "author_id": me["id"], **body_of({"text": text(2000)})})
    return jsonify(note_shown(row)), 201


@route("GET", "/patients/<int:key>/notes", least="vet")
def list_notes(me, key):
    find_or_404(me, patients, key)
    return jsonify(items=[note_shown(row) for row in own(me, notes) if row["patient_id"] == key])


@route("GET", "/search", least="vet")
def search_notes(me):
    wanted = request.args.get("q", "").lower()
    return jsonify(items=[note_shown(row) for row in own(me, notes) if wanted in row["text"].lower()])


@route("POST", "/appointments", least="reception")
def make_appointment(me):
    body = body_of({"patient_id": is_id, "vet_id": is_id, "day": is_day})
    vet = find(me, staff, body["vet_id"])
    if find(me, patients, body["patient_id"]) is None or vet is None or not is_at_least(vet, "vet"):
        raise Refused(422, "there is no such patient, or no such vet")
    return jsonify(appointment_shown(insert(me, appointments, **body))), 201


@route("GET", "/appointments", least="reception")
def list_appointments(me):
    return jsonify(items=[appointment_shown(row) for row in own(me, appointments)])


@route("GET", "/counts", least="reception")
def count_patients(me):
    mine = own(me, patients)
    return jsonify(patients=len(mine), species=Counter(row["species"] for row in mine))


@route("GET", "/export", least="manager")
def export(me):
    return jsonify(
        patients=own(me, patients),
        notes=[note_shown(row) for row in own(me, notes)],
        appointments=[appointment_shown(row) for row in own(me, appointments)],
    )


@app.errorhandler(Refused)
def refused(error):
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return jsonify(error=error.message), error.status, headers


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(error=error.description), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
