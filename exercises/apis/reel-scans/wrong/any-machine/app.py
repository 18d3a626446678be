"""Scans of reels as jobs. What happens to a scan is written down as events; everything else follows from them.

Every decision is taken under one lock. Its events go to the journal first and take effect in memory afterwards; whoever
watches is woken up. At the start the journal is read back.
"""

import json
import os
import re
import threading
from pathlib import Path

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

PLACES = int(os.environ.get("PLACES", "2"))
RETRY_SECONDS = os.environ.get("RETRY_SECONDS", "5")
JOURNAL = Path(os.environ["STATE_DIR"]) / "events.jsonl"
OVER = ("done", "failed", "cancelled")


class Refused(Exception):
    """The request ends here, with a status and a word."""

    def __init__(self, status, word):
        super().__init__(word)
        self.status = status


class Scan:
    """What has become of one reel."""

    def __init__(self, number, reel, frames, token):
        self.number, self.reel, self.frames, self.token = number, reel, frames, token
        self.state, self.machine, self.problem = "queued", None, None
        self.checksums = []
        self.story = []  # events as watchers see them

    @property
    def over(self):
        return self.state in OVER

    def happen(self, event):
        kind = event["event"]
        told = {"n": len(self.story) + 1, "event": kind}
        if kind == "frame":
            self.checksums.append(event["checksum"])
            told["done"] = len(self.checksums)
        else:
            self.state = kind
            self.machine = event.get("machine", self.machine)
            self.problem = event.get("problem")
        self.story.append(told)

    def shown(self):
        scan = {
            "id": self.number,
            "reel": self.reel,
            "frames": self.frames,
            "state": self.state,
            "done": len(self.checksums),
        }
        if self.state == "done":
            scan["film"] = f"/scans/{self.number}/film"
        if self.state == "failed":
            scan["problem"] = self.problem
        return scan


class Workshop:
    """All scans, in the order in which they came."""

    def __init__(self, journal):
        self.scans = {}  # id -> scan
        self.tokens = {}  # token -> scan
        self.changed = threading.Condition()  # and the lock of everything
        data = journal.read_bytes() if journal.exists() else b""
        end = data.rfind(b"\n") + 1  # behind it stands half a line, of something that nobody was told
        for line in data[:end].splitlines():
            for event in json.loads(line):
                self.apply(event)
        self.journal = journal.open("ab")
        self.journal.truncate(end)

    def record(self, *events):
        """Let something happen: all of it or nothing. The caller holds the lock."""
        self.journal.write(json.dumps(events).encode() + b"\n")
        self.journal.flush()
        for event in events:
            self.apply(event)
        self.changed.notify_all()

    def apply(self, event):
        if event["event"] == "queued":
            scan = Scan(event["scan"], event["reel"], event["frames"], event["token"])
            self.scans[scan.number] = self.tokens[scan.token] = scan
        self.scans[event["scan"]].happen(event)

    def find(self, number):
        try:
            return self.scans[number]
        except KeyError:
            raise Refused(404, "not_found") from None

    def start(self, token, reel, frames):
        with self.changed:
            scan = self.tokens.get(token)
            if scan is None:
                number = len(self.scans) + 1
                self.record({"scan": number, "event": "queued", "reel": reel, "frames": frames, "token": token})
                scan = self.scans[number]
            elif (scan.reel, scan.frames) != (reel, frames):
                raise Refused(409, "token_reused")
            return scan.shown()

    def next_for(self, machine):
        with self.changed:
            running = [scan for scan in self.scans.values() if scan.state == "running"]
            for scan in running:
                if scan.machine == machine:
                    return scan.shown()
            queued = [scan for scan in self.scans.values() if scan.state == "queued"]
            if len(running) >= PLACES or not queued:
                return None
            self.record({"scan": queued[0].number, "event": "running", "machine": machine})
            return queued[0].shown()

    def of_machine(self, machine, number):
        scan = self.find(number)
        if scan.machine is None:
            raise Refused(403, "not_yours")
        return scan

    def frame(self, machine, number, frame, checksum):
        with self.changed:
            scan = self.of_machine(machine, number)
            done = len(scan.checksums)
            if frame <= done:
                return done
            if scan.state != "running":
                raise Refused(409, "not_running")
            if frame > done + 1:
                raise Refused(409, "out_of_order")
            events = [{"scan": number, "event": "frame", "checksum": checksum}]
            if frame == scan.frames:
                events.append({"scan": number, "event": "done"})
            self.record(*events)
            return frame

    def fail(self, machine, number, problem):
        with self.changed:
            scan = self.of_machine(machine, number)
            if scan.state != "running":
                raise Refused(409, "not_running")
            self.record({"scan": number, "event": "failed", "problem": problem})
            return scan.shown()

    def cancel(self, number):
        with self.changed:
            scan = self.find(number)
            if scan.state in ("done", "failed"):
                raise Refused(409, "already_over")
            if scan.state != "cancelled":
                self.record({"scan": number, "event": "cancelled"})
            return scan.shown()

    def events(self, scan, after):
        """Yield what has happened behind number `after` and what happens from now on, until the scan is over."""
        while True:
            with self.changed:
                while not scan.over and len(scan.story) <= after:
                    self.changed.wait()
                fresh, over = scan.story[after:], scan.over
            for event in fresh:
                yield json.dumps(event) + "\n"
            after += len(fresh)
            if over:
                return


