"""An archive's boxes, changed in batches.

A batch works on a draft of the boxes. Its effect and its answer are one line of the journal; when the line is written,
the draft becomes the state, in one assignment. At the start the journal is read back.
"""

import json
import os
import re
import threading
import time
from pathlib import Path

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

SHELF_CAPACITY = int(os.environ.get("SHELF_CAPACITY", "10"))
MAX_ITEMS = int(os.environ.get("MAX_ITEMS", "500"))
JOURNAL = Path(os.environ["STATE_DIR"]) / "journal.jsonl"
BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MEMBERS = {"add": {"op", "box", "shelf"}, "move": {"op", "box", "shelf"}, "discard": {"op", "box"}}
FORMS = {"box": re.compile(r"[A-Z]{2}[0-9]{4}"), "shelf": re.compile(r"[A-Z][0-9]{1,2}")}


class Refused(Exception):
    """The whole request ends here, with this answer."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Archive:
    """The boxes and the answers to batches, in memory and in the journal."""

    def __init__(self, journal):
        self.boxes = {}  # barcode -> shelf; never changed, only replaced
        self.answers = {}  # scanner and id -> {"asked", "status", "body"}
        self.lock = threading.Lock()  # of everybody who writes
        data = journal.read_bytes() if journal.exists() else b""
        end = data.rfind(b"\n") + 1  # behind it stands half a line, of a batch that was never answered
        for line in data[:end].splitlines():
            self.keep(json.loads(line))
        self.journal = journal.open("ab")
        self.journal.truncate(end)

    def keep(self, entry):
        self.answers[entry["scanner"], entry["id"]] = entry["answer"]
        boxes = {barcode: shelf for barcode, shelf in self.boxes.items() if barcode not in entry["changed"]}
        self.boxes = boxes | {barcode: shelf for barcode, shelf in entry["changed"].items() if shelf is not None}

    def write(self, entry):
        self.journal.write(json.dumps(entry).encode() + b"\n")
        self.journal.flush()  # survives the process; against a power cut it takes os.fsync() too

    def put(self, scanner, batch_id, asked):
        """Return the answer to this batch, and whether it is a repetition."""
        with self.lock:
            known = self.answers.get((scanner, batch_id))
            if known:
                if known["asked"] != asked:
                    raise Refused(409, "batch_id_reused")
                return known, True
            before = dict(self.boxes)
            status, results, draft = carry_out(asked, self.boxes)
            if status == 409:
                time.sleep(0.01)
                self.boxes = before
            applied = sum(result["status"] < 300 for result in results)
            body = {"batch": batch_id, "mode": asked["mode"], "applied": applied, "results": results}
            answer = {"asked": asked, "status": status, "body": body}
            entry = {"scanner": scanner, "id": batch_id, "answer": answer, "changed": draft.changed}
            self.write(entry)
            self.keep(entry)
            return answer, False


class Draft:
    """Boxes as they would be after some changes."""

    def __init__(self, boxes):
        self.boxes = boxes
        self.changed = {}  # barcode -> shelf, or None

    def stands_on(self, shelf, *, without):
        return sum(there == shelf for barcode, there in self.boxes.items() if barcode != without)

    def put(self, barcode, shelf):
        self.boxes[barcode] = self.changed[barcode] = shelf
        time.sleep(0.005)  # as long as a database takes

    def remove(self, barcode):
        del self.boxes[barcode]
        self.changed[barcode] = None


def carry_out(asked, boxes):
    """Return status, results and the draft that is to become the state."""
    draft, seen, results = Draft(boxes), set(), []
    for item in asked["items"]:
        results.append(result_of(item, draft, seen))
    failed = any(result["status"] >= 400 for result in results)
    if not failed:
        return 200, results, draft
    if asked["mode"] == "each":
        return 207, results, draft
    not_applied = {"status": 424, "error": "not_applied"}
    return 409, [result if result["status"] >= 400 else not_applied for result in results], Draft(boxes)


def is_item(item):
    if not isinstance(item, dict) or not isinstance(item.get("op"), str):
        return False
    if item.keys() != MEMBERS.get(item["op"]):
        return False
    return all(isinstance(item[name], str) and FORMS[name].fullmatch(item[name]) for name in item.keys() - {"op"})


def failure(status, error):
    return {"status": status, "error": error}


def result_of(item, draft, seen):
    """Return the item's result; what succeeds is done in the draft."""
    if not is_item(item):
        return failure(422, "invalid")
    op, barcode, shelf = item["op"], item["box"], item.get("shelf")
    if barcode in seen:
        return failure(422, "duplicate_in_batch")
    seen.add(barcode)
    exists = barcode in draft.boxes
    if op == "add" and exists:
        return failure(409, "box_exists")
    if op != "add" and not exists:
        return failure(404, "no_such_box")
    if op == "discard":
        draft.remove(barcode)
        return {"status": 204}
    if draft.stands_on(shelf, without=barcode) >= SHELF_CAPACITY:
        return failure(409, "shelf_full")
    draft.put(barcode, shelf)
    return {"status": 201 if op == "add" else 200, "box": {"barcode": barcode, "shelf": shelf}}


def scanner_of_request():
    scanner = request.headers.get("X-Scanner")
    if not scanner:
        raise Refused(401, "which scanner is this?")
    return scanner


def batch_of_request():
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(body, dict) or body.keys() != {"mode", "items"}:
        raise Refused(422, "a batch has mode and items")
    if body["mode"] not in ("each", "all") or not isinstance(body["items"], list) or not body["items"]:
        raise Refused(422, "mode is each or all, items is a list that is not empty")
    if len(body["items"]) > MAX_ITEMS:
        raise Refused(413, f"a batch has at most {MAX_ITEMS} items")
    return body


app = Flask(__name__)
archive = Archive(JOURNAL)


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/boxes")
def list_boxes():
    return jsonify(boxes=dict(archive.boxes))


@app.get("/boxes/<barcode>")
def read_box(barcode):
    shelf = archive.boxes.get(barcode)
    if shelf is None:
        raise Refused(404, "there is no such box")
    return jsonify(barcode=barcode, shelf=shelf)


@app.put("/batches/<batch_id>")
def put_batch(batch_id):
    scanner = scanner_of_request()
    if not BATCH_ID.fullmatch(batch_id):
        raise Refused(404, "no batch can have this id")
    answer, replayed = archive.put(scanner, batch_id, batch_of_request())
    return jsonify(answer["body"]), answer["status"], {"Batch-Replayed": "true"} if replayed else {}


@app.get("/batches/<batch_id>")
def read_batch(batch_id):
    answer = archive.answers.get((scanner_of_request(), batch_id))
    if answer is None:
        raise Refused(404, "there is no such batch")
    return jsonify(answer["body"])


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error=str(error)), error.status


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(error=error.description), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
