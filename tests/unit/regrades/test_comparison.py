"""What becomes of submissions, and of whom it makes a solver or none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.regrades.comparison import (
    CHANGED,
    LEFT_OUT,
    Change,
    CheckChange,
    Compared,
    counts,
    most_telling_first,
    solvers,
    unfit,
)
from app.submissions.verdict import Verdict

TURNED = CheckChange(id="big", before=False, after=True)


def compared(before: str, after: str | None, **more: Any) -> Compared:
    known = {"submission_id": 1, "learner_id": 1, "learner": "Lena", "why_not": "", "checks": ()}
    return Compared(before=before, after=after, **{**known, **more})


@pytest.mark.parametrize(
    ("before", "after", "more", "change"),
    [
        ("accepted", "wrong answer", {}, Change.LOSES),
        ("accepted", "time limit", {}, Change.LOSES),
        ("wrong answer", "accepted", {}, Change.GAINS),
        ("wrong answer", "time limit", {}, Change.VERDICT),
        ("wrong answer", "wrong answer", {"checks": (TURNED,)}, Change.CHECKS),
        ("wrong answer", "wrong answer", {}, Change.SAME),
        ("accepted", "judge error", {"checks": (TURNED,)}, Change.NOT_JUDGED),
        ("accepted", None, {}, Change.NOT_JUDGED),
        ("accepted", None, {"why_not": "Other files."}, Change.UNFIT),
    ],
)
def test_what_becomes_of_a_submission(before: str, after: str | None, more: dict[str, Any], change: Change) -> None:
    assert compared(before, after, **more).change is change


def test_what_tells_most_comes_first() -> None:
    rows = [
        compared("accepted", "accepted", learner="Anna"),
        compared("wrong answer", "accepted", learner="Zoe"),
        compared("accepted", "wrong answer", learner="olaf"),
        compared("accepted", "wrong answer", learner="Lena"),
        compared("accepted", None),
    ]
    assert [(one.change, one.learner) for one in most_telling_first(rows)] == [
        (Change.LOSES, "Lena"),
        (Change.LOSES, "olaf"),
        (Change.GAINS, "Zoe"),
        (Change.NOT_JUDGED, "Lena"),
        (Change.SAME, "Anna"),
    ]


def test_another_accepted_submission_keeps_an_exercise_solved() -> None:
    lost = compared("accepted", "wrong answer", submission_id=1, learner_id=7)
    assert solvers({1: 7}, [lost]).lost == {7}
    assert solvers({1: 7, 2: 7}, [lost]).lost == set()
    kept = compared("accepted", "accepted", submission_id=2, learner_id=7)
    assert solvers({1: 7, 2: 7}, [lost, kept]).lost == set()
    both = [lost, compared("accepted", "time limit", submission_id=2, learner_id=7)]
    assert solvers({1: 7, 2: 7}, both).lost == {7}


def test_who_gains_is_new_only_where_nothing_was_accepted() -> None:
    gains = compared("wrong answer", "accepted", submission_id=3, learner_id=8)
    assert solvers({}, [gains]).gained == {8}
    assert solvers({9: 8}, [gains]).gained == set()


def test_files_and_language_must_be_those_that_the_revision_asks_for() -> None:
    assert unfit(language="python", before=["a.py", "b.py"], after=["b.py", "a.py"]) == ""
    assert "a.py, c.py" in unfit(language="python", before=["a.py"], after=["a.py", "c.py"])
    assert "cobol" in unfit(language="cobol", before=["a.cob"], after=None)


ROWS = st.lists(
    st.builds(
        Compared,
        submission_id=st.integers(1, 12),
        learner_id=st.integers(1, 4),
        learner=st.just("Lena"),
        before=st.sampled_from([each.value for each in Verdict if each is not Verdict.JUDGE_ERROR]),
        after=st.none() | st.sampled_from([each.value for each in Verdict]),
        why_not=st.sampled_from(["", "Other files."]),
        checks=st.sampled_from([(), (TURNED,)]),
    ),
    unique_by=lambda one: one.submission_id,
)


@given(ROWS)
def test_every_submission_is_counted_once_and_only_what_was_judged_takes_over(rows: list[Compared]) -> None:
    found = counts(rows)
    assert sum(found.values()) == len(rows)
    assert set(found) == CHANGED | LEFT_OUT | {Change.SAME}
    for one in rows:
        assert one.takes_over == (not one.why_not and one.after not in {None, Verdict.JUDGE_ERROR})


@given(ROWS)
def test_solvers_are_those_that_applying_would_leave(rows: list[Compared]) -> None:
    accepted = {one.submission_id: one.learner_id for one in rows if one.before == Verdict.ACCEPTED}
    applied = {
        one.submission_id: one.learner_id
        for one in rows
        if (one.after if one.takes_over else one.before) == Verdict.ACCEPTED
    }
    found = solvers(accepted, rows)
    assert set(accepted.values()) - found.lost | found.gained == set(applied.values())
