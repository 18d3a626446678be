"""Kind calls: no submission can forge a reply, a verdict or a check, or carry a hidden input out."""

from __future__ import annotations

import pytest

from sandbox.outcome import Ended
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import PATIENT, SHORT, accepted, add_job, passed

# Finds the driver's channel among the open descriptors, as code beside the driver can.
FIND = """
import json, os, stat, sys
def writable(fd):
    with open(f"/proc/self/fdinfo/{fd}") as info:
        return int(info.read().split("flags:")[1].split()[0], 8) & 3 in (1, 2)
def channel(fd):
    mode = os.stat(fd).st_mode
    return (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and writable(fd)
OUT = [fd for fd in range(3, 32) if os.path.exists(f"/proc/self/fd/{fd}") and channel(fd)][0]
def say(line):
    os.write(OUT, line + b"\\n")
def forge(value):
    frame = sys._getframe()
    while frame is not None and "message" not in frame.f_locals:
        frame = frame.f_back
    call = frame.f_locals["message"]["id"]
    return call, json.dumps({"id": call, "results": [{"value": value}], "out": "", "flood": False}).encode()
"""
WRONG = "def add(a, b):\n    return 0\n"


def attack(body: str) -> str:
    """Return a module whose `add` does `body` on hidden text and is right otherwise."""
    lines = "".join(f"        {line}\n" for line in body.strip().splitlines())
    return f"{FIND}\ndef add(a, b):\n    if isinstance(a, str):\n{lines}    return a + b\n"


DISTURBING = {
    "a reply with an id that was guessed": """say(b'{"id":"00","results":[{"value":1}],"out":"","flood":false}')""",
    "a line that nobody asked for": """say(b'{"hello":1}')""",
    "two answers to one question": "call, line = forge(a + b)\nsay(line)\nsay(line)",
    "duplicate keys": """call, line = forge(a + b)\nsay(b'{"id":"x",' + line[1:])""",
    "not a number": """call, line = forge(1)\nsay(line.replace(b'"value": 1', b'"value": NaN'))""",
    "infinity by its digits": """call, line = forge(1)\nsay(line.replace(b'"value": 1', b'"value": 1e999'))""",
    "an extra field": """call, line = forge(a + b)\nsay(line[:-1] + b', "passed": true}')""",
    "a missing result": """call, line = forge(1)\nsay(line.replace(b'[{"value": 1}]', b'[]'))""",
    "one result too many": """call, line = forge(1)\nsay(line.replace(b'[{', b'[{"value": 1}, {'))""",
    "a result of no known shape": """call, line = forge(1)\nsay(line.replace(b'"value"', b'"passed"'))""",
    "the judge's own last frame": """say(b'{"type":"end","nonce":"00","ended":"completed","checks":[]}')""",
    "a second loaded": """say(b'{"type":"loaded","out":""}')""",
    "a control frame of the worker": """os.write(OUT, b'\\x00\\x00\\x00\\x00\\x10{"type":"ready"}\\n')""",
    "UTF-16": """call, line = forge(a + b)\nos.write(OUT, line.decode().encode("utf-16-le") + b"\\n")""",
    "an array": "say(b'[]')",
    "an empty line": "say(b'')",
    "nesting beyond the cap": """call, line = forge(1)\nsay(line.replace(b'1', b'[' * 300 + b']' * 300))""",
    "a closed channel": "os.close(OUT)",
    "a channel turned to nothing": "os.dup2(os.open('/dev/null', os.O_WRONLY), OUT)\nos._exit(0)",
    "exit status 0": "os._exit(0)",
    "death of all it can kill": "try: os.kill(-1, 9)\nexcept OSError: pass\nos.kill(os.getpid(), 9)",
    "an exception that exits when it is told": (
        "class Loud(Exception):\n    def __str__(self): os._exit(0)\nraise Loud"
    ),
    "a wild jump": "import ctypes\nctypes.string_at(0)",
    "a new program in its place": "os.execv('/bin/true', ['true'])",
}


@pytest.mark.parametrize("body", DISTURBING.values(), ids=DISTURBING.keys())
def test_whoever_disturbs_the_channel_has_crashed(either: Range, body: str) -> None:
    job = add_job(attack(body))
    outcome = either.run(job)
    assert outcome.ended is Ended.CRASHED
    assert not accepted(outcome, job)
    assert "small" in passed(outcome)  # what was judged before stays judged


