"""Learners' tests on variants: who kills what, in which order they run, and what a variant may do to the judge."""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.judge.mutation import ODDS, Result, Run, parse_report, schedule
from sandbox.judge.variant import Variant, VariantBroken, interface_of

DOUBLE = "def double(n):\n    return 2 * n\n"
COUNTER = """
class Counter:
    def __init__(self, start=0):
        self.value = start
    def add(self, n):
        self.value += n
        return self.value
    def again(self):
        return Counter(self.value)
    def _secret(self):
        return 1
"""


def variant(text: str) -> Variant:
    return Variant("variants/correct_a.py", text, interface_of([text]))


def ask(program: Variant, op: str, name: str, *args: object, seconds: float = 10, **more: object) -> dict[str, object]:
    question = {"op": op, "name": name, "args": list(args), "kwargs": {}, **more}
    answer: dict[str, object] = json.loads(program.ask(question, seconds))
    return answer


def run(broken: str = "", tests: int = 1, **functions: str) -> Run:
    return Run(tests=tests, functions=functions, broken=broken)


# The order of runs


@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 2**63))
def test_every_variant_has_its_run_and_right_ones_a_second(right: int, wrong: int, seed: int) -> None:
    names = [f"variants/correct_{n}.py" for n in range(right)] + [f"variants/bug_{n}.py" for n in range(wrong)]
    counts = Counter(schedule(names, seed))
    assert set(counts) == set(names)
    assert all(count >= 2 for name, count in counts.items() if "correct" in name)


@given(st.integers(2, 4), st.integers(3, 12), st.integers(0, 2**63))
def test_whoever_guesses_which_runs_are_right_is_hardly_ever_right(right: int, wrong: int, seed: int) -> None:
    names = [f"variants/correct_{n}.py" for n in range(right)] + [f"variants/bug_{n}.py" for n in range(wrong)]
    order = schedule(names, seed)
    assert math.comb(len(order), sum("bug" in name for name in order)) >= ODDS
    assert schedule(names, seed) == order


def test_the_order_is_drawn_from_the_seed() -> None:
    names = [f"variants/{name}.py" for name in ("correct_a", "correct_b", "bug_a", "bug_b", "bug_c")]
    assert len({tuple(schedule(names, seed)) for seed in range(50)}) > 45


# What a run says


@pytest.mark.parametrize(
    ("found", "passed", "failed"),
    [
        (run(a="passed"), True, False),
        (run(a="passed", b="skipped"), True, False),
        (run(a="passed", b="failed"), False, True),
        (run(a="skipped"), False, False),
        (run(tests=0), False, False),
        (run(tests=0, a="passed"), False, False),
        (run(broken="no", a="passed"), False, False),
        (run(broken="no", a="failed"), False, False),
    ],
)
def test_a_suite_that_runs_no_test_neither_passes_nor_fails(found: Run, passed: bool, failed: bool) -> None:
    assert (found.passed, found.failed) == (passed, failed)


def test_a_suite_that_says_now_this_now_that_neither_passes_nor_fails() -> None:
    found = Result([run(a="passed"), run(a="failed")])
    assert not found.passed and not found.failed
    assert found.held() == set()
    assert Result([]).held() == set()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"tests": true, "functions": {}, "broken": ""}',
        '{"tests": 1, "functions": [], "broken": ""}',
        '{"tests": 1, "functions": {"a": "passed"}, "broken": 1}',
        "[" * 1000,
        '{"tests": 1e400}',
    ],
)
def test_a_report_that_makes_no_sense_is_a_broken_run(text: str) -> None:
    found = parse_report(text)
    assert found.broken and not found.passed and not found.failed


def test_of_a_report_only_known_words_count() -> None:
    found = parse_report('{"tests": 2, "functions": {"a": "passed", "b": "perfect", "c": ["passed"]}, "broken": ""}')
    assert found.functions == {"a": "passed"}


# Variants


def test_an_interface_is_what_all_variants_share() -> None:
    own = "import re\nfrom math import floor\ndef f(): ...\ndef g(): ...\ndef _h(): ...\n"
    first = own + "class C:\n  def m(self): ...\n  def n(self): ...\n"
    other = "def f(): ...\nasync def g(): ...\n@dataclass\nclass D: ...\n"
    second = other + "class C:\n  def m(self): ...\n  def _p(self): ...\n"
    assert interface_of([first, second]) == {"functions": ["f"], "classes": {"C": ["m"]}}
    assert interface_of([]) == {"functions": [], "classes": {}}
    with pytest.raises(VariantBroken, match="not Python"):
        interface_of(["def f(:\n"])


