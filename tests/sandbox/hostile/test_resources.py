"""Whoever takes more than the limits allow is stopped by them, and says so in the outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.job import MIB, Limits
from sandbox.outcome import Ended
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import PATIENT, SHORT, accepted, add_job, passed, probe_job

TIGHT = Limits(wall_time=timedelta(seconds=30), memory_bytes=64 * MIB, processes=32, disk_bytes=8 * MIB)
IGNORE_SIGNALS = """
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
"""
ADD = "\ndef add(a, b):\n    return a + b\n"


def in_a_call(body: str) -> str:
    """Return a module whose `add` does `body` on text."""
    lines = "".join(f"        {line}\n" for line in body.strip().splitlines())
    return f"import os, sys, time, threading\ndef add(a, b):\n    if isinstance(a, str):\n{lines}    return a + b\n"


MEMORY = {
    "a large object": "held = b'x' * (256 << 20)",
    "many small ones": "held = []\nwhile True: held.append([len(held)] * 99)",
    "a child": ("if os.fork() == 0:\n    held = b'x' * (256 << 20)\n    os._exit(0)\nos.wait()\nreturn a + b"),
    "anonymous memory": "import mmap\nm = mmap.mmap(-1, 256 << 20)\nfor i in range(0, len(m), 4096): m[i] = 1",
    "files without a name": "while True: os.write(os.memfd_create('x'), b'x' * 10_000_000)",
    "files in memory": (
        "for folder in ('/tmp', '/work', '/dev/shm'):\n"
        "    for n in range(64):\n"
        "        try: open(f'{folder}/{n}', 'wb').write(b'x' * (4 << 20))\n"
        "        except OSError: break"
    ),
}


@pytest.mark.parametrize("body", MEMORY.values(), ids=MEMORY.keys())
def test_memory_beyond_the_limit_ends_the_box(hostile: Range, body: str) -> None:
    limits = Limits(wall_time=timedelta(seconds=30), memory_bytes=64 * MIB)
    outcome = hostile.run(add_job(in_a_call(body), limits))
    assert outcome.ended is Ended.OUT_OF_MEMORY
    assert outcome.max_memory_bytes <= 64 * MIB


PROCESSES = {
    "forks": "try:\n    while True:\n        if os.fork() == 0: time.sleep(600)\nexcept OSError: pass",
    "forks of forks": "for _ in range(7):\n    try: os.fork()\n    except OSError: time.sleep(600)\ntime.sleep(600)",
    "threads": (
        "try:\n    while True: threading.Thread(target=time.sleep, args=[600], daemon=True).start()\n"
        "except RuntimeError: pass"
    ),
}


@pytest.mark.parametrize("body", PROCESSES.values(), ids=PROCESSES.keys())
def test_more_processes_than_allowed_fail_the_submission(hostile: Range, body: str) -> None:
    limits = Limits(wall_time=timedelta(seconds=10), memory_bytes=128 * MIB, processes=32)
    job = add_job(in_a_call(body), limits)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.TOO_MANY_PROCESSES, Ended.OUT_OF_TIME}
    assert not accepted(outcome, job)


TIME = {
    "spinning": "while True: pass",
    "sleeping": "time.sleep(3600)",
    "waiting for a lock": "lock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "one long operation": "return sum(range(10 ** 13))",
    "a regular expression": "import re\nre.match('(a+)+$', 'a' * 64 + 'b')",
    "stopping itself": "import signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "a pipe that nobody writes": "os.read(os.pipe()[0], 1)",
}


@pytest.mark.parametrize("body", TIME.values(), ids=TIME.keys())
def test_a_call_without_an_end_runs_out_of_time(hostile: Range, body: str) -> None:
    outcome = hostile.run(add_job(in_a_call(body), SHORT))
    assert outcome.ended is Ended.OUT_OF_TIME
    assert "text" not in passed(outcome)


@pytest.mark.parametrize(
    "code", [f"{ADD}while True: pass", f"{IGNORE_SIGNALS}{ADD}\nsignal.pause()\nwhile True: signal.pause()"],
    ids=["an import that loops", "an import that ignores every signal"],
)  # fmt: skip
def test_an_import_without_an_end_runs_out_of_time(hostile: Range, code: str) -> None:
    outcome = hostile.run(add_job(code, SHORT))
    assert outcome.ended is Ended.OUT_OF_TIME
    assert outcome.checks == ()


FLOODS = {
    "standard output": "while True: print('x' * 1000)",
    "standard error": "while True: sys.stderr.write('x' * 1000)",
    "descriptor 1": "while True: os.write(1, b'x' * 65536)",
    "descriptor 2": "while True: os.write(2, b'x' * 65536)",
    "a child's output": "os.system('yes')",
}


@pytest.mark.parametrize("body", FLOODS.values(), ids=FLOODS.keys())
def test_output_without_an_end_is_bounded_and_fails_the_submission(hostile: Range, body: str) -> None:
    """The captured file is bounded by the kernel; the flood is told at the end of the call, or time runs out."""
    job = add_job(in_a_call(body), SHORT)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.TOO_MUCH_OUTPUT, Ended.OUT_OF_TIME}
    assert not accepted(outcome, job)
    assert len(repr(outcome)) < 10_000


OWN_STREAMS = {
    "the box's standard output": "f = os.open('/proc/1/fd/1', os.O_WRONLY)\nwhile True: os.write(f, b'x' * 65536)",
    "the box's standard error": "f = os.open('/proc/1/fd/2', os.O_WRONLY)\nwhile True: os.write(f, b'x' * 65536)",
}


@pytest.mark.parametrize("body", OWN_STREAMS.values(), ids=OWN_STREAMS.keys())
def test_a_flood_through_the_box_s_own_streams_is_cut_off(hostile: Range, body: str) -> None:
    limits = Limits(wall_time=timedelta(seconds=30), memory_bytes=128 * MIB)
    outcome = hostile.run(add_job(in_a_call(body), limits))
    assert outcome.ended in {Ended.TOO_MUCH_OUTPUT, Ended.CRASHED, Ended.OUT_OF_TIME}
    assert "text" not in passed(outcome)


def test_what_is_printed_is_kept_only_so_far(hostile: Range) -> None:
    code = "print('x' * 900_000)\n" + ADD
    limits = Limits(wall_time=timedelta(seconds=60), memory_bytes=128 * MIB, output_bytes=1000)
    job = add_job(code, limits)
    outcome = hostile.run(job)
    assert accepted(outcome, job)
    assert outcome.output == "x" * 1000


PROBES = """
import errno, os, resource

