"""Kind http: whatever a server answers, or does to what carries its answers, the judge sees through it."""

from __future__ import annotations

import pytest

from sandbox.job import Check
from sandbox.outcome import Ended, Outcome
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import CANARY, PATIENT, SHORT, accepted, passed
from tests.sandbox.jobs import http_job

# A server that answers /health well, and every other path as the name says.
EVIL = r'''
import gzip, os, signal, socket, struct, sys, threading, time, zlib

def ok(body, *headers):
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body

def repeat(c, part, pause=0):
    while True:
        c.sendall(part)
        time.sleep(pause)

def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()

HEAD = b"HTTP/1.1 200 OK\r\n"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://172.17.0.1:80/\r\nContent-Length: 0\r\n\r\n"
BOMB = gzip.compress(bytes(64 << 20), 9)
PATHS = {
    "/endless-header": lambda c: (c.sendall(HEAD), repeat(c, b"X: " + b"x" * 1000 + b"\r\n")),
    "/endless-header-line": lambda c: (c.sendall(HEAD + b"X: "), repeat(c, b"x" * 65536)),
    "/endless-status": lambda c: repeat(c, b"HTTP/1.1 200 " + b"x" * 65536),
    "/endless-body": lambda c: (c.sendall(HEAD + b"\r\n"), repeat(c, b"x" * 65536)),
    "/endless-chunks": lambda c: (
        c.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), repeat(c, b"8000\r\n" + b"x" * 32768 + b"\r\n")),
    "/drip-body": lambda c: (c.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n"), repeat(c, b"x", 0.05)),
    "/drip-header": lambda c: (c.sendall(HEAD), repeat(c, b"X: y\r\n", 0.05)),
    "/silent": lambda c: time.sleep(60),
    "/continue-for-ever": lambda c: repeat(c, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "/hints-for-ever": lambda c: repeat(c, b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 0.01),
    "/bomb": lambda c: c.sendall(ok(BOMB, b"Content-Encoding: gzip")),
    "/broken-gzip": lambda c: c.sendall(ok(b"not gzip", b"Content-Encoding: gzip")),
    "/brotli": lambda c: c.sendall(ok(b"x", b"Content-Encoding: br")),
    "/twice-packed": lambda c: c.sendall(ok(gzip.compress(BOMB), b"Content-Encoding: gzip, gzip")),
    "/too-short": lambda c: c.sendall(HEAD + b"Content-Length: 100\r\n\r\nshort"),
    "/two-lengths": lambda c: c.sendall(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
    "/negative-length": lambda c: c.sendall(HEAD + b"Content-Length: -1\r\n\r\nabc"),
    "/chunk-garbage": lambda c: c.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
    "/huge-chunk": lambda c: c.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc"),
    "/no-http": lambda c: c.sendall(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "/no-number": lambda c: c.sendall(b"HTTP/1.1 2OO OK\r\n\r\n"),
    "/nothing": lambda c: None,
    "/reset": reset,
    "/lines": lambda c: c.sendall(b"\r\n" * 100_000),
    "/moved": lambda c: c.sendall(MOVED),
    "/two": lambda c: c.sendall(ok(b"first") + ok(b"second")),
    "/cookie": lambda c: c.sendall(ok(b"x", b"Set-Cookie: seen=1; Path=/")),
    "/switch": lambda c: (c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), repeat(c, b"x", 0.01)),
    "/deep": lambda c: c.sendall(ok(b"[" * 1_000_000)),
    "/many": lambda c: c.sendall(ok(b"[" + b"{}," * 2_700_000 + b"{}]")),
    "/fine": lambda c: c.sendall(ok(b"fine")),
    "/flood-output": lambda c: [print("x" * 1000) for _ in range(2000)] + [c.sendall(ok(b"fine"))],
    "/exit": lambda c: os._exit(0),
    "/half-exit": lambda c: (c.sendall(HEAD + b"Content-Length: 10\r\n\r\nabc"), os._exit(0)),
    "/kill-carrier": lambda c: os.kill(os.getppid(), signal.SIGKILL),
    "/stop-carrier": lambda c: (os.kill(os.getppid(), signal.SIGSTOP), time.sleep(60)),
}

def forge(*lines):
    """Write to the judge what only the shim should: its pipe can be opened by whoever has its user."""
    for number in range(1, 10):
        path = f"/proc/{os.getppid()}/fd/{number}"
        if os.path.exists(path) and os.readlink(path).startswith(("pipe:", "socket:")):
            try:
                pipe = os.open(path, os.O_WRONLY)
            except OSError:
                continue
            for line in lines:
                os.write(pipe, line + b"\n")
            return

PATHS |= {
    "/forge-news": lambda c: (forge(b'{"ev":"exited","n":99,"code":0}', b'{"ev":"refused","s":98}'), PATHS["/fine"](c)),
    "/forge-verdict": lambda c: (forge(b'{"type":"end","nonce":"","ended":"completed"}'), PATHS["/fine"](c)),
    "/forge-garbage": lambda c: (forge(b"\xff\xff"), PATHS["/fine"](c)),
    "/forge-infinity": lambda c: (forge(b'{"ev":"exited","n":1e999,"code":0}'), PATHS["/fine"](c)),
    "/forge-list": lambda c: (forge(b'{"ev":["out"],"t":"x"}'), PATHS["/fine"](c)),
    "/forge-data": lambda c: (forge(b'{"ev":"data","s":"?","d":"!"}'), PATHS["/fine"](c)),
    "/forge-flood": lambda c: (forge(*[b'{"ev":"out","t":"%s"}' % (b"x" * 50_000)] * 4000), PATHS["/fine"](c)),
}
SEEN = []

def serve(c):
    c.settimeout(30)
    try:
        data = b""
        while b"\r\n\r\n" not in data:
            part = c.recv(65536)
            if not part:
                return
            data += part
        path = data.split(b" ")[1].decode()
        SEEN.append(data)
        if path == "/health":
            c.sendall(ok(b"ok"))
        elif path == "/seen":
            c.sendall(ok(b"\n".join(SEEN)))
        else:
            PATHS.get(path, PATHS["/fine"])(c)
    except OSError:
        pass
    finally:
        c.close()

signal.signal(signal.SIGPIPE, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
'''
FAULTS = {  # path → how the request must end, with 1 s for all of it
    "endless-header": "ServerFault", "endless-header-line": "ServerFault", "endless-status": "ServerFault",
    "endless-body": "ServerFault LimitHit", "endless-chunks": "ServerFault LimitHit", "drip-body": "LimitHit",
    "drip-header": "LimitHit", "silent": "LimitHit", "continue-for-ever": "ServerFault LimitHit",
    "hints-for-ever": "LimitHit ServerFault", "bomb": "ServerFault", "broken-gzip": "ServerFault",
    "brotli": "ServerFault", "twice-packed": "ServerFault", "too-short": "ServerFault", "two-lengths": "ServerFault",
    "negative-length": "ServerFault", "chunk-garbage": "ServerFault", "huge-chunk": "ServerFault",
    "no-http": "ServerFault", "no-number": "ServerFault", "nothing": "ServerFault", "reset": "ServerFault",
    "lines": "ServerFault",
}  # fmt: skip
FAULT_TESTS = """
import pytest
from sandbox.judge import Fault
""" + "".join(
    f"""
def test_{name.replace("-", "_")}(shared):
    with pytest.raises(Fault) as error:
        shared().get("/{name}", timeout=3)
    assert type(error.value).__name__ in {kinds.split()}
    assert shared().get("/fine").text == "fine"
"""
    for name, kinds in FAULTS.items()
)
HELD = """
import pytest

def test_moved(shared):
    answer = shared().get("/moved")
    assert answer.status_code == 302 and answer.history == []

def test_two(shared):
    assert shared().get("/two").text == "first"
    assert shared().get("/fine").text == "fine"

def test_cookie(shared):
    srv = shared()
    srv.get("/cookie")
    assert srv.get("/fine").status_code == 200
    assert "cookie:" not in srv.get("/seen").text.lower()

def test_seen(shared):
    srv = shared()
    srv.post("/fine", json={"a": 1}, token="t")
    seen = srv.get("/seen").text.lower()
    for word in ("pytest", "python", "httpx", "greenroom", "judge", "check", "hidden", "nonce", "x-forwarded"):
        assert word not in seen, word

def test_trace(shared):
    assert shared().request("TRACE", "/seen").status_code == 200

def test_deep(shared):
    with pytest.raises((ValueError, RecursionError)):
        shared().get("/deep").json()

def test_many(shared):
    srv = shared()
    held = [srv.get("/many") for _ in range(3)]
    try:
        [answer.json() for answer in held]
    except MemoryError:
        pass

def test_news(shared):
    assert shared().get("/forge-news").text == "fine"

def test_afterwards(shared):
    srv = shared()
    assert srv.get("/fine").text == "fine"
    assert set(srv.parallel(16, lambda i: srv.get("/fine").text)) == {"fine"}
"""
HELD_NAMES = ("moved", "two", "cookie", "seen", "trace", "deep", "many", "news", "afterwards")


