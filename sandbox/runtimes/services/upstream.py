"""An HTTP server that answers as the judge has told it, and remembers what it was asked."""

import asyncio
import http
import json
import urllib.parse

from port import Port

HEAD_BYTES = 64 * 1024
BODY_BYTES = 1 << 20
MOST_CALLS = 20_000
KEPT_BYTES = 8 << 20  # of all calls together
NO_BODY = {204, 304}
UNKNOWN = {"status": 404, "headers": {}, "body": '{"error": "not found"}', "type": "application/json", "delay": 0.0}


class State:
    """What is forgotten by a reset. Each request belongs to the state in which it came."""

    def __init__(self):
        self.rules, self.calls = [], []
        self.kept = 0
        self.at_once = self.most_at_once = 0
        self.delay = 0.0

    def note(self, call):
        """Remember a call, in short once there are too many."""
        size = len(call["body"]) + sum(len(name) + len(value) for name, value in call["headers"].items())
        if self.kept + size > KEPT_BYTES:
            call = {**call, "headers": {}, "body": ""}
            size = 0
        self.kept += size + len(call["path"])
        if len(self.calls) < MOST_CALLS:
            self.calls.append(call)

    def answer_to(self, method, path):
        """Return the last rule that fits and is not used up."""
        for rule in reversed(self.rules):
            fits = path.startswith(rule["path"][:-1]) if rule["path"].endswith("*") else path == rule["path"]
            if fits and rule["method"] == method and rule["times"] != 0:
                if rule["times"] is not None:
                    rule["times"] -= 1
                return rule
        return UNKNOWN


class Upstream:
    """The server, and what the judge does with it."""

    def __init__(self, number):
        self.state = State()
        self.tasks = set()
        self.port = Port(number, self.on_client)

    def on_client(self, sock):
        """Serve one connection."""
        task = asyncio.get_running_loop().create_task(self.serve(sock))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on(self, rule):
        """Add a rule."""
        self.state.rules.append(rule)

    def seen(self):
        """Return what was asked since the last reset."""
        return {"calls": self.state.calls, "most_at_once": self.state.most_at_once}

    def slow(self, seconds):
        """Let every answer wait so long, beside what its rule says."""
        self.state.delay = seconds

    def down(self):
        """Cut every connection and refuse new ones."""
        self.port.refuse()
        for task in list(self.tasks):
            task.cancel()

    def up(self):
        """Accept connections again."""
        self.port.open()

    def reset(self):
        """Forget rules and calls and be up; connections stay."""
        self.state = State()
        self.up()

    async def serve(self, sock):
        """Answer the requests of one connection."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=HEAD_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            while await self.one(reader, writer):
                pass
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # a client that is gone, or speaks no HTTP
        except asyncio.CancelledError:
            transport.abort()
        finally:
            writer.close()

    async def one(self, reader, writer):
        """Answer one request; return whether the connection stays."""
        request = await read_head(reader)
        if request is None:
            return False
        method, target, headers, last = request
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await read_body(reader, headers)
        path, _, query = target.partition("?")
        state, path = self.state, urllib.parse.unquote(path)
        state.note(
            {
                "method": method,
                "path": path,
                "query": dict(urllib.parse.parse_qsl(query, keep_blank_values=True)),
                "headers": headers,
                "body": body.decode("utf-8", "replace"),
            }
        )
        rule = state.answer_to(method, path)
        state.at_once += 1
        state.most_at_once = max(state.most_at_once, state.at_once)
        try:
            if state.delay + rule["delay"]:
                await asyncio.sleep(state.delay + rule["delay"])
        finally:
            state.at_once -= 1
        writer.write(written(rule, head_only=method == "HEAD", last=last))
        await writer.drain()
        return not last


async def read_head(reader):
    """Return method, target, headers and whether it is the last request; None when no more comes."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise
        return None
    first, *lines = head.decode("latin-1").strip("\r\n").split("\r\n")
    method, target, version = first.split(" ")
    headers = {}
    for line in lines:
        name, found, value = line.partition(":")
        if not found:
            raise ValueError(line)
        headers[name.strip().lower()] = value.strip()
    wanted = headers.get("connection", "").lower()
    last = wanted == "close" or (version == "HTTP/1.0" and wanted != "keep-alive")
    return method, target, headers, last


async def read_body(reader, headers):
    """Return the body of a request. Raises ValueError when it is too long."""
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        size = int(headers.get("content-length", "0"))
        if not 0 <= size <= BODY_BYTES:
            raise ValueError("the body is too long")
        return await reader.readexactly(size)
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        if not 0 <= size <= BODY_BYTES - len(body):
            raise ValueError("the body is too long")
        if size == 0:
            break
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return bytes(body)


def written(rule, *, head_only, last):
    """Return the bytes of an answer."""
    body = rule["body"].encode()
    headers = {"Content-Type": rule["type"]} if rule["status"] not in NO_BODY else {}
    told = {name.lower() for name in rule["headers"]}
    headers = {name: value for name, value in headers.items() if name.lower() not in told} | rule["headers"]
    if rule["status"] in NO_BODY:
        body = b""
    else:
        headers["Content-Length"] = str(len(body))
    if last:
        headers["Connection"] = "close"
    try:
        phrase = http.HTTPStatus(rule["status"]).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {rule['status']} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (b"" if head_only else body)


def rule_of(message):
    """Return a rule from the judge's message."""
    body, kind = message["body"], "text/plain; charset=utf-8"
    if message["json"] is not None:
        body, kind = json.dumps(message["json"][0]), "application/json"
    return {
        "method": message["method"].upper(),
        "path": message["path"],
        "status": message["status"],
        "headers": {str(name): str(value) for name, value in message["headers"].items()},
        "body": body,
        "type": kind,
        "delay": message["delay"],
        "times": message["times"],
    }
