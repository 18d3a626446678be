"""Canteen wallets: a charge may be sent again and is still made once.

Whatever belongs to one charge (the money taken, the line in the list, the answer under its key) is one SQLite
transaction. It takes the write lock before it reads, so no other request can decide on the same, soon outdated data.
"""

import json
import os
import re
import sqlite3
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEY_SECONDS = float(os.environ.get("KEY_SECONDS", "86400"))
DATABASE = Path(os.environ["STATE_DIR"]) / "canteen.db"
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")

SCHEMA = """
create table if not exists wallets (
    id integer primary key,
    balance_cents integer not null check (balance_cents >= 0)
);
create table if not exists charges (
    id integer primary key,
    wallet_id integer not null references wallets,
    amount_cents integer not null,
    dish text not null,
    balance_cents integer not null
);
create table if not exists answers (
    wallet_id integer not null references wallets,
    key text not null,
    request text not null,
    status integer not null,
    body text not null,
    first_used real not null,
    primary key (wallet_id, key)
);
"""


class Refused(Exception):
    """The request cannot be carried out; nothing was changed and no key was used."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


@contextmanager
def transaction():
    """A connection whose changes are kept together or not at all. Writers wait for each other."""
    db = sqlite3.connect(DATABASE, timeout=10, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        db.execute("begin immediate")
        yield db
        db.execute("commit")
    finally:
        db.close()  # rolls back what was not committed


def whole_number(value, lowest, highest):
    return type(value) is int and lowest <= value <= highest


def amount_in(body, name, lowest=1, highest=100_000, others=()):
    if not isinstance(body, dict) or body.keys() != {name, *others}:
        raise Refused(400, f"the body must have exactly these members: {', '.join([name, *others])}")
    if not whole_number(body[name], lowest, highest):
        raise Refused(400, f"{name} must be a whole number from {lowest} to {highest}")
    return body[name]


def wallet_in(db, wallet_id):
    row = db.execute("select id, balance_cents from wallets where id = ?", (wallet_id,)).fetchone()
    if row is None:
        raise Refused(404, "there is no such wallet")
    return dict(row)


def open_wallet(request):
    balance = amount_in(request.body, "balance_cents", lowest=0, highest=10_000_000)
    with transaction() as db:
        wallet_id = db.execute("insert into wallets (balance_cents) values (?)", (balance,)).lastrowid
        return 201, wallet_in(db, wallet_id)


def show_wallet(request, wallet_id):
    with transaction() as db:
        return 200, wallet_in(db, wallet_id)


def deposit(request, wallet_id):
    amount = amount_in(request.body, "amount_cents")
    with transaction() as db:
        db.execute("update wallets set balance_cents = balance_cents + ? where id = ?", (amount, wallet_id))
        return 200, wallet_in(db, wallet_id)


def list_charges(request, wallet_id):
    with transaction() as db:
        wallet_in(db, wallet_id)
        rows = db.execute(
            "select id, amount_cents, dish, balance_cents from charges where wallet_id = ? order by id", (wallet_id,)
        )
        return 200, {"items": [dict(row) for row in rows]}


def charge(request, wallet_id):
    """The answer to this charge: made now, or made before and found under its key."""
    key = request.headers.get("Idempotency-Key", "")
    order = request.body
    with transaction() as db:
        wallet = wallet_in(db, wallet_id)
        if not KEY.fullmatch(key):
            raise Refused(400, "Idempotency-Key must be 1 to 64 letters, digits, - or _")
        amount_in(order, "amount_cents", others=["dish"])
        if not isinstance(order["dish"], str) or not 1 <= len(order["dish"]) <= 80:
            raise Refused(400, "dish must be a text of 1 to 80 characters")
        canonical = request.data.decode()

        forget_old_answers(db, wallet_id)
        known = db.execute("select * from answers where wallet_id = ? and key = ?", (wallet_id, key)).fetchone()
        if known:
            if known["request"] != canonical:
                raise Refused(422, "this key was used for another charge")
            return known["status"], json.loads(known["body"]), {"Idempotency-Replayed": "true"}

        status, body = settle(db, wallet, order)
        db.execute(
            "insert into answers values (?, ?, ?, ?, ?, ?)",
            (wallet_id, key, canonical, status, json.dumps(body), time.time()),
        )
        return status, body


def forget_old_answers(db, wallet_id):
    oldest = time.time() - KEY_SECONDS
    db.execute("delete from answers where wallet_id = ? and first_used <= ?", (wallet_id, oldest))


def settle(db, wallet, order):
    """Take the money and list the charge, or refuse: (status, body)."""
    left = wallet["balance_cents"] - order["amount_cents"]
    if left < 0:
        return 402, {"error": "the balance is too small"}
    db.execute("update wallets set balance_cents = ? where id = ?", (left, wallet["id"]))
    charge_id = db.execute(
        "insert into charges (wallet_id, amount_cents, dish, balance_cents) values (?, ?, ?, ?)",
        (wallet["id"], order["amount_cents"], order["dish"], left),
    ).lastrowid
    return 201, {"id": charge_id, **order, "balance_cents": left}


ROUTES = [
    ("GET", r"/health", lambda request: (200, {"status": "up"})),
    ("POST", r"/wallets", open_wallet),
    ("GET", r"/wallets/(\d{1,18})", show_wallet),
    ("POST", r"/wallets/(\d{1,18})/deposits", deposit),
    ("GET", r"/wallets/(\d{1,18})/charges", list_charges),
    ("POST", r"/wallets/(\d{1,18})/charges", charge),
]


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    body = data = None

    def answer(self):
        data = self.data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.body = json.loads(data) if data else None
            self.send(*self.view()())
        except ValueError:
            self.send(400, {"error": "the body is not JSON"})
        except Refused as refusal:
            self.send(refusal.status, {"error": refusal.message})

    do_GET = do_POST = answer

    def view(self):
        for method, pattern, view in ROUTES:
            match = re.fullmatch(pattern, self.path)
            if match and method == self.command:
                return lambda: view(self, *map(int, match.groups()))
        raise Refused(404, "there is nothing here")

    def send(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 64


if __name__ == "__main__":
    with sqlite3.connect(DATABASE) as setup:
        setup.execute("pragma journal_mode = wal")
        setup.executescript(SCHEMA)
    setup.close()
    Server(("127.0.0.1", int(os.environ["PORT"])), Request).serve_forever()
