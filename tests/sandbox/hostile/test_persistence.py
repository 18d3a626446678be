"""Nothing of one submission is there for the next, and nothing of a program outlives its restart."""

from __future__ import annotations

import pytest

from sandbox.job import Check
from sandbox.outcome import Ended
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import PATIENT, accepted, add_job, probe_job
from tests.sandbox.jobs import http_job

PLANT = r"""
import os, pathlib, time
PLACES = ("/tmp/planted", "/work/planted", "/work/src/planted", "/dev/shm/planted", "/tmp/.local/planted")
HOOK = "import os\nos._exit(0)\n"

def plant():
    for place in PLACES:
        pathlib.Path(place).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(place).write_text("planted")
    for home in ("/tmp", "/work", "/work/src"):
        for site in (".local/lib/python3.13/site-packages", ".", "lib/python3.13/site-packages"):
            folder = pathlib.Path(home, site)
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("usercustomize.py", "sitecustomize.py"):
                (folder / name).write_text(HOOK)
            (folder / "planted.pth").write_text("import os; os._exit(0)\n")
        for name in (".bashrc", ".profile", ".pythonrc.py"):
            pathlib.Path(home, name).write_text("exit 0\n")
    return True

def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sleep", ["sleep", "987"])
        os._exit(0)
    os.wait()
    while not daemons():  # the second child becomes the daemon in its own time; the job's deadline bounds this
        time.sleep(0.01)
    return True

def found():
    return [place for place in PLACES if os.path.exists(place)]

def daemons():
    names = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                names.append(pathlib.Path("/proc", pid, "cmdline").read_bytes())
            except OSError:
                pass
    return sum(b"987" in name for name in names)

"""


def test_a_second_submission_finds_nothing_of_the_first(hostile: Range) -> None:
    claims = {"nothing_is_there": "solution.found() == [] and solution.daemons() == 0",
              "then_it_plants": "solution.plant() and solution.daemon() and solution.daemons() == 1"}  # fmt: skip
    for _ in range(2):
        job = probe_job(PLANT, claims, seed=0)  # this seed's order is the order of the claims
        assert accepted(hostile.run(job), job)


RESTARTS = {
    "hooks_planted_do_nothing": "solution.plant() and solution.restart() is None and solution.add(1, 2) == 3",
    "a_daemon_dies": "solution.daemon() and solution.restart() is None and solution.daemons() == 0",
    "what_it_remembered_is_gone": "[solution.remember(), solution.restart(), solution.remember()] == [1, None, 1]",
    "its_environment_is_fresh": "[solution.poison(), solution.restart(), solution.poisoned()] == [True, None, None]",
}
REMEMBER = """
kept = []
def remember():
    kept.append(1)
    return len(kept)

def poison():
    os.environ["POISON"] = os.environ["PYTHONSTARTUP"] = "/tmp/.pythonrc.py"
    os.environ["LD_PRELOAD"] = "/tmp/planted.so"
    return True

def poisoned():
    return os.environ.get("POISON")

"""


@pytest.mark.parametrize("name", RESTARTS)
def test_a_restart_begins_again(hostile: Range, name: str) -> None:
    job = probe_job(PLANT + REMEMBER, {name: RESTARTS[name]})
    outcome = hostile.run(job)
    assert [(c.id, c.message) for c in outcome.checks if not c.passed] == []
    assert accepted(outcome, job)


def test_daemons_die_with_the_box(hostile: Range) -> None:
    code = (
        PLANT
        + "\ndaemon()\nimport signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nfor _ in range(9): daemon()\n"
    )
    job = add_job(code + "def add(a, b):\n    return a + b\n")
    assert accepted(hostile.run(job), job)  # and the range sees that the container is gone


SERVER = r"""
import http.server, os, pathlib, socket, sys, threading
state = pathlib.Path(os.environ["STATE_DIR"])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/daemon" and os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for fd in range(3): os.close(fd)
                while True: self.server.handle_request()  # goes on listening after its parent
            os._exit(0)
        kept = state / "kept"
        text = kept.read_text() if kept.exists() else "nothing"
        if self.path == "/keep":
            kept.write_text("kept")
        if self.path == "/servers":
            lines = [p.read_bytes() for p in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
            text = str(sum(line.startswith(b"python3\0") for line in lines) - 1)  # servers are forks of the shim
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

http.server.HTTPServer.allow_reuse_address = True
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_a_server_that_left_a_daemon_is_gone_after_stop_and_its_state_with_it(hostile: Range) -> None:
    tests = """
import pytest
from sandbox.judge import Fault

def test_daemon(start):
    srv = start()
    srv.get("/daemon")
    srv.stop()
    with pytest.raises(Fault):
        srv.get("/health")

def test_daemon_beside_another(start):
    other, srv = start(), start()
    srv.get("/daemon")
    srv.stop()
    with pytest.raises(Fault):
        srv.get("/health")
    assert other.get("/servers").text == "1"

def test_daemon_after_a_restart(start):
    other, srv = start(), start()
    srv.get("/daemon")
    srv.restart()
    assert srv.get("/servers").text == "2"

def test_state(start):
    first = start()
    first.get("/keep")
    first.restart()
    assert first.get("/").text == "kept"
    assert start().get("/").text == "nothing"
"""
    names = ("test_daemon", "test_daemon_beside_another", "test_daemon_after_a_restart", "test_state")
    visible = tuple(Check(id=name, test=name, visible=True) for name in names)
    job = http_job(SERVER, "", limits=PATIENT, suite={"tests/visible/test_visible.py": tests}, checks=visible)
    outcome = hostile.run(job)
    assert outcome.ended is Ended.COMPLETED
    assert [(c.id, c.message) for c in outcome.checks if not c.passed] == []