app = Flask(__name__)
workshop = Workshop(JOURNAL)


def is_whole(value, lowest, highest):
    return type(value) is int and lowest <= value <= highest


def is_text(value, longest):
    return isinstance(value, str) and 1 <= len(value) <= longest


def matching(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value)


SCAN = {"reel": lambda value: is_text(value, 40), "frames": lambda value: is_whole(value, 1, 100_000)}
FRAME = {
    "scan": lambda value: is_whole(value, 0, 10**15),
    "frame": lambda value: is_whole(value, 1, 100_000),
    "checksum": matching("[0-9a-f]{8}"),
}
FAILURE = {"scan": FRAME["scan"], "code": matching("[a-z-]{1,40}"), "text": lambda value: is_text(value, 200)}


def body_of_request(rules):
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refused(400, "malformed") from None
    if not isinstance(body, dict) or body.keys() != rules.keys():
        raise Refused(422, "invalid")
    if not all(is_good(body[name]) for name, is_good in rules.items()):
        raise Refused(422, "invalid")
    return body


def waiting(scan):
    """Return the header that says when to come back, if there is something to come back for."""
    return {} if scan["state"] in OVER else {"Retry-After": RETRY_SECONDS}


def check_machine(name):
    if not re.fullmatch(r"[a-z0-9-]{1,20}", name):
        raise Refused(404, "not_found")


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/scans")
def start_scan():
    token = request.headers.get("Client-Token", "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", token):
        raise Refused(400, "bad_token")
    scan = workshop.start(token, **body_of_request(SCAN))
    return jsonify(scan), 202, {"Location": f"/scans/{scan['id']}", **waiting(scan)}


@app.get("/scans/<int:number>")
def read_scan(number):
    scan = workshop.find(number).shown()
    return jsonify(scan), 200, waiting(scan)


@app.delete("/scans/<int:number>")
def cancel_scan(number):
    return jsonify(workshop.cancel(number))


@app.get("/scans/<int:number>/film")
def read_film(number):
    scan = workshop.find(number)
    if scan.state != "done":
        raise Refused(409, "not_done")
    return jsonify(reel=scan.reel, checksums=scan.checksums)


@app.get("/scans/<int:number>/events")
def watch(number):
    scan = workshop.find(number)
    after = request.args.get("after", "0")
    if not re.fullmatch(r"[0-9]{1,9}", after):
        raise Refused(400, "bad_after")
    return Response(workshop.events(scan, int(after)), content_type="application/x-ndjson")


@app.post("/machines/<name>/next")
def next_scan(name):
    check_machine(name)
    scan = workshop.next_for(name)
    return ("", 204) if scan is None else jsonify(scan)


@app.post("/machines/<name>/frames")
def report_frame(name):
    check_machine(name)
    report = body_of_request(FRAME)
    return jsonify(done=workshop.frame(name, report["scan"], report["frame"], report["checksum"]))


@app.post("/machines/<name>/failure")
def report_failure(name):
    check_machine(name)
    report = body_of_request(FAILURE)
    problem = {"type": f"/problems/{report['code']}", "title": report["text"]}
    return jsonify(workshop.fail(name, report["scan"], problem))


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error=str(error)), error.status


@app.errorhandler(HTTPException)
def http_error(error):
    return jsonify(error=error.name.lower().replace(" ", "_")), error.code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
