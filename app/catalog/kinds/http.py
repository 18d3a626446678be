"""A server that the judge talks to."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from app.catalog.kinds import Cheat, Kind
from app.catalog.spec import Language

_SERVER = """\
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = (200, b"{{}}") if self.path == "/health" else ({answer})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
_SERVER_IN_NODE = """\
"use strict";

const http = require("node:http");

const server = http.createServer((request, response) => {{
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {{
    const sent = Buffer.concat(parts).toString();
    const [status, body] = request.url === "/health" ? [200, "{{}}"] : [{answer}];
    response.writeHead(status, {{ "Content-Type": "application/json" }});
    response.end(status === 204 ? undefined : body);
  }});
}});

server.listen(process.env.PORT, "127.0.0.1");
"""
_ANSWERS = {
    "always-200": '200, b"{}"',
    "echoes": '200, sent or b"{}"',
    "always-404": '404, b"{}"',
    "always-201": '201, sent or b"{}"',
    "always-204": '204, b""',
}
_ANSWERS_IN_NODE = {
    "always-200": '200, "{}"',
    "echoes": '200, sent || "{}"',
    "always-404": '404, "{}"',
    "always-201": '201, sent || "{}"',
    "always-204": '204, ""',
}
_PROGRAMS = {"python": (_SERVER, _ANSWERS), "node": (_SERVER_IN_NODE, _ANSWERS_IN_NODE)}


def _rules(language: Language) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(language.run)
    except ValueError as error:
        words = []
        yield "run", f"must be a command that a shell could read: {error}"
    else:
        if not words:
            yield "run", "is missing; expected the command that starts the server"
    if language.mode:
        yield "mode", "is for kind sql only"


def _cheats(language: Language, name: str) -> tuple[Cheat, ...]:
    program, answers = _PROGRAMS.get(name, ("", {}))
    texts = {"empty": ""} | {cheat: program.format(answer=answer) for cheat, answer in answers.items()}
    return tuple(Cheat(name=cheat, files={language.entry: text}) for cheat, text in texts.items())


KIND = Kind(
    name="http",
    label="HTTP server",
    icon="server",
    answer="a server that the tests send requests to",
    runtimes={"python": "python", "node": "node"},
    language_rules=_rules,
    cheats=_cheats,
    has_services=True,
)
