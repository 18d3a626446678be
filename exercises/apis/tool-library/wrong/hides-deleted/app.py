"""The tool library: tools as a REST resource, kept in memory."""

import json
import os
import threading

from flask import Flask, jsonify, request, url_for
from werkzeug.exceptions import HTTPException, NotFound

CATEGORIES = ("garden", "hand", "power")

app = Flask(__name__)
app.json.sort_keys = False

lock = threading.Lock()
tools = {}  # id -> tool, in order of creation
deleted = set()
last_id = 0


def is_name(value):
    return isinstance(value, str) and 1 <= len(value) <= 80 and not value.isspace()


def is_category(value):
    return value in CATEGORIES


def is_fee(value):
    # bool is a subclass of int, so isinstance() would let true through.
    return type(value) is int and value >= 0


def is_note(value):
    return value is None or (isinstance(value, str) and len(value) <= 500)


RULES = {
    "name": (is_name, "must be a text of 1 to 80 characters"),
    "category": (is_category, f"must be one of {', '.join(CATEGORIES)}"),
    "daily_fee_cents": (is_fee, "must be a whole number, 0 or more"),
    "note": (is_note, "must be null or a text of at most 500 characters"),
}
REQUIRED = ("name", "category", "daily_fee_cents")


class Refused(Exception):
    """The request is at fault; the message and the extra members are the answer."""

    def __init__(self, status, message, **extra):
        super().__init__(message)
        self.status = status
        self.body = {"error": message, **extra}


def faults_in(body, required=()):
    faults = {field: "unknown field" for field in body if field not in RULES}
    faults |= {field: "is required" for field in required if field not in body}
    for field, (is_good, message) in RULES.items():
        if field in body and not is_good(body[field]):
            faults[field] = message
    return faults


def body_of_request(required=()):
    """The request's fields, all of them known and valid."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "the body is not a JSON object")
    if faults := faults_in(body, required):
        raise Refused(422, "some fields are wrong", fields=faults)
    return body


def find(tool_id):
    try:
        return tools[tool_id]
    except KeyError:
        raise NotFound("there is no such tool") from None


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/tools")
def list_tools():
    wanted = request.args.get("category")
    with lock:
        items = [tool for tool in tools.values() if tool["id"] not in deleted and wanted in (None, tool["category"])]
    return jsonify(items=items)


@app.post("/tools")
def create_tool():
    global last_id
    fields = body_of_request(REQUIRED)
    with lock:
        last_id += 1
        tool = {"id": last_id, "note": None, **fields}
        tools[tool["id"]] = tool
    return jsonify(tool), 201, {"Location": url_for("read_tool", tool_id=tool["id"])}


@app.get("/tools/<int:tool_id>")
def read_tool(tool_id):
    return jsonify(find(tool_id))


@app.patch("/tools/<int:tool_id>")
def change_tool(tool_id):
    with lock:
        find(tool_id)
        # A new dictionary in one assignment: no reader ever sees half a change.
        tools[tool_id] = {**tools[tool_id], **body_of_request()}
        return jsonify(tools[tool_id])


@app.delete("/tools/<int:tool_id>")
def delete_tool(tool_id):
    with lock:
        find(tool_id)
        deleted.add(tool_id)
    return "", 204


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error.body), error.status


@app.errorhandler(HTTPException)
def http_error(error):
    # Keep the framework's response, because its headers count (Allow), and replace the page.
    response = error.get_response()
    response.data = json.dumps({"error": error.description})
    response.content_type = "application/json"
    return response


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
