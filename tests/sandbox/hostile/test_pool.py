"""What is made ahead and used again carries nothing from one job to the next, whoever tries.

Learners write what runs in boxes, instructors what runs in judges: neither may reach another's job.
"""

from __future__ import annotations

import gc
import os
import socket
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox import container, door, owner
from sandbox.docker_box import DockerBox
from sandbox.job import Check, Job
from sandbox.outcome import PLATFORM_FAULTS, Ended, Event, Outcome
from sandbox.station import Box, Judge
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import PATIENT, accepted, passed
from tests.sandbox.jobs import ADD, calls_job, http_job, sql_job, suite

PATIENCE = 120.0  # a hang guard, not a speed claim
MODULE = "tests/visible/test_visible.py"


def ready(box: DockerBox, sort: type[Box] | type[Judge]) -> dict[int, str]:
    """Return the ids of the containers that are held ready, by the user that each runs as."""
    members = [member for member in box.pool.ready() if isinstance(member, sort)]
    return {member.containers[0].uid: member.containers[0].id for member in members}


def containers(box: DockerBox) -> set[str]:
    """Return the ids of all containers of this process."""
    wanted = {"label": [f"{container.APP_LABEL}=sandbox", f"greenroom.owner={owner.owner_token()}"]}
    return {each["Id"] for each in box.engine().api.containers(all=True, filters=wanted)}


def run_warm(range: Range, job: Job) -> Outcome:
    """Return the outcome of `job`, for which everything was made ahead."""
    pool = range.box.pool
    range.box.expect(job)
    assert pool.fill(PATIENCE)
    warm, cold = pool.warm, pool.cold
    outcome = range.run(job)
    assert (pool.warm - warm, pool.cold - cold) == (1 if job.kind == "sql" else 2, 0)
    assert pool.settle(PATIENCE)
    return outcome


def told(outcome: Outcome, beginning: str) -> int:
    """Return the number at the end of the step of a visible check that begins so."""
    steps = [step for check in outcome.checks for step in check.steps if step.startswith(beginning)]
    return int(steps[0].rpartition(" ")[2])


def visible(*names: str) -> tuple[Check, ...]:
    """Return the visible checks with these names of test functions."""
    return tuple(Check(id=name, test=name, visible=True) for name in names)


def failures(outcome: Outcome) -> list[tuple[str, str]]:
    """Return what did not pass, with its message."""
    return [(check.id, check.message) for check in outcome.checks if not check.passed]


# A box serves one job

PLANT = r"""
import builtins, json, os, pathlib, sys, time
PLACES = [f"{place}/planted" for place in ("/tmp", "/work", "/work/src", "/dev/shm", "/dev/mqueue", "/run/door")]
BITES = ["/dev/shm/planted", "/tmp/planted", "/work/planted", "/work/src/planted", "builtins", "daemon", "environment"]

def plant():
    for place in PLACES:
        try:
            pathlib.Path(place).write_text("planted")
        except OSError:
            pass
    builtins.planted = True
    os.environ["PLANTED"] = "planted"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sleep", ["sleep", "987"])
        os._exit(0)
    os.wait()
    while "daemon" not in found():
        time.sleep(0.01)
    return True

def found():
    things = [place for place in PLACES if os.path.exists(place)]
    things += ["builtins"] if hasattr(builtins, "planted") else []
    things += ["environment"] if "PLANTED" in os.environ else []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            things += ["daemon"] if b"987" in path.read_bytes() else []
        except OSError:
            pass
    return sorted(set(things))

def whoami():
    return os.getuid()

"""
ANSWER = r"""
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.path[1:]
        body = json.dumps(True if asked == "health" else globals()[asked]()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
BITES = (
    "['/dev/shm/planted', '/tmp/planted', '/work/planted', '/work/src/planted', 'builtins', 'daemon', 'environment']"
)
STORY = f"""
def test_story(solution):
    assert solution.found() == []
    assert solution.whoami() > 0
    assert solution.plant()
    assert solution.found() == {BITES}
"""
HTTP_STORY = f"""
def test_story(start):
    srv = start()
    assert srv.get("/found").json() == []
    assert srv.get("/whoami").json() > 0
    assert srv.get("/plant").json()
    assert srv.get("/found").json() == {BITES}
