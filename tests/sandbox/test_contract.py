"""What anything that runs jobs must do: the real sandbox and its scripted twin pass the same tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.errors import JobRefused
from sandbox.fake_box import FakeBox, all_pass
from sandbox.job import Check, Job
from sandbox.outcome import CheckOutcome, Ended, Event, Outcome
from sandbox.sandbox import Sandbox
from tests.sandbox.jobs import ADD, calls_job

Box = Callable[[Outcome | None], Sandbox]


@pytest.fixture(params=["docker", "cold", "spliced", "fake"])
def box_for(request: pytest.FixtureRequest) -> Box:
    """Make a sandbox; the outcome given is what the twin is told to answer where the real one finds it by itself."""
    if request.param != "fake":
        real = request.getfixturevalue(f"{request.param}_box")
        return lambda _scripted: real
    return lambda scripted: FakeBox(all_pass if scripted is None else lambda _job: scripted)


def outcomes(job: Job, passed: set[str]) -> tuple[CheckOutcome, ...]:
    return tuple(CheckOutcome(id=c.id, passed=c.id in passed) for c in job.checks)


def test_a_right_submission_completes_with_every_check_of_the_manifest_passed_once(box_for: Box) -> None:
    job = calls_job(ADD)
    outcome = box_for(None).run(job, lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert sorted(c.id for c in outcome.checks) == sorted(c.id for c in job.checks)
    assert all(c.passed for c in outcome.checks)


def test_a_wrong_submission_completes_with_the_checks_it_fails(box_for: Box) -> None:
    job = calls_job("def add(a, b):\n    return 3 if isinstance(b, int) else None\n")
    scripted = Outcome(ended=Ended.COMPLETED, checks=outcomes(job, {"small"}))
    outcome = box_for(scripted).run(job, lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert {c.id for c in outcome.checks if c.passed} == {"small"}


def test_a_submission_that_does_not_compile_ends_as_not_loaded_and_says_why(box_for: Box) -> None:
    scripted = Outcome(ended=Ended.NOT_LOADED, detail="solution.py, line 1: SyntaxError")
    outcome = box_for(scripted).run(calls_job("def add(a, b:\n"), lambda _: None)
    assert outcome.ended is Ended.NOT_LOADED
    assert "solution.py, line 1" in outcome.detail
    assert outcome.checks == ()


def test_progress_is_told_in_order_and_ends_with_the_last_check(box_for: Box) -> None:
    events: list[Event] = []
    job = calls_job(ADD)
    box_for(None).run(job, events.append)
    assert [e.name for e in events] == ["box.starting", "box.started", *["check.finished"] * 3]
    finished = [e.data for e in events if e.name == "check.finished"]
    assert [d["done"] for d in finished] == [1, 2, 3]
    assert {d["total"] for d in finished} == {3}
    assert {d["id"] for d in finished} == {c.id for c in job.checks}
    assert all(set(d) == {"id", "passed", "done", "total"} for d in finished)


@pytest.mark.parametrize(
    "broken",
    [
        {"checks": ()},
        {"entry": "absent.py"},
        {"files": {"solution.py": ADD, "../outside.py": "x"}},
        {"files": {"solution.py": ADD, "/etc/passwd": "x"}},
        {"checks": (Check(id="a", test="t"), Check(id="a", test="u"))},
        {"files": {"solution.py": "x" * (2 * 1024 * 1024)}},
    ],
    ids=["no checks", "no entry", "outside", "absolute", "two checks with one id", "too large"],
)
def test_a_malformed_job_is_refused_before_anything_starts(box_for: Box, broken: dict[str, object]) -> None:
    events: list[Event] = []
    with pytest.raises(JobRefused):
        box_for(None).run(calls_job(**broken), events.append)
    assert events == []


def test_a_sweep_with_nothing_left_behind_removes_nothing(box_for: Box) -> None:
    box = box_for(None)
    box.sweep()
    assert box.sweep() == 0