def run_visible(hostile: Range, tests: str, names: tuple[str, ...], code: str = EVIL) -> Outcome:
    """Return the outcome of visible checks, whose messages say what went wrong."""
    checks = tuple(Check(id=name, test=f"test_{name}", visible=True) for name in names)
    suite = {"tests/visible/test_visible.py": tests}
    return hostile.run(http_job(code, "", suite=suite, checks=checks, limits=PATIENT))


@pytest.fixture(scope="module")
def faults(shooting_range: Range) -> Outcome:
    """How the judge took a server that breaks the protocol in every way."""
    return run_visible(shooting_range, FAULT_TESTS, tuple(name.replace("-", "_") for name in FAULTS))


@pytest.fixture(scope="module")
def held(shooting_range: Range) -> Outcome:
    """What the judge's client does and does not do."""
    return run_visible(shooting_range, HELD, HELD_NAMES)


@pytest.mark.parametrize("name", FAULTS)
def test_a_server_that_breaks_the_protocol_is_at_fault_and_the_next_request_is_not(faults: Outcome, name: str) -> None:
    told = {check.id: check for check in faults.checks}
    assert faults.ended is Ended.COMPLETED, faults
    assert (told[name.replace("-", "_")].passed, told[name.replace("-", "_")].message) == (True, "")