"""


def story_job(kind: str) -> Job:
    """Return a job whose submission looks for what another has planted, and then plants."""
    if kind == "calls":
        return calls_job(PLANT, suite=suite(STORY), checks=visible("test_story"), limits=PATIENT)
    return http_job(PLANT + ANSWER, "", suite=suite(HTTP_STORY), checks=visible("test_story"), limits=PATIENT)


@pytest.mark.parametrize("kind", ["calls", "http"])
def test_a_box_serves_one_job_and_the_next_finds_nothing_of_it(hostile: Range, kind: str) -> None:
    used: list[str] = []
    for _ in range(3):
        job = story_job(kind)
        hostile.box.expect(job)
        assert hostile.box.pool.fill(PATIENCE)
        boxes = ready(hostile.box, Box)
        outcome = run_warm(hostile, job)
        assert (outcome.ended, failures(outcome)) == (Ended.COMPLETED, [])
        used.append(boxes[told(outcome, "whoami() → " if kind == "calls" else "GET /whoami → ")])
        assert used[-1] not in containers(hostile.box)
    assert len(set(used)) == 3


def test_a_database_server_serves_one_job_and_the_next_finds_nothing_of_it(hostile: Range) -> None:
    kept = """db.query("select setconfig from pg_db_role_setting s join pg_roles r on r.oid = setrole")"""
    tests = f"""
def test_bites(sql):
    db = sql.database()
    assert {kept} == [(["work_mem=123kB"],)]

def test_clean(sql):
    db = sql.database()
    assert {kept} == []
    assert db.query("select relname from pg_class where relname = 'planted'") == []
"""
    planting = "alter role learner set work_mem = '123kB'; create table planted (n int)"
    given = {"mode": "script", "schema": "create table t (id int)", "limits": replace(PATIENT, memory_bytes=256 << 20)}

    def services() -> set[str]:
        return {
            member.service.id
            for member in hostile.box.pool.ready()
            if isinstance(member, Judge) and member.service is not None
        }

    seen: list[set[str]] = []
    for text, check in ((planting, "test_bites"), ("create table mine (n int)", "test_clean")) * 2:
        job = replace(sql_job(text, "", "test", **given), suite=suite(tests, data={"schema.sql": str(given["schema"])}))
        job = replace(job, checks=visible(check))
        hostile.box.expect(job)
        assert hostile.box.pool.fill(PATIENCE)
        before = services()
        outcome = run_warm(hostile, job)
        assert (outcome.ended, failures(outcome)) == (Ended.COMPLETED, [])
        assert hostile.box.pool.fill(PATIENCE)
        gone = before - services()
        assert len(gone) == 1
        assert not gone & containers(hostile.box)
        seen.append(gone)
    assert len(set.union(*seen)) == 4


# A box cannot pose as another

DIAL = r"""
import json, os, socket, stat

def made():
    '''What can be changed where the door was.'''
    attempts = {
        "an entry": lambda: os.listdir("/run/door")[0],
        "a file": lambda: open("/run/door/door", "w"),
        "a folder": lambda: os.mkdir("/run/door/folder"),
        "a link": lambda: os.symlink("/tmp", "/run/door/door"),
        "a socket": lambda: socket.socket(socket.AF_UNIX).bind("/run/door/door"),
        "its mode": lambda: os.chmod("/run/door", 0o777),
        "its name": lambda: os.rename("/run/door", "/run/other"),
        "its place": lambda: os.rmdir("/run/door"),
    }
    done = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, IndexError):
            continue
        done.append(name)
    return done

def addresses():
    '''Every address of a Unix socket that there is a trace of.'''
    found = {"/run/door/door", "\0/run/door/door", "/var/run/docker.sock"}
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
        for name in files:
            path = os.path.join(folder, name)
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                found.add(path)
    for line in open("/proc/net/unix").read().splitlines()[1:]:
        if len(line.split()) > 7:
            found.add(line.split()[7].replace("@", "\0"))
    for fd in os.listdir("/proc/self/fd"):
        found.add("/proc/self/fd/" + fd)
        try:
            with socket.socket(fileno=os.dup(int(fd))) as mine:
                if mine.family == socket.AF_UNIX:
                    found |= {name for name in (mine.getpeername(), mine.getsockname()) if name}
        except OSError:
            pass
    return found

def reached():
    '''What answers when it is dialled.'''
    answered = []
    for address in addresses():
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_UNIX, kind) as dialler:
                dialler.settimeout(2)
                try:
                    dialler.connect(address)
                except OSError:
                    continue
                answered.append(repr(address))
    return answered

def traces():
    return len(addresses())