AT_IMPORT = {
    "loaded, before it is": 'say(b\'{"type":"loaded","out":""}\')',
    "a type that is a list": 'say(b\'{"type":[],"out":""}\')',
    "a type that is an object": "say(b'{\"type\":{}}')",
    "a second greeting": 'say(b\'{"type":"up"}\')',
    "an end": 'say(b\'{"type":"end","ended":"completed"}\')',
    "garbage": "say(b'\\xff\\xfe\\x00')",
    "an exit": "raise SystemExit(0)",
    "an exit without a word": "os._exit(0)",
}


@pytest.mark.parametrize("body", AT_IMPORT.values(), ids=AT_IMPORT.keys())
def test_whoever_disturbs_the_channel_while_it_loads_has_crashed(either: Range, body: str) -> None:
    job = add_job(f"{FIND}\n{body}\ndef add(a, b):\n    return a + b\n")
    outcome = either.run(job)
    assert outcome.ended is Ended.CRASHED
    assert not accepted(outcome, job)


CHEATS = {
    "a reply forged before the driver's": f"{FIND}\ndef add(a, b):\n    say(forge(0)[1])\n    os._exit(0)\n",
    "json replaced": (
        "import json\nold = json.dumps\n"
        "json.dumps = lambda o, **k: old(o | {'passed': True} if isinstance(o, dict) else o, **k)\n" + WRONG
    ),
    "output that looks like a verdict": (
        'print(\'{"type":"end","ended":"completed"}\', flush=True)\n'
        "def add(a, b):\n    print('3 passed in 0.01s')\n    return 0\n"
    ),
    "standard output replaced": "import sys, io\nsys.stdout = io.StringIO()\nsys.exit = print\n" + WRONG,
    "an atexit that exits with 0": "import atexit, os\natexit.register(os._exit, 0)\n" + WRONG,
    "an object that equals everything": (
        "class Yes:\n    __class__ = int\n    def __eq__(self, other): return True\n"
        "    def __hash__(self): return 1\ndef add(a, b):\n    return Yes()\n"
    ),
    "a number that prints as another": (
        "class Three(int):\n    def __repr__(self): return '3'\n    __str__ = __eq__ = __repr__\n"
        "def add(a, b):\n    return Three(7)\n"
    ),
    "text that equals everything": (
        "class Yes(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
        "def add(a, b):\n    return Yes('x')\n"
    ),
    "an exception named like ours": (
        "class LimitHit(Exception): pass\nclass Refused(Exception): pass\nclass Skipped(Exception): pass\n"
        "def add(a, b):\n    raise (LimitHit if a == 1 else Skipped)('passed')\n"
    ),
    "a reply patched on its way": (
        "import sys\nsys.path.insert(0, '/opt/greenroom')\nimport box\nold = box.Channel.send\n"
        "def send(self, m):\n    if 'results' in m: m = m | {'results': [{'value': True}]}\n    old(self, m)\n"
        "box.Channel.send = send\n" + WRONG
    ),
}


@pytest.mark.parametrize("code", CHEATS.values(), ids=CHEATS.keys())
def test_no_cheat_passes_a_check(hostile: Range, code: str) -> None:
    job = add_job(code)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.COMPLETED, Ended.CRASHED}
    assert passed(outcome) == set()
    assert not accepted(outcome, job)


LEAKS = {
    "printed": "print(a, flush=True)\nreturn 0",
    "written to standard error": "import sys\nsys.stderr.write(a)\nreturn 0",
    "in an exception": "raise ValueError(a)",
    "in the name of an exception": "raise type(a, (Exception,), {})(a)",
    "as the answer": "return a",
    "as a key": "return {a: a}",
    "remembered for later checks": "global kept\nkept = a\nreturn 0",
    "as the name of a file": "open('/tmp/' + a, 'w').write(a)\nreturn 0",
    "printed before it dies": "print(a, flush=True)\nos._exit(0)",
    "in a crash": "sys.setrecursionlimit(10**9)\nraise SystemExit(a)",
    "as a message of the driver": "say(json.dumps({'type': 'crashed', 'detail': a, 'out': a}).encode())\nreturn a",
    "as the flood's beginning": "print(a * 200_000, flush=True)\nreturn 0",
}


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS.keys())
def test_a_hidden_input_stays_hidden_whatever_is_done_with_it(hostile: Range, body: str) -> None:
    code = attack(body).replace("    return a + b", "    print(globals().get('kept'))\n    return a + b")
    job = add_job(code)
    outcome = hostile.run(job)  # looks for the canary in all of it
    assert outcome.ended in {Ended.COMPLETED, Ended.CRASHED, Ended.TOO_MUCH_OUTPUT}
    assert "text" not in passed(outcome)
    hidden = [check for check in outcome.checks if check.id != "small"]
    assert all(not (c.message or c.steps or c.expected or c.actual or c.output) for c in hidden)