@pytest.mark.parametrize("name", HELD_NAMES)
def test_the_judge_s_client_is_led_nowhere(held: Outcome, name: str) -> None:
    told = {check.id: check for check in held.checks}
    assert held.ended is Ended.COMPLETED, held
    assert (told[name].passed, told[name].message) == (True, "")


HIDDEN = f"""
def test_echo(shared):
    srv = shared()
    srv.post("/note", json={{"text": "{CANARY}"}})
    assert srv.get("/note").json() == {{"text": "{CANARY}"}}, "{CANARY}"

def test_missing(shared):
    assert shared().get("/absent").status_code == 404
"""
ANSWERS = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sys.stderr.write(repr(body))
        body = BODY
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.mark.parametrize("body", ["b''", "body", 'b\'{"passed": true, "text": null}\''], ids=["200", "echo", "claims"])
def test_a_server_that_answers_all_alike_passes_nothing(hostile: Range, body: str) -> None:
    job = http_job(ANSWERS.replace("BODY", body), HIDDEN, "test_echo", "test_missing", limits=PATIENT)
    outcome = hostile.run(job)
    assert outcome.ended is Ended.COMPLETED
    assert passed(outcome) == set()


ENDS = {
    "kill-carrier": {Ended.CRASHED},
    "stop-carrier": {Ended.OUT_OF_TIME},
    "flood-output": {Ended.TOO_MUCH_OUTPUT},
}
FORGED = {
    "forge-verdict": {Ended.CRASHED},
    "forge-garbage": {Ended.CRASHED},
    "forge-infinity": {Ended.CRASHED},
    "forge-list": {Ended.CRASHED},
    "forge-flood": {Ended.CRASHED, Ended.TOO_MUCH_OUTPUT, Ended.OUT_OF_TIME},
}
TURNED = """
def test_first(shared):
    assert shared().get("/{path}").text == "fine"

def test_second(start):
    assert start().get("/fine").text == "fine"
"""