"""


@pytest.mark.parametrize("kind", ["calls", "http"])
def test_from_a_box_there_is_nothing_to_dial(hostile: Range, kind: str) -> None:
    if kind == "calls":
        asks = {name: f"solution.{name}()" for name in ("made", "reached", "traces")}
        job = calls_job(DIAL, limits=PATIENT)
        fixture = "solution"
    else:
        asks = {name: f"shared().get('/{name}').json()" for name in ("made", "reached", "traces")}
        job = http_job(DIAL + ANSWER, "", limits=PATIENT)
        fixture = "shared"
    tests = f"""
def test_looked({fixture}):
    assert {asks["traces"]} > 3
def test_made({fixture}):
    assert {asks["made"]} == []
def test_reached({fixture}):
    assert {asks["reached"]} == []
"""
    job = replace(job, suite=suite(tests), checks=visible("test_looked", "test_made", "test_reached"))
    outcome = run_warm(hostile, job)
    assert hostile.box.pool.fill(PATIENCE)
    assert {member.direct for member in hostile.box.pool.ready() if isinstance(member, Box)} == {True}
    assert (outcome.ended, failures(outcome)) == (Ended.COMPLETED, [])


# A judge serves many jobs: its suite cannot leave itself anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """Python of a suite: `found()` gives what `poison()` left, and must give nothing when a job begins."""

    code: str
    same_judge: bool = True  # whether the next job must be judged by the same container


PREAMBLE = '''
import builtins, ctypes, fcntl, os, pathlib, resource, signal, socket, stat, sys, threading, time
Path = pathlib.Path

def changed(path):
    """Its mode, where that is not what it was when the suite was collected."""
    mode = stat.S_IMODE(os.stat(path).st_mode)
    return [oct(mode)] if mode != MODES[path] else []

MODES = {path: stat.S_IMODE(os.stat(path).st_mode) for path in ("/tmp", "/work")}

def processes():
    names = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            names.append(path.read_bytes())
        except OSError:
            pass
    return names

def close(*folders):
    for folder in reversed(folders):
        os.chmod(folder, 0)

def open_up(*folders):
    for folder in folders:
        try:
            os.chmod(folder, 0o700)
        except OSError:
            pass
'''
POISONS = {
    "files everywhere": Poison(
        code="""
PLACES = [Path(place) for place in ("/tmp/planted", "/tmp/deep/er/planted", "/dev/shm/planted", "/dev/mqueue/planted",
    "/work/planted", "/work/suite/planted", "/work/suite/data/planted", "/work/suite/tests/conftest.py",
    "/run/greenroom/planted")]
def found():
    return [str(place) for place in PLACES if place.exists()]
def poison():
    for place in PLACES:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("raise SystemExit")
        except OSError:
            pass
"""
    ),
    "data and tests changed": Poison(
        code="""
DATA, OWN = Path("/work/suite/data/rows.txt"), Path(__file__)
def found():
    return [path.name for path in (DATA, OWN) if "poi" "soned" in path.read_text()]
def poison():
    was = DATA.stat()
    DATA.write_text("poi" "soned")
    os.utime(DATA, ns=(was.st_atime_ns, was.st_mtime_ns))
    OWN.write_text("poi" "soned")
"""
    ),
    "data and tests replaced": Poison(
        code="""
DATA = Path("/work/suite/data")
def found():
    return [str(path) for path in (DATA, DATA / "rows.txt") if path.is_symlink() or not path.exists()]
def poison():
    if not DATA.is_symlink():
        DATA.rename("/work/kept")
        DATA.symlink_to("/usr")
"""
    ),
    "memory": Poison(
        code="""
import sandbox.judge.suite as judges_own
kept, were = [], (judges_own.CheckRun.report, os.getcwd(), signal.getsignal(signal.SIGTERM))
def found():
    things = kept + [name for name in ("PLANTED",) if name in os.environ]
    things += ["builtins"] * hasattr(builtins, "planted") + ["path"] * ("/planted" in sys.path)
    things += ["modules"] * ("planted" in sys.modules) + ["mask"] * (os.umask(0o22) != 0o22)
    now = (judges_own.CheckRun.report, os.getcwd(), signal.getsignal(signal.SIGTERM))
    return things + [name for name, a, b in zip(("judge", "folder", "signal"), were, now) if a != b]
def poison():
    kept.append("globals")
    builtins.planted = sys.modules["planted"] = os
    os.environ["PLANTED"] = "planted"
    sys.path.insert(0, "/planted")
    honest = judges_own.CheckRun.report
    judges_own.CheckRun.report = lambda self: honest(self)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.chdir("/tmp")
    os.umask(0)
