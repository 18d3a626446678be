"""Hive inspections: a report is filed, or refused with everything that is wrong with it.

A *rule* takes a value and its pointer and yields faults. Rules of objects and lists ask the rules of what is in them.
"""

import json
import os
import re
import sys
import traceback
from datetime import date
from itertools import count

import archive
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

MAX_BODY_BYTES = int(os.environ.get("MAX_BODY_BYTES", "16384"))
TITLES = {
    "not-json": "The body is not JSON",
    "not-found": "There is nothing here",
    "method-not-allowed": "This address does not have that method",
    "too-large": "The body is too long",
    "unsupported-media-type": "The body must be application/json",
    "invalid-report": "The report has faults",
    "internal": "Something went wrong on our side",
}

app = Flask(__name__)
reports = {}  # id -> report
ids = count(1)


class Problem(Exception):
    """The request ends here, with this answer."""

    def __init__(self, status, kind, **members):
        super().__init__(kind)
        self.status, self.kind, self.members = status, kind, members


def fault(pointer, code, detail):
    return {"pointer": pointer, "code": code, "detail": detail}


def text(shortest, longest):
    def rule(value, at):
        if not isinstance(value, str):
            yield fault(at, "type", "must be a text")
        elif not shortest <= len(value) <= longest:
            yield fault(at, "length", f"must have {shortest} to {longest} characters")

    return rule


def is_number(value):
    # bool is a subclass of int, so isinstance() alone would let true through.
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value):
    return is_number(value) and (isinstance(value, int) or value.is_integer())


def number(lowest, highest, *, is_right=is_number, name="a number"):
    def rule(value, at):
        if not is_right(value):
            yield fault(at, "type", f"must be {name}")
        elif not lowest <= value <= highest:
            yield fault(at, "range", f"must be {name} from {lowest} to {highest}")

    return rule


def whole(lowest, highest):
    return number(lowest, highest, is_right=is_whole, name="a whole number")


def truth(value, at):
    if not isinstance(value, bool):
        yield fault(at, "type", "must be true or false")


def day(value, at):
    if not isinstance(value, str):
        yield fault(at, "type", "must be a text")
    elif not is_day(value):
        yield fault(at, "format", "must be a day of the calendar, written YYYY-MM-DD")


def is_day(value):
    # fromisoformat() reads other spellings too (20260517, 2026-W20-7).
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def one_of(*choices):
    def rule(value, at):
        if not isinstance(value, str):
            yield fault(at, "type", "must be a text")
        elif value not in choices:
            yield fault(at, "choice", f"must be one of {', '.join(choices)}")

    return rule


def nullable(inner):
    return lambda value, at: () if value is None else inner(value, at)


def below(at, name):
    return f"{at}/{str(name).replace('~', '~0').replace('/', '~1')}"


def thing(required, optional):
    rules = required | optional

    def rule(value, at):
        if not isinstance(value, dict):
            yield fault(at, "type", "must be an object")
            return
        for name in required:
            if name not in value:
                yield fault(below(at, name), "required", "is missing")
        for name, member in value.items():
            if name in rules:
                yield from rules[name](member, below(at, name))
            else:
                yield fault(below(at, name), "unknown", "is not part of a report")

    return rule


def frames(value, at):
    if not isinstance(value, list):
        yield fault(at, "type", "must be a list")
        return
    if not 1 <= len(value) <= 20:
        yield fault(at, "length", "must have 1 to 20 frames")
        return
    taken = set()
    for index, frame in enumerate(value):
        yield from FRAME(frame, below(at, index))
        position = frame.get("position") if isinstance(frame, dict) else None
        if any(POSITION(position, at)):
            continue
        if position in taken:
            yield fault(below(below(at, index), "position"), "duplicate", "is the position of an earlier frame")
        taken.add(position)


POSITION = whole(1, 20)
FRAME = thing({"position": POSITION, "brood": number(0, 1)}, {"stores": one_of("honey", "pollen", "none")})
REPORT = thing(
    {
        "apiary": text(1, 60),
        "inspected_on": day,
        "queen_seen": truth,
        "mites_per_100": nullable(whole(0, 100)),
        "frames": frames,
    },
    {"note": text(0, 200)},
)


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def body_of_request():
    if request.mimetype != "application/json":
        raise Problem(415, "unsupported-media-type")
    if len(request.get_data().decode("utf-8", "replace")) > MAX_BODY_BYTES:
        raise Problem(413, "too-large")
    try:
        return json.loads(request.get_data().decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "not-json") from None


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/reports")
def file_report():
    body = body_of_request()
    faults = list(REPORT(body, ""))
    if faults:
        raise Problem(422, "invalid-report", errors=faults)
    sheets = [{"stores": "none", **frame} for frame in body["frames"]]
    report = {"id": next(ids), "note": "", **body, "frames": sheets}
    archive.keep(report)
    reports[report["id"]] = report
    return jsonify(report), 201, {"Location": f"/reports/{report['id']}"}


@app.get("/reports/<int:report_id>")
def read_report(report_id):
    if report_id not in reports:
        raise NotFound
    return jsonify(reports[report_id])


def problem_document(status, kind, members, headers):
    body = {"type": f"/problems/{kind}", "title": TITLES[kind], "status": status, **members}
    return Response(json.dumps(body), status, headers, content_type="application/problem+json")


@app.errorhandler(Exception)
def refused(error):
    """Every answer that is not a success is written here."""
    if isinstance(error, Problem):
        return problem_document(error.status, error.kind, error.members, {})
    if isinstance(error, MethodNotAllowed):
        return problem_document(405, "method-not-allowed", {}, {"Allow": ", ".join(error.valid_methods)})
    if isinstance(error, HTTPException) and error.code == 404:
        return problem_document(404, "not-found", {}, {})
    traceback.print_exception(error, file=sys.stderr)
    return problem_document(500, "internal", {}, {})


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