def _refused(do):
    try:
        do()
    except OSError as error:
        return errno.errorcode[error.errno]
    except MemoryError:
        return "MemoryError"
    return "allowed"

def _fill(folder):
    try:
        for n in range(10_000):
            with open(f"{folder}/full{n}", "wb", buffering=0) as file:
                for _ in range(64):
                    file.write(b"x" * 65536)
    finally:
        for name in os.listdir(folder):
            if name.startswith("full"):
                os.unlink(f"{folder}/{name}")

def fills(folder):
    return _refused(lambda: _fill(folder))

def inodes():
    os.mkdir("/tmp/many")
    try:
        return _refused(lambda: [open(f"/tmp/many/{n}", "x").close() for n in range(5000)])
    finally:
        for name in os.listdir("/tmp/many"):
            os.unlink(f"/tmp/many/{name}")

def huge_file():
    def write():
        with open("/tmp/huge", "wb") as file:
            os.ftruncate(file.fileno(), 1 << 40)
    return _refused(write)

def descriptors():
    held = []
    try:
        return _refused(lambda: [held.append(os.open("/dev/null", os.O_RDONLY)) for _ in range(5000)])
    finally:
        for fd in held:
            os.close(fd)

def raise_limits():
    found = []
    for name in ("NPROC", "NOFILE", "FSIZE", "CORE", "MEMLOCK"):
        try:
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (1 << 40, 1 << 40))
            found.append(name)
        except (ValueError, OSError):
            pass
    return found

def priority():
    return [_refused(lambda: os.nice(-5)), _refused(lambda: os.sched_setscheduler(0, 1, os.sched_param(1)))]

def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value

def cyclic():
    value = []
    value.append(value)
    return value

def huge_number():
    return 10 ** 100_000

def not_finite():
    return float("nan")

def not_json():
    return {1, 2}

def long_text():
    return "x" * (8 << 20)

"""
RAISES = "type(solution.many([('{}',)])[0]).__name__ == 'SolutionError'"
CLAIMS = {
    "tmp_is_bounded": "solution.fills('/tmp') == 'ENOSPC'",
    "work_is_bounded": "solution.fills('/work') == 'ENOSPC'",
    "shm_is_bounded": "solution.fills('/dev/shm') == 'ENOSPC'",
    "inodes_are_bounded": "solution.inodes() == 'ENOSPC'",
    "a_huge_file_is_refused": "solution.huge_file() == 'EFBIG'",
    "descriptors_are_bounded": "solution.descriptors() == 'EMFILE'",
    "limits_cannot_be_raised": "solution.raise_limits() == []",
    "priority_cannot_be_raised": "set(solution.priority()) <= {'EPERM', 'EACCES'}",
    "a_deep_value_is_an_error": RAISES.format("deep"),
    "a_cyclic_value_is_an_error": RAISES.format("cyclic"),
    "a_huge_number_is_an_error": RAISES.format("huge_number"),
    "not_a_number_is_an_error": RAISES.format("not_finite"),
    "a_set_is_an_error": RAISES.format("not_json"),
}


def test_what_is_bounded_by_the_kernel_is_refused_and_the_program_goes_on(hostile: Range) -> None:
    job = probe_job(PROBES, CLAIMS, PATIENT)
    outcome = hostile.run(job)
    assert [(c.id, c.message) for c in outcome.checks if not c.passed] == []
    assert outcome.ended is Ended.COMPLETED


def test_an_answer_longer_than_a_line_may_be_is_a_crash(hostile: Range) -> None:
    job = probe_job(PROBES, {"long_text": "len(solution.long_text()) > 0"})
    outcome = hostile.run(job)
    assert outcome.ended is Ended.CRASHED
    assert passed(outcome) == set()


def test_a_program_that_reads_nothing_holds_nobody_up(hostile: Range) -> None:
    """The judge sends more than every buffer on the way holds, to a box that has stopped reading."""
    hidden = "def test_text(solution):\n    solution.add('', '')\n    solution.add('x' * 12_000_000, 'y')\n"
    code = (
        "import os, signal, threading\n"
        "def add(a, b):\n    threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGSTOP]).start()\n    return a\n"
    )
    job = add_job(code, SHORT, suite={"tests/hidden/test_hidden.py": hidden}, checks=(add_job("").checks[1],))
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.OUT_OF_TIME, Ended.CRASHED}
    assert not accepted(outcome, job)