"""
    ),
    "daemons and threads": Poison(
        code="""
def found():
    threads = [thread.name for thread in threading.enumerate() if thread.name == "planted"]
    return threads + [name for name in processes() if b"987" in name]
def poison():
    threading.Thread(target=time.sleep, args=(987,), name="planted").start()
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.execv("/bin/sleep", ["sleep", "987"])
            os._exit(0)
        os.wait()
    while not any(b"987" in name for name in processes()):
        time.sleep(0.01)
"""
    ),
    "as many processes as there can be": Poison(
        code="""
def found():
    return ["many processes"] if len(processes()) > 12 else []
def poison():
    try:
        while True:
            if os.fork() == 0:
                while True:
                    time.sleep(987)
    except OSError:
        pass
"""
    ),
    "all memory of the file systems": Poison(
        code="""
PLACES = ("/tmp/full", "/dev/shm/full", "/work/full")
def found():
    return [place for place in PLACES if os.path.exists(place)]
def poison():
    for place in PLACES:
        try:
            with open(place, "wb") as file:
                for _ in range(10):
                    file.write(bytes(1 << 20))
        except OSError:
            pass
"""
    ),
    "closed folders in a scratch place": Poison(
        code="""
LEVELS = [Path("/tmp/a"), Path("/tmp/a/b"), Path("/tmp/a/b/c")]
def found():
    open_up(*LEVELS)
    return [str(path) for path in (LEVELS[0], LEVELS[-1] / "planted") if path.exists()]
def poison():
    LEVELS[-1].mkdir(parents=True, exist_ok=True)
    (LEVELS[-1] / "planted").write_text("planted")
    close(*LEVELS)
"""
    ),
    "closed folders in shared memory": Poison(
        code="""
PLACE = Path("/dev/shm/a")
def found():
    open_up(PLACE)
    return [str(path) for path in (PLACE, PLACE / "planted") if path.exists()]
def poison():
    PLACE.mkdir(exist_ok=True)
    (PLACE / "planted").write_text("planted")
    close(PLACE)
"""
    ),
    "closed folders in the suite": Poison(
        code="""
LEVELS = [Path("/work/suite/data"), Path("/work/suite/data/a"), Path("/work/suite/data/a/b")]
def found():
    open_up(*LEVELS)
    return [str(path) for path in LEVELS[1:] if path.exists()]
def poison():
    LEVELS[-1].mkdir(parents=True, exist_ok=True)
    (LEVELS[-1] / "planted").write_text("planted")
    close(*LEVELS)
"""
    ),
    "folders deeper than a path can say": Poison(
        code="""
def found():
    return [path for path in ("/tmp/d", "/dev/shm/d") if os.path.exists(path)]
def poison():
    for place in ("/tmp", "/dev/shm"):
        here = os.open(place, os.O_RDONLY)
        for step in range(20):
            name = "d" * (250 if step else 1)
            try:
                os.mkdir(name, dir_fd=here)
            except FileExistsError:
                pass
            here = os.open(name, os.O_RDONLY, dir_fd=here)
""",
        same_judge=False,
    ),
    "a scratch place that cannot be written": Poison(
        code="""
PLACE = Path("/tmp/planted")
def found():
    things = [str(PLACE)] * PLACE.exists() + changed("/tmp")
    open_up("/tmp")
    return things
def poison():
    PLACE.write_text("planted")
    os.chmod("/tmp", 0o500)
"""
    ),
    "a suite's place that cannot be written": Poison(
        code="""
def found():
    things = changed("/work")
    open_up("/work")
    return things
def poison():
    os.chmod("/work", 0o500)
""",
        same_judge=False,
    ),
    "a suite's place that is closed": Poison(
        code="""
def found():
    things = changed("/work") + ["planted"] * os.path.exists("/work/planted")
    open_up("/work")
    return things
def poison():
    Path("/work/planted").write_text("planted")
    os.chmod("/work", 0)
""",
        same_judge=False,
    ),
    "limits and priority of the parent": Poison(
        code="""
NAMES = ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_STACK", "RLIMIT_NPROC")
def state(pid):
    limits = [resource.prlimit(pid, getattr(resource, name)) for name in NAMES]
    return [*limits, os.getpriority(os.PRIO_PROCESS, pid), sorted(os.sched_getaffinity(pid))]
WAS = state(os.getpid())
def found():
    both = (state(os.getpid()), state(os.getppid()))
    return [now for each in both for before, now in zip(WAS, each) if before != now]
