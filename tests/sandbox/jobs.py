"""Jobs for tests of the sandbox: small suites, short limits."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.job import Check, Job, Limits

ADD_VISIBLE = """
def test_small(solution):
    assert solution.add(1, 2) == 3
"""
ADD_HIDDEN = """
import pytest
from sandbox.judge import SolutionError

def test_large(solution, rng):
    a, b = rng.randrange(10**6), rng.randrange(10**6)
    assert solution.add(a, b) == a + b

def test_refuses_text(solution):
    with pytest.raises(SolutionError) as error:
        solution.add(1, "canary-7f3a")
    assert error.value.type == "TypeError"
"""
ADD_CHECKS = (
    Check(id="small", test="test_small", visible=True),
    Check(id="large", test="test_large"),
    Check(id="text", test="test_refuses_text"),
)
ADD = "def add(a, b):\n    return a + b\n"
SHORT = Limits(wall_time=timedelta(seconds=20))


def suite(visible: str = "", hidden: str = "", data: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a suite of two test modules and data files."""
    modules = {"tests/visible/test_visible.py": visible, "tests/hidden/test_hidden.py": hidden}
    return {name: text for name, text in modules.items() if text} | {
        f"data/{name}": text for name, text in (data or {}).items()
    }


def calls_job(code: str = ADD, **changes: Any) -> Job:
    """Return a job of kind calls that judges `add` in solution.py."""
    given: dict[str, Any] = {
        "id": f"test-{secrets.token_hex(4)}",
        "kind": "calls",
        "runtime": "python",
        "files": {"solution.py": code},
        "entry": "solution.py",
        "suite": suite(ADD_VISIBLE, ADD_HIDDEN),
        "checks": ADD_CHECKS,
        "limits": SHORT,
    }
    return Job(**(given | changes))


def http_job(code: str, hidden: str, *checks: str, **changes: Any) -> Job:
    """Return a job of kind http with a server in app.py; `checks` are the names of hidden test functions."""
    return calls_job(
        code,
        **{
            "kind": "http",
            "files": {"app.py": code},
            "entry": "app.py",
            "command": ("python3", "-u", "app.py"),
            "suite": suite(hidden=hidden),
            "checks": tuple(Check(id=name.removeprefix("test_"), test=name) for name in checks),
            **changes,
        },
    )


SUBJECT = {
    "correct_a": "def double(n):\n    return 2 * n\n",
    "correct_b": "def double(n):\n    return n + n\n",
    "bug_triple": "def double(n):\n    return 3 * n\n",
    "bug_small": "def double(n):\n    return 2 * n if n < 100 else n\n",
    "bug_zero": "def double(n):\n    return 2 * n or 1\n",
}
TESTS_OF_DOUBLE = """
from subject import double

def test_small():
    assert double(21) == 42

def test_large():
    assert double(1000) == 2000

def test_zero():
    assert double(0) == 0
"""
MUTATION_VISIBLE = """
def test_example(learner_tests):
    assert learner_tests.against("variants/correct_a.py").passed
    assert learner_tests.kills("variants/bug_triple.py")
"""
MUTATION_HIDDEN = """
def test_right(learner_tests):
    assert learner_tests.against("variants/correct_a.py").passed
    assert learner_tests.against("variants/correct_b.py").passed

def test_large(learner_tests):
    assert learner_tests.kills("variants/bug_small.py")

def test_zero(learner_tests):
    assert learner_tests.kills("variants/bug_zero.py")
"""
MUTATION_CHECKS = (
    Check(id="example", test="test_example", visible=True),
    Check(id="right", test="test_right"),
    Check(id="large", test="test_large"),
    Check(id="zero", test="test_zero"),
)


def mutation_job(tests: str = TESTS_OF_DOUBLE, variants: Mapping[str, str] | None = None, **changes: Any) -> Job:
    """Return a job of kind mutation: tests of `double` in test_double.py, judged by MUTATION_CHECKS."""
    texts = {f"variants/{name}.py": text for name, text in (variants or SUBJECT).items()}
    return calls_job(
        tests,
        **{
            "kind": "mutation",
            "runtime": "pytest",
            "files": {"test_double.py": tests},
            "entry": "test_double.py",
            "suite": suite(MUTATION_VISIBLE, MUTATION_HIDDEN) | texts,
            "checks": MUTATION_CHECKS,
            **changes,
        },
    )


def sql_job(text: str, hidden: str, *checks: str, schema: str = "", mode: str = "query", **changes: Any) -> Job:
    """Return a job of kind sql with a statement in query.sql; `checks` are the names of hidden test functions."""
    return calls_job(
        text,
        **{
            "kind": "sql",
            "runtime": "postgres",
            "files": {"query.sql": text},
            "entry": "query.sql",
            "mode": mode,
            "suite": suite(hidden=hidden, data={"schema.sql": schema}),
            "checks": tuple(Check(id=name.removeprefix("test_"), test=name) for name in checks),
            **changes,
        },
    )
