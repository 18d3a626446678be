"""Suites that hostile submissions are judged by. Their hidden inputs hold CANARY, which must never come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.job import MIB, Check, Job, Limits
from sandbox.outcome import Ended, Outcome
from tests.sandbox.jobs import ADD, calls_job, suite

CANARY = "canary-91c4e7"
PATIENT = Limits(wall_time=timedelta(seconds=60), memory_bytes=128 * MIB)  # for what must come to its end
SHORT = Limits(wall_time=timedelta(seconds=6), memory_bytes=128 * MIB)  # for what runs into a limit

SEED = 1  # draws the order small, text, large: what is done on hidden text has a check after it

VISIBLE = """
def test_small(solution):
    assert solution.add(1, 2) == 3
"""
HIDDEN = f"""
def test_text(solution):
    assert solution.add("{CANARY}", "-tail") == "{CANARY}-tail", "{CANARY}"

def test_large(solution, rng):
    a, b = rng.randrange(10**6), rng.randrange(10**6)
    assert solution.add(a, b) == a + b
"""
CHECKS = (
    Check(id="small", test="test_small", visible=True),
    Check(id="text", test="test_text"),
    Check(id="large", test="test_large"),
)


def add_job(code: str, limits: Limits = PATIENT, **changes: Any) -> Job:
    """Return a job that judges `add` by one visible and two hidden checks."""
    given: dict[str, Any] = {"suite": suite(VISIBLE, HIDDEN), "checks": CHECKS, "limits": limits, "seed": SEED}
    return calls_job(code, **(given | changes))


def probe_job(code: str, probes: Mapping[str, str], limits: Limits = PATIENT, **changes: Any) -> Job:
    """Return a job with one visible check per probe: an expression over `solution` that must be true."""
    tests = "".join(f"def test_{name}(solution):\n    assert {claim}\n" for name, claim in probes.items())
    checks = tuple(Check(id=name, test=f"test_{name}", visible=True) for name in probes)
    given: dict[str, Any] = {"suite": suite(tests), "checks": checks, "limits": limits}
    return calls_job(code + ADD, **(given | changes))


def passed(outcome: Outcome) -> set[str]:
    """Return the ids of the checks that passed."""
    return {check.id for check in outcome.checks if check.passed and not check.limit}


def accepted(outcome: Outcome, job: Job) -> bool:
    """Return whether `outcome` means accepted: completed, and every check of the manifest passed once."""
    reported = sorted(check.id for check in outcome.checks)
    return (
        outcome.ended is Ended.COMPLETED
        and reported == sorted(check.id for check in job.checks)
        and passed(outcome) == set(reported)
    )