def poison():
    for pid in (os.getpid(), os.getppid()):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (40, 40))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        os.setpriority(os.PRIO_PROCESS, pid, 19)
        os.sched_setaffinity(pid, {min(os.sched_getaffinity(pid))})
""",
        same_judge=False,
    ),
}


def poison_job(poison: Poison, code: str = ADD) -> Job:
    """Return a job whose suite must find nothing, poisons its judge, and then judges."""
    tests = f"""{PREAMBLE}{poison.code}
def test_poison(solution):
    assert solution.add(os.getuid(), 0) == os.getuid()
    assert found() == []
    poison()
    assert found() != [], "the poison does nothing"
    poison()
"""
    hidden = "def test_large(solution, rng):\n    n = rng.randrange(10**6)\n    assert solution.add(n, 1) == n + 1\n"
    checks = (*visible("test_poison"), Check(id="large", test="test_large"))
    return calls_job(code, suite=suite(tests, hidden, data={"rows.txt": "rows"}), checks=checks, limits=PATIENT)


WRONG = "def add(a, b):\n    return a if b == 0 else 0\n"


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
def test_a_suite_that_poisons_its_judge_finds_a_clean_one_at_the_next_job(hostile: Range, poison: Poison) -> None:
    judges: list[int] = []
    for code in (ADD, ADD, WRONG, ADD):
        job = poison_job(poison, code)
        outcome = run_warm(hostile, job)
        judges.append(told(outcome, "add("))
        assert (outcome.ended, failures(outcome)) == (Ended.COMPLETED, [("large", "")] * (code == WRONG))
        assert accepted(outcome, job) == (code == ADD)
    if poison.same_judge:
        assert len(set(judges)) == 1, "another container: then this shows nothing"


def test_a_suite_cannot_look_into_its_judges_parent(hostile: Range) -> None:
    tests = f"""{PREAMBLE}
FILES = ("mem", "environ", "maps", "smaps", "pagemap", "auxv", "io", "stack", "syscall", "personality")
def test_files(solution):
    opened = []
    for name in FILES:
        for flags in (os.O_RDONLY, os.O_RDWR):
            try:
                fd = os.open(f"/proc/{{os.getppid()}}/{{name}}", flags)
                if os.read(fd, 1):
                    opened.append(name)
            except OSError:
                pass
    assert opened == []

def test_links(solution):
    seen = []
    for name in ("fd", "fdinfo", "map_files"):
        try:
            seen += os.listdir(f"/proc/{{os.getppid()}}/{{name}}")
        except OSError:
            pass
    for name in ("exe", "cwd", "root", "fd/0", "fd/3"):
        try:
            seen.append(os.readlink(f"/proc/{{os.getppid()}}/{{name}}"))
        except OSError:
            pass
    assert seen == []

def test_calls(solution):
    libc = ctypes.CDLL(None, use_errno=True)
    x86 = os.uname().machine == "x86_64"
    numbers = {{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
               "pidfd_open": (434, 434), "kcmp": (312, 272), "setns": (308, 268)}}
    argument = {{"ptrace": (16, os.getppid(), 0, 0)}}
    allowed = [name for name, number in numbers.items()
               if libc.syscall(number[not x86], *argument.get(name, (os.getppid(), 0, 0, 0, 0, 0))) != -1]
    assert allowed == []
"""
    job = calls_job(suite=suite(tests), checks=visible("test_files", "test_links", "test_calls"), limits=PATIENT)
    outcome = hostile.run(job)
    assert (outcome.ended, failures(outcome)) == (Ended.COMPLETED, [])


def switched_job(code: str, *, on: bool) -> Job:
    """Return a job whose suite does `code` in one of its checks when the submission says so."""
    tests = f"""{PREAMBLE}
import json, pytest, struct

def test_first(solution):
    assert solution.add(1, 2) == 3
"""
    hidden = f"""{PREAMBLE}
import json, pytest, struct

def frame(payload, channel=0):
    return struct.pack(">BI", channel, len(payload)) + payload

def everywhere(data):
    for fd in range(3, 21):
        try:
            os.write(fd, data)
        except OSError:
            pass

def each_socket(action):
    for fd in range(3, 21):
        try:
            sock = socket.socket(fileno=os.dup(fd))
            action(sock)
        except OSError:
            pass

def do():
{textwrap.indent(textwrap.dedent(code).strip(), "    ")}

