"""What outcomes mean."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.submissions.verdict import Verdict, decide
from sandbox.outcome import PLATFORM_FAULTS, CheckOutcome, Ended, Outcome

IDS = st.sampled_from(["a", "b", "c", "d"])
LIMITS = st.sampled_from(["", "time", "memory", "output", "crash", "unheard-of"])
CHECKS = st.builds(CheckOutcome, id=IDS, passed=st.booleans(), limit=LIMITS)
OUTCOMES = st.builds(Outcome, ended=st.sampled_from(Ended), checks=st.lists(CHECKS, max_size=6).map(tuple))
MANIFESTS = st.lists(IDS, unique=True)


def completed(*checks: CheckOutcome) -> Outcome:
    return Outcome(ended=Ended.COMPLETED, checks=checks)


def check(id: str, *, passed: bool = True, limit: str = "") -> CheckOutcome:
    return CheckOutcome(id=id, passed=passed, limit=limit)


@given(OUTCOMES, MANIFESTS)
def test_accepted_means_that_every_check_of_the_manifest_passed_exactly_once(
    outcome: Outcome, manifest: list[str]
) -> None:
    flawless = (
        outcome.ended is Ended.COMPLETED
        and bool(manifest)
        and Counter(c.id for c in outcome.checks) == Counter(manifest)
        and all(c.passed and not c.limit for c in outcome.checks)
    )
    assert (decide(outcome, manifest) is Verdict.ACCEPTED) == flawless


@given(OUTCOMES, MANIFESTS)
def test_a_platform_fault_is_always_a_judge_error(outcome: Outcome, manifest: list[str]) -> None:
    if outcome.ended in PLATFORM_FAULTS:
        assert decide(outcome, manifest) is Verdict.JUDGE_ERROR


@given(OUTCOMES, MANIFESTS)
def test_a_learners_fault_is_never_a_judge_error(outcome: Outcome, manifest: list[str]) -> None:
    if outcome.ended not in PLATFORM_FAULTS | {Ended.COMPLETED}:
        assert decide(outcome, manifest) not in {Verdict.JUDGE_ERROR, Verdict.ACCEPTED}


@given(st.lists(CHECKS, max_size=6), MANIFESTS)
def test_the_order_of_the_reports_does_not_matter(checks: list[CheckOutcome], manifest: list[str]) -> None:
    assert decide(completed(*checks), manifest) is decide(completed(*reversed(checks)), manifest[::-1])


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (Ended.NOT_LOADED, Verdict.COMPILE_ERROR),
        (Ended.CRASHED, Verdict.RUNTIME_ERROR),
        (Ended.TOO_MANY_PROCESSES, Verdict.RUNTIME_ERROR),
        (Ended.OUT_OF_TIME, Verdict.TIME_LIMIT),
        (Ended.OUT_OF_MEMORY, Verdict.MEMORY_LIMIT),
        (Ended.TOO_MUCH_OUTPUT, Verdict.OUTPUT_LIMIT),
    ],
)
def test_how_a_program_ended_decides_even_if_all_checks_passed(ended: Ended, verdict: Verdict) -> None:
    assert decide(Outcome(ended=ended, checks=(check("a"),)), ["a"]) is verdict


def test_a_missing_check_is_the_judges_fault() -> None:
    assert decide(completed(check("a")), ["a", "b"]) is Verdict.JUDGE_ERROR


def test_a_check_reported_twice_is_the_judges_fault() -> None:
    assert decide(completed(check("a"), check("a")), ["a"]) is Verdict.JUDGE_ERROR


def test_a_check_that_nobody_asked_for_is_the_judges_fault() -> None:
    assert decide(completed(check("a"), check("x")), ["a"]) is Verdict.JUDGE_ERROR


def test_nothing_to_check_is_never_accepted() -> None:
    assert decide(completed(), []) is Verdict.JUDGE_ERROR


def test_one_failed_check_is_a_wrong_answer() -> None:
    assert decide(completed(check("a"), check("b", passed=False)), ["a", "b"]) is Verdict.WRONG_ANSWER


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        ("time", Verdict.TIME_LIMIT),
        ("memory", Verdict.MEMORY_LIMIT),
        ("output", Verdict.OUTPUT_LIMIT),
        ("crash", Verdict.RUNTIME_ERROR),
    ],
)
def test_checks_that_all_failed_by_one_limit_name_it(limit: str, verdict: Verdict) -> None:
    failed = [check(id, passed=False, limit=limit) for id in "ab"]
    assert decide(completed(*failed, check("c")), ["a", "b", "c"]) is verdict


def test_different_limits_are_a_wrong_answer() -> None:
    failed = [check("a", passed=False, limit="time"), check("b", passed=False)]
    assert decide(completed(*failed), ["a", "b"]) is Verdict.WRONG_ANSWER


def test_a_check_that_passed_but_hit_a_limit_has_not_passed() -> None:
    assert decide(completed(check("a", limit="memory")), ["a"]) is Verdict.MEMORY_LIMIT