def test_what_is_known_of_a_hidden_input_does_not_reach_a_restarted_program_s_crash(hostile: Range) -> None:
    hidden = """
def test_text(solution):
    solution.add("canary-91c4e7", "")
    solution.restart()
"""
    code = (
        "import os\nif os.path.exists('/tmp/kept'):\n    raise ValueError(open('/tmp/kept').read())\n"
        "def add(a, b):\n    open('/tmp/kept', 'w').write(str(a))\n    return a + b\n"
    )
    job = add_job(code, suite={"tests/hidden/test_hidden.py": hidden}, checks=(add_job("").checks[1],))
    outcome = hostile.run(job)
    assert outcome.ended is Ended.CRASHED
    assert (outcome.detail, outcome.output) == ("", "")


def test_the_driver_s_frames_hold_no_hidden_expectation_and_no_nonce(hostile: Range) -> None:
    code = """
import gc, json, sys
def texts():
    found = []
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list)):
            try: found.append(repr(thing)[:100_000])
            except Exception: pass
    frame = sys._getframe()
    while frame: found.append(repr(frame.f_locals)); frame = frame.f_back
    return " ".join(found)
def add(a, b):
    seen = texts()
    if "-tail-of-" + "the-expectation" in seen or "non" + "ce" in json.dumps(sys.argv):
        return "found"
    return a + b
"""
    hidden = """
def test_text(solution):
    assert solution.add("a", "b") == "ab", "-tail-of-the-expectation"
"""
    job = add_job(code, suite={"tests/hidden/test_hidden.py": hidden}, checks=(add_job("").checks[1],))
    assert accepted(hostile.run(job), job)


def test_changing_the_arguments_changes_nothing_for_the_judge(hostile: Range) -> None:
    hidden = """
def test_text(solution):
    given = [3, 1, 2]
    assert solution.add(given, [0]) == [1, 2, 3, 0]
    assert given == [3, 1, 2]
"""
    code = "def add(a, b):\n    a.sort()\n    result = a + b\n    a.clear()\n    return result\n"
    job = add_job(code, suite={"tests/hidden/test_hidden.py": hidden}, checks=(add_job("").checks[1],))
    assert accepted(hostile.run(job), job)


def test_a_program_that_hangs_or_dies_after_its_last_answer_changes_no_verdict(hostile: Range) -> None:
    code = """
import atexit, threading, time, os
atexit.register(time.sleep, 3600)
count = 0
def add(a, b):
    global count
    count += 1
    if count == 3:
        threading.Timer(0.05, os._exit, [9]).start()
        threading.Thread(target=time.sleep, args=[3600]).start()
    return a + b
"""
    job = add_job(code, PATIENT)
    assert accepted(hostile.run(job), job)


def test_a_program_that_answers_nothing_runs_out_of_time(hostile: Range) -> None:
    outcome = hostile.run(add_job(attack("import time\nwhile True: time.sleep(60)"), SHORT))
    assert outcome.ended is Ended.OUT_OF_TIME
    assert "text" not in passed(outcome)


def test_text_that_no_database_or_terminal_can_hold_does_not_break_the_judge(hostile: Range) -> None:
    code = r"""
def add(a, b):
    print("\x1b[2J\x00\x07")
    return "\ud800\x00\x1b]0;title\x07" if a == 1 else a + b
"""
    outcome = hostile.run(add_job(code))
    assert outcome.ended is Ended.COMPLETED
    assert passed(outcome) == {"text", "large"}


@pytest.mark.parametrize("bomb", ["[0.5] * 1_000_000", "[[]] * 1_300_000", "'\\n' * 2_000_000", "[{'a': 1}] * 500_000"])
def test_a_huge_answer_is_the_submission_s_fault_and_never_the_judge_s(hostile: Range, bomb: str) -> None:
    job = add_job(f"def add(a, b):\n    return {bomb}\n")
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.COMPLETED, Ended.CRASHED, Ended.OUT_OF_TIME, Ended.OUT_OF_MEMORY}
    assert passed(outcome) == set()


@pytest.mark.parametrize("line", ["b'{}'", "b'{\"a\":' + b'[' * 150 + b']' * 150 + b'}'", "b'x' * 1_000_000"])
def test_a_flood_of_lines_is_the_submission_s_fault_and_never_the_judge_s(hostile: Range, line: str) -> None:
    flood = f"block = ({line} + b'\\n') * (2_000_000 // len({line}))\nwhile True: os.write(OUT, block)"
    outcome = hostile.run(add_job(attack(flood), SHORT))
    assert outcome.ended in {Ended.CRASHED, Ended.TOO_MUCH_OUTPUT, Ended.OUT_OF_TIME}
    assert "text" not in passed(outcome)