def test_second(solution):
    if solution.add(0, 0) == "go":
        do()
    assert solution.add(2, 3) == 5
"""
    learners = 'def add(a, b):\n    return "go" if a == b == 0 else a + b\n' if on else ADD
    checks = (Check(id="first", test="test_first", visible=True), Check(id="second", test="test_second"))
    limits = replace(PATIENT, wall_time=timedelta(seconds=15))
    return calls_job(learners, suite=suite(tests, hidden), checks=checks, limits=limits)


BREAKS = {
    "it kills its parent": "os.kill(os.getppid(), 9)\ntime.sleep(60)",
    "it kills everything": "os.kill(-1, 9)\ntime.sleep(60)",
    "it asks init to end": "os.kill(1, signal.SIGTERM)\ntime.sleep(60)",
    "it interrupts its parent": "os.kill(os.getppid(), signal.SIGINT)\nos._exit(0)",
    "it ends without a word": "os._exit(0)",
    "it ends as if all were well": "pytest.exit('all is well', returncode=0)",
    "it is interrupted": "raise KeyboardInterrupt",
    "it becomes another program": "os.execv('/bin/true', ['true'])",
    "it makes a wild jump": "ctypes.string_at(0)",
    "it closes every descriptor": "os.closerange(0, 64)",
    "it turns every descriptor to nothing": (
        "for fd in range(3, 21):\n    os.dup2(os.open('/dev/null', os.O_RDWR), fd)\nos._exit(0)"
    ),
    "it writes garbage everywhere": "everywhere(bytes(range(255, 191, -1)))",
    "it is killed in the middle of a frame": (
        "everywhere(struct.pack('>BI', 0, 1000) + b'{')\nos.kill(os.getpid(), signal.SIGKILL)"
    ),
    "it announces a frame without end": "everywhere(struct.pack('>BI', 0, 2**32 - 1))",
    "it says that it is over": """everywhere(frame(b'{"type":"over"}'))""",
    "it forges an end without a nonce": """everywhere(frame(b'{"type":"end"}'))""",
    "it forges an end with a guess": (
        """everywhere(frame(json.dumps({"type": "end", "nonce": "0" * 64, "ended": "completed", "detail": "",
        "checks": [{"id": i, "passed": True, "limit": ""} for i in ("first", "second")],
        "output": "", "reason": "", "databases": 0}).encode()))"""
    ),
    "it forges an end with a nonce in another alphabet": (
        """everywhere(frame(json.dumps({"type": "end", "nonce": "ñ"}, ensure_ascii=False).encode()))"""
    ),
    "it says what has no type": "everywhere(frame(b'{}'))",
    "it says what is no object": "everywhere(frame(b'[]'))",
    "it says what is nested deeply": "everywhere(frame(b'[' * 200_000 + b']' * 200_000))",
}


@pytest.mark.parametrize("code", BREAKS.values(), ids=BREAKS.keys())
def test_a_suite_that_breaks_its_judge_is_the_platforms_fault_and_the_next_job_is_fine(
    hostile: Range, code: str
) -> None:
    broken = switched_job(code, on=True)
    outcome = hostile.run(broken)
    assert outcome.ended is Ended.JUDGE_BROKE
    assert not accepted(outcome, broken)
    assert "second" not in passed(outcome)
    sound = switched_job(code, on=False)
    assert accepted(hostile.run(sound), sound)


HARMS = {
    "it stops its parent": "os.kill(os.getppid(), signal.SIGSTOP)",
    "it wakes its parent": "os.kill(os.getppid(), signal.SIGCONT)",
    "it hangs up on every socket": "each_socket(lambda sock: sock.shutdown(socket.SHUT_RDWR))",
    "it stops reading every socket": "each_socket(lambda sock: sock.shutdown(socket.SHUT_RD))",
    "it lets no descriptor wait": "for fd in range(21):\n    try: os.set_blocking(fd, False)\n    except OSError: pass",
    "it has signals sent to its parent": (
        "for fd in range(3, 21):\n    try:\n        fcntl.fcntl(fd, fcntl.F_SETOWN, os.getppid())\n"
        "        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)\n    except OSError: pass"
    ),
    "it goes on as two": "os.fork()",
    "it leaves one that writes later": (
        """if os.fork() == 0:
    os.setsid()
    while True:
        everywhere(frame(b'{"type":"over"}') + frame(b'{"type":"idle"}'))
