"""Canteen wallets: charges as often as it is asked, and forgets everything when it stops."""

import json
import os
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

wallets = {}  # id -> {"id", "balance_cents"}
charges = {}  # wallet id -> list of charges


def open_wallet(request):
    wallet = {"id": len(wallets) + 1, "balance_cents": request.body["balance_cents"]}
    wallets[wallet["id"]] = wallet
    charges[wallet["id"]] = []
    return 201, wallet


def show_wallet(request, wallet_id):
    return 200, wallets[wallet_id]


def deposit(request, wallet_id):
    wallets[wallet_id]["balance_cents"] += request.body["amount_cents"]
    return 200, wallets[wallet_id]


def list_charges(request, wallet_id):
    return 200, {"items": charges[wallet_id]}


def charge(request, wallet_id):
    key = request.headers.get("Idempotency-Key")  # nobody looks at it yet
    wallet = wallets[wallet_id]
    if wallet["balance_cents"] < request.body["amount_cents"]:
        return 402, {"error": "the balance is too small"}
    wallet["balance_cents"] -= request.body["amount_cents"]
    made = {"id": len(charges[wallet_id]) + 1, **request.body, "balance_cents": wallet["balance_cents"]}
    charges[wallet_id].append(made)
    return 201, made


ROUTES = [
    ("GET", r"/health", lambda request: (200, {"status": "up"})),
    ("POST", r"/wallets", open_wallet),
    ("GET", r"/wallets/(\d+)", show_wallet),
    ("POST", r"/wallets/(\d+)/deposits", deposit),
    ("GET", r"/wallets/(\d+)/charges", list_charges),
    ("POST", r"/wallets/(\d+)/charges", charge),
]


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    body = None

    def answer(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.body = json.loads(data) if data else None
        for method, pattern, view in ROUTES:
            match = re.fullmatch(pattern, self.path)
            if match and method == self.command:
                return self.send(*view(self, *map(int, match.groups())))
        return self.send(404, {"error": "there is nothing here"})

    do_GET = do_POST = answer

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


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Request).serve_forever()