@pytest.mark.parametrize("path", ENDS)
def test_whoever_turns_on_what_carries_its_answers_ends_the_box(either: Range, path: str) -> None:
    limits = SHORT if "stop" in path else PATIENT
    job = http_job(EVIL, TURNED.format(path=path), "test_first", "test_second", limits=limits)
    outcome = either.run(job)
    assert outcome.ended in ENDS[path]
    assert not accepted(outcome, job)


@pytest.mark.parametrize("path", FORGED)
def test_whoever_speaks_for_the_carrier_over_its_pipes_ends_the_box(spliced: Range, path: str) -> None:
    job = http_job(EVIL, TURNED.format(path=path), "test_first", "test_second", limits=PATIENT)
    outcome = spliced.run(job)
    assert outcome.ended in FORGED[path]
    assert not accepted(outcome, job)


@pytest.mark.parametrize("path", FORGED)
def test_the_carriers_own_socket_is_out_of_reach_of_the_server(hostile: Range, path: str) -> None:
    job = http_job(EVIL, TURNED.format(path=path), "test_first", "test_second", limits=PATIENT)
    assert accepted(hostile.run(job), job)  # nothing was forged: there is nothing to write to


@pytest.mark.parametrize("path", ["exit", "half-exit"])
def test_a_server_that_ends_with_status_0_has_crashed(hostile: Range, path: str) -> None:
    tests = f"def test_it(shared):\n    shared().get('/{path}')\n"
    outcome = hostile.run(http_job(EVIL, tests, "test_it", limits=PATIENT))
    assert outcome.ended is Ended.COMPLETED
    assert [c.passed for c in outcome.checks] == [False]
    assert {c.limit for c in outcome.checks} <= {"crash", ""}  # the end of its answer may be seen before its own


STARTS = {
    "another process has the port": (
        "import os, socket, subprocess, sys, time\n"
        "code = 'import socket, sys, time; s = socket.create_server((\"\", int(sys.argv[1]))); time.sleep(99)'\n"
        "subprocess.Popen([sys.executable, '-c', code, os.environ['PORT']], start_new_session=True)\n"
        "time.sleep(3)\nsocket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
    ),
    "it exits at once": "raise SystemExit(0)",
    "it is killed": "import os\nos.kill(os.getpid(), 9)",
}


@pytest.mark.parametrize("code", STARTS.values(), ids=STARTS.keys())
def test_a_server_that_does_not_come_up_passes_nothing(hostile: Range, code: str) -> None:
    outcome = hostile.run(http_job(code, HIDDEN, "test_echo", "test_missing", limits=PATIENT))
    assert outcome.ended in {Ended.COMPLETED, Ended.OUT_OF_TIME}
    assert passed(outcome) == set()
    assert {check.limit for check in outcome.checks} <= {"crash", "time"}


def test_a_server_that_never_listens_runs_out_of_time(hostile: Range) -> None:
    outcome = hostile.run(http_job("import time\ntime.sleep(99)\n", HIDDEN, "test_echo", limits=SHORT))
    assert outcome.ended is Ended.OUT_OF_TIME
    assert passed(outcome) == set()