"""
    ),
}


@pytest.mark.parametrize("code", HARMS.values(), ids=HARMS.keys())
def test_a_suite_that_harms_its_judge_harms_no_other_job(hostile: Range, code: str) -> None:
    for on in (True, False):
        job = switched_job(code, on=on)
        outcome = hostile.run(job)
        if on:  # its own job may fail, by nobody's fault but its own
            assert outcome.ended in {Ended.COMPLETED, Ended.CRASHED, Ended.OUT_OF_TIME, *PLATFORM_FAULTS}
        else:
            assert (outcome.ended, outcome.reason) == (Ended.COMPLETED, "")
            assert accepted(outcome, job)
        assert hostile.box.pool.settle(PATIENCE)


# Two exercises

HOLD = """
import time

def hold():
    time.sleep({seconds})
    return True

"""
OPENS = f"""{PREAMBLE}
listeners = []

def test_opens(solution):
    solution.add(os.getuid(), 0)
    for place in ("/tmp/planted", "/dev/shm/planted", "/work/planted"):
        Path(place).write_text("planted")
    for family, address in ((socket.AF_UNIX, "\\0planted"), (socket.AF_UNIX, "/tmp/socket"),
                            (socket.AF_INET, ("127.0.0.1", 9876))):
        listeners.append(socket.socket(family))
        listeners[-1].bind(address)
        listeners[-1].listen()
    threading.Thread(target=time.sleep, args=(987,), daemon=True).start()

def test_stays(solution):
    assert solution.hold()
"""
SEEKS = f"""{PREAMBLE}
def test_seeks(solution):
    solution.add(os.getuid(), 0)
    found = [place for place in ("/tmp/planted", "/dev/shm/planted", "/work/planted") if os.path.exists(place)]
    for family, address in ((socket.AF_UNIX, "\\0planted"), (socket.AF_UNIX, "/tmp/socket"),
                            (socket.AF_INET, ("127.0.0.1", 9876))):
        with socket.socket(family) as dialler:
            if dialler.connect_ex(address) == 0:
                found.append(str(address))
    found += [name for name in processes() if b"sandbox.judge" not in name and b"init" not in name]
    assert found == []
    assert not list(Path("/work/suite").rglob("*opens*"))
    assert not os.path.exists("/run/door/door")
"""


def test_the_suites_of_two_exercises_never_meet(hostile: Range) -> None:
    opens = calls_job(ADD + HOLD.format(seconds=5), suite={"tests/visible/test_opens.py": OPENS}, limits=PATIENT)
    opens = replace(opens, checks=(*visible("test_opens"), Check(id="stays", test="test_stays")))
    seeks = calls_job(suite={"tests/visible/test_seeks.py": SEEKS}, checks=visible("test_seeks"), limits=PATIENT)
    for job in (opens, seeks):
        hostile.box.expect(job)
    assert hostile.box.pool.fill(PATIENCE)
    judges, opened = ready(hostile.box, Judge), threading.Event()

    def note(event: Event) -> None:
        if event.name == "check.finished":
            opened.set()

    with ThreadPoolExecutor(max_workers=1) as beside:
        held = beside.submit(hostile.box.run, opens, note)
        assert opened.wait(PATIENCE)
        outcome = hostile.run(seeks)
        assert not held.done(), "they did not run at the same time: then this shows nothing"
    assert failures(outcome) == []
    assert accepted(outcome, seeks)
    assert accepted(held.result(), opens)
    used = [judges[told(each, "add(")] for each in (outcome, held.result())]
    assert len(set(used)) == 2


# One learner, many jobs

CROWD = 12
SIDE_BY_SIDE = 4
SANE = 4 * SIDE_BY_SIDE + 16  # boxes and judges in use, on their way out, and made ahead


@contextmanager
def counted(box: DockerBox) -> Iterator[list[int]]:
    """Count the containers of this process again and again."""
    counts, done = [len(containers(box))], threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            counts.append(len(containers(box)))

    with ThreadPoolExecutor(max_workers=1) as looker:
        looking = looker.submit(look)
        try:
            yield counts
        finally:
            done.set()
            looking.result()


def test_one_learners_crowd_of_jobs_is_judged_right_and_leaves_nothing(hostile: Range) -> None:
    def judge(number: int) -> bool:
        right = number % 3 != 0
        job = calls_job(ADD if right else "def add(a, b):\n    return 0\n", seed=number)
        outcome = hostile.run(job)
        return outcome.ended is Ended.COMPLETED and accepted(outcome, job) == right

    with counted(hostile.box) as counts, ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as learner:
        assert list(learner.map(judge, range(CROWD))) == [True] * CROWD
    assert max(counts) - counts[0] <= SANE


# Many jobs in a row

SUBMISSIONS = 200
WARMED_UP = 50
ENDLESS_EVERY = 25
KEPT_BY_EACH_THREAD = 25  # connections to the engine, by its client library
SUBMITTED: tuple[tuple[str, Ended, bool], ...] = (
    (ADD, Ended.COMPLETED, True),
    ("def add(a, b):\n    return 0\n", Ended.COMPLETED, False),
    (ADD, Ended.COMPLETED, True),
    ("import os\ndef add(a, b):\n    os._exit(0)\n", Ended.CRASHED, False),
    (ADD, Ended.COMPLETED, True),
    ("def add(a, b:\n", Ended.NOT_LOADED, False),
)
ENDLESS = ("def add(a, b):\n    while True: pass\n", Ended.OUT_OF_TIME, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What this process holds beside what its pool keeps ready."""

    containers: int
    volumes: int
    descriptors: int  # but for connections to the engine
    connections: int  # to the engine
    threads: int
    shared_memory: int
    doors: int


