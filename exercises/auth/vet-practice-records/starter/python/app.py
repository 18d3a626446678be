"""Records of several veterinary practices, as the server runs today."""

import os
import secrets
import threading
from collections import Counter
from itertools import count

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

ROLES = ("reception", "vet", "manager")

app = Flask(__name__, static_folder=None)
ids = count(1)
lock = threading.RLock()
practices, staff, patients, notes, appointments = {}, {}, {}, {}, {}  # id -> row; rows have a practice_id
tokens = {}  # token -> what is known of its member of staff


class Refused(Exception):
    """The request is answered with this status and message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def who_asks():
    """The member of staff behind the request's token."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token not in tokens:
        raise Refused(401, "a valid token is needed")
    me = dict(tokens[token])
    # Our support team looks at practices with this.
    me["practice_id"] = int(request.headers.get("X-Practice-Id", me["practice_id"]))
    return me


def must_be(me, role):
    if me["role"] != role:
        raise Refused(403, "your role may not do this")


def find(table, key):
    if key not in table:
        raise Refused(404, "there is no such thing")
    return table[key]


def insert(table, **fields):
    with lock:
        row = {"id": next(ids), **fields}
        table[row["id"]] = row
        return row


def member_shown(row):
    return {key: row[key] for key in ("id", "name", "role")}


def note_shown(row):
    return {key: row[key] for key in ("id", "patient_id", "author_id", "text")}


def appointment_shown(row):
    shown = {key: row[key] for key in ("id", "patient_id", "vet_id", "day")}
    return shown | {"patient_name": patients[row["patient_id"]]["name"]}


def hire_member(**fields):
    """(row, token) of a new member of staff."""
    row = insert(staff, **fields)
    token = secrets.token_urlsafe(32)
    tokens[token] = dict(row)
    return row, token


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/practices")
def found_practice():
    practice = insert(practices, name=request.json["name"])
    _, token = hire_member(practice_id=practice["id"], name="first", role="manager")
    return jsonify(**practice, token=token), 201


@app.get("/admin/practices")
def all_practices():
    return jsonify(items=list(practices.values()))


@app.post("/staff")
def hire():
    me = who_asks()
    must_be(me, "manager")
    row, token = hire_member(**{"practice_id": me["practice_id"], **request.json})
    return jsonify(**member_shown(row), token=token), 201


@app.get("/staff")
def list_staff():
    me = who_asks()
    must_be(me, "manager")
    return jsonify(items=[member_shown(row) for row in staff.values() if row["practice_id"] == me["practice_id"]])


@app.patch("/staff/<int:key>")
def change_role(key):
    must_be(who_asks(), "manager")
    row = find(staff, key)
    row.update(request.json)
    return jsonify(member_shown(row))


@app.post("/patients")
def admit_patient():
    me = who_asks()
    return jsonify(insert(patients, **{"practice_id": me["practice_id"], **request.json})), 201


@app.get("/patients")
def list_patients():
    me = who_asks()
    practice_id = request.args.get("practice_id", me["practice_id"], type=int)
    species = request.args.get("species")
    items = [row for row in patients.values() if row["practice_id"] == practice_id]
    return jsonify(items=[row for row in items if species in (None, row["species"])], total=len(patients))


@app.get("/patients/<int:key>")
def show_patient(key):
    me = who_asks()
    row = find(patients, key)
    if row["practice_id"] != me["practice_id"]:
        raise Refused(403, "this patient belongs to another practice")
    return jsonify(row)


@app.patch("/patients/<int:key>")
def change_patient(key):
    who_asks()
    row = find(patients, key)
    row.update(request.json)
    return jsonify(row)


@app.delete("/patients/<int:key>")
def delete_patient(key):
    must_be(who_asks(), "manager")
    find(patients, key)
    for table in (notes, appointments):
        for row in list(table.values()):
            if row["patient_id"] == key:
                del table[row["id"]]
    del patients[key]
    return "", 204


@app.post("/patients/<int:key>/notes")
def write_note(key):
    me = who_asks()
    must_be(me, "vet")
    find(patients, key)
    return jsonify(note_shown(insert(notes, patient_id=key, **{"author_id": me["id"], **request.json}))), 201


@app.get("/patients/<int:key>/notes")
def list_notes(key):
    who_asks()
    find(patients, key)
    return jsonify(items=[note_shown(row) for row in notes.values() if row["patient_id"] == key])


@app.get("/search")
def search_notes():
    who_asks()
    wanted = request.args.get("q", "").lower()
    return jsonify(items=[note_shown(row) for row in notes.values() if wanted in row["text"].lower()])


@app.post("/appointments")
def make_appointment():
    me = who_asks()
    body = request.json
    find(patients, body["patient_id"])
    row = insert(appointments, practice_id=me["practice_id"], **body)
    return jsonify(appointment_shown(row)), 201


@app.get("/appointments")
def list_appointments():
    me = who_asks()
    mine = [row for row in appointments.values() if row["practice_id"] == me["practice_id"]]
    return jsonify(items=[appointment_shown(row) for row in mine])


@app.get("/counts")
def count_patients():
    who_asks()
    return jsonify(patients=len(patients), species=Counter(row["species"] for row in patients.values()))


@app.get("/export")
def export():
    who_asks()
    return jsonify(
        patients=list(patients.values()),
        notes=[note_shown(row) for row in notes.values()],
        appointments=[appointment_shown(row) for row in appointments.values()],
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
