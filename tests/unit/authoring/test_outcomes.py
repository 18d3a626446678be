"""Outcomes come back from the database as they went in."""

from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.authoring.outcomes import LONGEST, outcome_as_json, outcome_from_json, told_as_text, told_from_text
from sandbox.outcome import CheckOutcome, Ended, Outcome

words = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=30)
checks = st.builds(
    CheckOutcome,
    id=words,
    passed=st.booleans(),
    limit=st.sampled_from(["", "time", "memory", "output", "crash"]),
    message=words,
    steps=st.lists(words, max_size=3).map(tuple),
    expected=words,
    actual=words,
    output=words,
)
spans = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=1))
outcomes = st.builds(
    Outcome,
    ended=st.sampled_from(Ended),
    checks=st.lists(checks, max_size=3).map(tuple),
    detail=words,
    output=words,
    reason=words,
    wall_time=spans,
    cpu_time=spans,
    max_memory_bytes=st.integers(min_value=0, max_value=2**40),
)


@given(outcomes)
def test_an_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    assert outcome_from_json(json.loads(json.dumps(outcome_as_json(outcome)))) == outcome


@given(st.lists(checks, max_size=3))
def test_what_tests_said_comes_back_as_it_was(said: list[CheckOutcome]) -> None:
    assert told_from_text(told_as_text(said)) == tuple(said)


def test_a_run_that_was_not_told_says_nothing() -> None:
    assert told_from_text("") == ()


def test_what_no_database_takes_is_dropped_and_what_is_endless_is_cut() -> None:
    hostile = CheckOutcome(id="a", passed=False, message="\ud800\0\x1b[31mred" + "x" * 10**6)
    (kept,) = told_from_text(told_as_text([hostile]))
    assert kept.message.startswith("[31mredx") and len(kept.message) < LONGEST + 20
    assert outcome_from_json(outcome_as_json(Outcome(ended=Ended.CRASHED, detail="a\0\ud800b"))).detail == "ab"