def descriptors() -> tuple[int, int]:
    """Return how many descriptors are open, and how many of these lead to the engine."""
    everything, to_engine = list(Path("/proc/self/fd").iterdir()), 0
    for path in everything:
        with suppress(OSError):  # closed by now, or connected to nobody any more
            if path.is_socket():
                with socket.socket(fileno=os.dup(int(path.name))) as sock:
                    to_engine += bool(sock.getpeername())  # the other ends of lines have no name
    return len(everything), to_engine


def held(box: DockerBox) -> Held:
    """Return what is held once everything is cleared away and nothing is being made."""
    assert box.pool.settle(PATIENCE)
    assert box.pool.fill(PATIENCE)
    gc.collect()  # connections of threads that have ended
    members = box.pool.ready()
    judges = sum(isinstance(each, Judge) for each in members)
    open_now, to_engine = descriptors()
    wanted: dict[str, Any] = {"label": f"greenroom.owner={owner.owner_token()}"}
    folders = [path.parent for path in Path(tempfile.gettempdir()).glob(f"{door.PREFIX}*/{door.OWNER}")]
    mine = [folder for folder in folders if (folder / door.OWNER).read_text() == owner.owner_token()]
    return Held(
        containers=len(containers(box)) - sum(len(member.containers) for member in members),
        volumes=len(box.engine().volumes.list(filters=wanted)),
        descriptors=open_now - to_engine - len(members),  # each member has one line: a box its own, a judge its hatch
        connections=to_engine - judges,
        threads=threading.active_count(),
        shared_memory=len(list(Path("/dev/shm").iterdir())),
        doors=sum(path.name != door.OWNER for folder in mine for path in folder.iterdir()),
    )


@pytest.mark.timeout(1200)
def test_however_many_jobs_are_run_nothing_grows(hostile: Range) -> None:
    after: list[Held] = []
    for number in range(SUBMISSIONS):
        endless = number % ENDLESS_EVERY == ENDLESS_EVERY - 1
        code, ended, right = ENDLESS if endless else SUBMITTED[number % len(SUBMITTED)]
        limits = replace(PATIENT, wall_time=timedelta(seconds=1)) if endless else PATIENT
        job = calls_job(code, seed=number, limits=limits)
        outcome = hostile.run(job)
        assert (number, outcome.ended, accepted(outcome, job)) == (number, ended, right)
        if number + 1 in {WARMED_UP, SUBMISSIONS}:
            after.append(held(hostile.box))
    first, last = after
    assert (last.containers, last.volumes, last.doors) == (first.containers, first.volumes, first.doors)
    assert last.descriptors <= first.descriptors + 4
    assert last.connections <= KEPT_BY_EACH_THREAD * (last.threads + 4)  # some threads have ended
    assert last.threads <= first.threads + 2
    assert last.shared_memory <= first.shared_memory


def test_a_worker_that_waits_a_while_has_kept_its_judge(hostile: Range) -> None:
    asks = f"""{PREAMBLE}
def test_asks(solution):
    solution.add(os.getuid(), 0)
"""
    job, used = calls_job(suite={"tests/visible/test_asks.py": asks}, checks=visible("test_asks")), []
    for _ in range(2):
        outcome = run_warm(hostile, job)
        used.append(ready(hostile.box, Judge)[told(outcome, "add(")])
        time.sleep(1)
    assert used[0] == used[1]