def test_a_variant_answers() -> None:
    with variant(DOUBLE) as program:
        assert ask(program, "call", "double", 21) == {"value": 42}
        assert ask(program, "call", "double", "ab") == {"value": "abab"}


def test_a_variant_s_errors_cross_by_the_nearest_builtin_name() -> None:
    text = (
        "class Own(KeyError): pass\n"
        "def own(): raise Own('which')\ndef two(): raise ValueError('a', 'b')\ndef out(): raise SystemExit(3)\n"
    )
    with variant(text) as program:
        assert ask(program, "call", "own") == {"error": {"type": "KeyError", "message": "which"}}
        assert ask(program, "call", "two") == {"error": {"type": "ValueError", "message": "('a', 'b')"}}
        assert ask(program, "call", "out")["error"] == {"type": "RuntimeError", "message": "3"}
        wrong = ask(program, "call", "own", 1)["error"]
        assert isinstance(wrong, dict) and wrong["type"] == "TypeError"


def test_dataclasses_come_back_as_their_fields() -> None:
    text = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int\ndef point(): return Point(3)\n"
    with variant(text) as program:
        assert ask(program, "call", "point") == {"record": "Point", "fields": {"x": 3}}


def test_objects_stay_with_the_variant() -> None:
    with variant(COUNTER) as program:
        assert ask(program, "new", "Counter", 5) == {"ref": 0, "class": "Counter"}
        assert ask(program, "method", "add", 2, ref=0) == {"value": 7}
        assert ask(program, "get", "value", ref=0) == {"value": 7}
        assert ask(program, "method", "again", ref=0) == {"ref": 1, "class": "Counter"}


@pytest.mark.parametrize(
    ("op", "name", "ref"),
    [("call", "eval", 0), ("call", "_hidden", 0), ("call", "Counter", 0), ("new", "double", 0), ("call", "os", 0),
     ("method", "_secret", 0), ("get", "__class__", 0), ("get", "value", 7), ("get", "value", -1)],
)  # fmt: skip
def test_nothing_but_the_interface_can_be_reached(op: str, name: str, ref: int) -> None:
    text = f"import os\n{DOUBLE}{COUNTER}def _hidden(): return 1\n"
    with variant(text) as program:
        ask(program, "new", "Counter")
        error = ask(program, op, name, ref=ref)["error"]
        assert isinstance(error, dict) and error["type"] == "AttributeError"


@pytest.mark.parametrize("value", ["{1, 2}", "object()", "float('nan')", "b'x'", "10**5000", "'x' * 2_000_000"])
def test_what_json_cannot_hold_is_an_error(value: str) -> None:
    with variant(f"def f(): return {value}\n") as program:
        assert "error" in ask(program, "call", "f")
        assert "error" in ask(program, "call", "f")  # and it goes on


def test_a_variant_that_hangs_is_ended_and_says_so_from_then_on() -> None:
    with variant("def f():\n    while True: pass\ndef g(): return 1\n") as program:
        assert ask(program, "call", "g") == {"value": 1}
        for name in ("f", "g"):
            error = ask(program, "call", name, seconds=0.2)["error"]
            assert error == {"type": "TimeoutError", "message": "the program under test did not come to an end"}


@pytest.mark.parametrize(
    "body", ["import os; os._exit(0)", "return bytearray(10**9)", "return [0] * 10**9", "return f()"]
)
def test_a_variant_that_dies_or_takes_too_much_is_an_error_of_the_call(body: str) -> None:
    with variant(f"def f():\n    {body}\n") as program:
        assert "error" in ask(program, "call", "f")


@pytest.mark.parametrize("text", ["raise ValueError('at once')", "import nothing_of_this_name", "raise SystemExit(0)"])
def test_a_variant_that_cannot_be_loaded_is_its_author_s_fault(text: str) -> None:
    with pytest.raises(VariantBroken):
        variant(text)


def test_a_variant_has_no_line_of_the_judge_s() -> None:
    text = """
import os
def lines():
    return [number for number in range(3, 64) if _open(number)]
def _open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
"""
    with variant(text) as program:
        found = ask(program, "call", "lines")["value"]
        assert isinstance(found, list) and len(found) == 1  # its own
