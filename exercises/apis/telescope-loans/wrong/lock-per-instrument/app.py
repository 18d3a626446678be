"""Telescopes on loan: the contract's schemas as data, its rules as code under one lock."""

import json
import os
import re
import threading
import time
from collections import defaultdict
from datetime import date, timedelta
from itertools import count

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

LOAN_DAYS = timedelta(days=14)
OPEN_LOANS = 3
KIND = {"type": "string", "enum": ["refractor", "reflector", "binoculars"]}
MEMBER = {"type": "string", "pattern": r"M[0-9]{4}"}
DAY = {"type": "string", "format": "date"}
INSTRUMENT = {
    "id": {"readOnly": True},
    "label": {"type": "string", "minLength": 2, "maxLength": 40},
    "kind": KIND,
    "copies": {"type": "integer", "minimum": 1, "maximum": 9},
    "weight_kg": {"type": "number", "nullable": True, "exclusiveMinimum": 0, "maximum": 80},
    "note": {"type": "string", "maxLength": 120, "default": ""},
    "available": {"readOnly": True},
}
LOAN = {
    "id": {"readOnly": True},
    "instrument_id": {"readOnly": True},
    "member": MEMBER,
    "from": DAY,
    "due": {"readOnly": True},
    "returned_on": {"readOnly": True},
}
RETURN = {"on": DAY}

app = Flask(__name__)
lock = threading.Lock()  # over everything: the rules look at instruments and at members
instruments = {}  # id -> stored members of an instrument
loans = {}  # id -> loan
loan_ids = count(1)
locks = defaultdict(threading.Lock)  # of instruments


class Refused(Exception):
    """The request ends here, with an Error of the contract."""

    def __init__(self, status, code, message, **extra):
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, **extra}


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES = {
    "string": lambda value: isinstance(value, str),
    "number": is_number,
    "integer": lambda value: is_number(value) and value == value // 1,
}


def is_day(text):
    try:
        return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def fits(value, schema):
    """Whether the value is one of the schema's."""
    if value is None:
        return schema.get("nullable", False)
    if not TYPES[schema["type"]](value):
        return False
    rules = {
        "enum": lambda allowed: value in allowed,
        "minLength": lambda shortest: len(value) >= shortest,
        "maxLength": lambda longest: len(value) <= longest,
        "pattern": lambda pattern: re.fullmatch(pattern, value),
        "format": lambda _: is_day(value),
        "minimum": lambda least: value >= least,
        "exclusiveMinimum": lambda bound: value > bound,
        "maximum": lambda most: value <= most,
    }
    return all(rules[name](argument) for name, argument in schema.items() if name in rules)


def invalid(fields):
    return Refused(422, "invalid", "the body breaks its schema", fields=fields)


def body_of_request(schemas):
    """Return the members that a client may write, defaults included."""
    if request.mimetype != "application/json":
        raise Refused(415, "unsupported_media_type", "send application/json")
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refused(400, "malformed", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid([])
    faults = [name for name in body if name not in schemas]
    members = {}
    for name, schema in schemas.items():
        if schema.get("readOnly"):
            continue
        members[name] = body[name] if name in body else schema.get("default")
        absent = name not in body and "default" not in schema
        if absent or not fits(members[name], schema):
            faults.append(name)
    if faults:
        raise invalid(faults)
    return members


def parameter(name, schema, default=None):
    text = request.args.get(name)
    if text is None:
        return default
    is_whole = re.fullmatch(r"[0-9]{1,9}", text)
    value = int(text) if schema["type"] == "integer" and is_whole else text
    if not fits(value, schema):
        raise Refused(400, "bad_parameter", f"{name} is not what it should be")
    return value


def found(things, wanted):
    if wanted not in things:
        raise Refused(404, "not_found", "there is nothing here")
    return things[wanted]


def open_loans(**what):
    return [
        loan
        for loan in list(loans.values())
        if loan["returned_on"] is None and all(loan[name] == value for name, value in what.items())
    ]


def shown(instrument):
    lent = len(open_loans(instrument_id=instrument["id"]))
    return {**instrument, "available": instrument["copies"] - lent}


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/instruments")
def add_instrument():
    members = body_of_request(INSTRUMENT)
    with lock:
        instrument = {**members, "id": len(instruments) + 1}
        instruments[instrument["id"]] = instrument
        return jsonify(shown(instrument)), 201, {"Location": f"/instruments/{instrument['id']}"}


@app.get("/instruments")
def list_instruments():
    kind = parameter("kind", KIND)
    limit = parameter("limit", {"type": "integer", "minimum": 1, "maximum": 50}, 20)
    offset = parameter("offset", {"type": "integer", "minimum": 0, "maximum": 100_000}, 0)
    with lock:
        all_of_them = [each for each in instruments.values() if kind in (None, each["kind"])]
        items = [shown(each) for each in all_of_them[offset : offset + limit]]
    return jsonify(items=items), 200, {"X-Total-Count": str(len(all_of_them))}


@app.get("/instruments/<int:instrument_id>")
def get_instrument(instrument_id):
    with lock:
        return jsonify(shown(found(instruments, instrument_id)))


@app.post("/instruments/<int:instrument_id>/loans")
def lend_instrument(instrument_id):
    found(instruments, instrument_id)
    wish = body_of_request(LOAN)
    with locks[instrument_id]:
        mine = open_loans(member=wish["member"])
        # Dates of this form compare like the days they name.
        if any(loan["due"] < wish["from"] for loan in mine):
            raise Refused(409, "overdue", "the member has a loan that is overdue")
        if len(mine) >= OPEN_LOANS:
            raise Refused(409, "too_many_loans", "the member has three loans")
        if shown(instruments[instrument_id])["available"] == 0:
            raise Refused(409, "no_copy_left", "all copies are lent")
        due = (date.fromisoformat(wish["from"]) + LOAN_DAYS).isoformat()
        time.sleep(0.05)  # the pause in which somebody prints the form
        loan = {"id": next(loan_ids), "instrument_id": instrument_id, **wish, "due": due, "returned_on": None}
        loans[loan["id"]] = loan
        return jsonify(loan), 201, {"Location": f"/loans/{loan['id']}"}


@app.get("/loans")
def list_loans():
    member = parameter("member", MEMBER)
    if member is None:
        raise Refused(400, "bad_parameter", "member is missing")
    is_open = parameter("open", {"type": "string", "enum": ["true", "false"]})
    with lock:
        mine = [loan for loan in loans.values() if loan["member"] == member]
    if is_open is not None:
        mine = [loan for loan in mine if (loan["returned_on"] is None) == (is_open == "true")]
    return jsonify(items=mine)


@app.get("/loans/<int:loan_id>")
def get_loan(loan_id):
    return jsonify(found(loans, loan_id))


@app.post("/loans/<int:loan_id>/return")
def return_loan(loan_id):
    found(loans, loan_id)
    day = body_of_request(RETURN)["on"]
    with lock:
        loan = loans[loan_id]
        if day < loan["from"]:
            raise invalid(["on"])
        if loan["returned_on"] is not None:
            raise Refused(409, "already_returned", "the loan is not open any more")
        loans[loan_id] = {**loan, "returned_on": day}
        return jsonify(loans[loan_id])


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error.body), error.status


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(code="not_found", message=error.description), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
