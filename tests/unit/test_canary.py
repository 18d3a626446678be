"""Nothing hidden is ever shown: every answer a learner can get is searched for canaries, at every stage."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.submissions.worker import work_once
from sandbox.fake_box import FakeBox, all_pass
from sandbox.job import Job
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.canary import EVERY, HIDDEN, HINTS, RIGHT, SOLUTION, URL, WRONG, echo_exercise, everything, found, send
from tests.conftest import Cast

LOCKED: Mapping[str, str] = {**HIDDEN, **SOLUTION}


def tells_all(job: Job, ended: Ended = Ended.COMPLETED) -> Outcome:
    """The outcome of a sandbox that forgot which checks are hidden."""
    loud = {
        "message": HIDDEN["message"],
        "steps": (HIDDEN["input"],),
        "expected": HIDDEN["expected"],
        "actual": HIDDEN["input"],
        "output": HIDDEN["input"],
    }
    checks = tuple(
        CheckOutcome(id=each.id, passed=each.visible, **({} if each.visible else loud)) for each in job.checks
    )
    return Outcome(ended=ended, checks=checks, reason=HIDDEN["operator"])


@pytest.fixture
def exercise_id(app: Flask) -> int:
    """The exercise, published."""
    with app.app_context():
        return echo_exercise()


def judge(app: Flask, box: FakeBox) -> None:
    """Judge what waits, again where the sandbox was at fault."""
    with app.app_context():
        while work_once(app, box, "worker"):
            pass


def leaks(app: Flask, browser: FlaskClient, learner_id: int, secrets: Mapping[str, str]) -> list[str]:
    """Return what of `secrets` this browser can come by."""
    return found(everything(app, browser, learner_id), dict(secrets))


def test_nobody_sees_anything_before_trying(
    app: Flask, cast: Cast, client: FlaskClient, lena: FlaskClient, exercise_id: int
) -> None:
    assert leaks(app, client, cast.lena, EVERY) == []
    assert leaks(app, lena, cast.lena, EVERY) == []


@pytest.mark.parametrize("secret", [*EVERY.values(), "canary"])
def test_the_search_does_not_answer_to_what_is_hidden(
    lena: FlaskClient, client: FlaskClient, exercise_id: int, secret: str
) -> None:
    for browser in (lena, client):
        assert URL in browser.get("/exercises?q=echo").text
        assert URL not in browser.get(f"/exercises?q={secret}").text


@pytest.mark.parametrize("ended", [Ended.COMPLETED, Ended.OUT_OF_TIME, Ended.OUT_OF_MEMORY, Ended.CRASHED])
@pytest.mark.parametrize("purpose", ["run", "submit"])
def test_what_went_wrong_tells_nothing_hidden(
    app: Flask, cast: Cast, lena: FlaskClient, exercise_id: int, purpose: str, ended: Ended
) -> None:
    send(lena, WRONG, purpose)
    judge(app, FakeBox(script=lambda job: tells_all(job, ended)))
    assert leaks(app, lena, cast.lena, EVERY) == []


def test_a_fault_of_the_judge_tells_nothing_hidden(
    app: Flask, cast: Cast, lena: FlaskClient, ivan: FlaskClient, exercise_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.submissions.worker.RETRY_AFTER", 0.0)
    sent = send(lena, WRONG, "submit")
    judge(app, FakeBox(script=lambda job: tells_all(job, Ended.JUDGE_BROKE)))
    assert leaks(app, lena, cast.lena, EVERY) == []
    assert HIDDEN["operator"] in ivan.get(f"/submissions/{sent}").text  # whom it is for


def test_a_hint_is_shown_when_it_is_opened_and_the_next_one_is_not(
    app: Flask, cast: Cast, lena: FlaskClient, exercise_id: int
) -> None:
    lena.post(f"{URL}/hints", data={"language": "python", "position": "1"})
    assert HINTS[0] in lena.get(URL).text
    assert leaks(app, lena, cast.lena, {**LOCKED, "second hint": HINTS[1]}) == []


def test_the_solution_is_shown_after_solving_to_the_solver_alone_and_nothing_else_is(
    app: Flask, cast: Cast, lena: FlaskClient, olaf: FlaskClient, exercise_id: int
) -> None:
    send(lena, RIGHT, "run")
    send(lena, WRONG, "submit")
    judge(app, FakeBox(script=tells_all))
    assert leaks(app, lena, cast.lena, EVERY) == []
    send(lena, RIGHT, "submit")
    judge(app, FakeBox(script=all_pass))
    page = lena.get(URL).text
    assert all(secret in page for secret in SOLUTION.values())
    # The reference names what one hidden check sends and expects: that is the author's choice, and shown with it.
    told_by_the_reference = {"input", "expected"}
    still = {name: secret for name, secret in HIDDEN.items() if name not in told_by_the_reference}
    assert leaks(app, lena, cast.lena, still) == []
    assert leaks(app, olaf, cast.olaf, EVERY) == []


def test_giving_up_shows_the_solution_and_nothing_else(
    app: Flask, cast: Cast, lena: FlaskClient, olaf: FlaskClient, exercise_id: int
) -> None:
    olaf.post(f"{URL}/solution", data={"language": "python", "sure": "yes"})
    assert all(secret in olaf.get(URL).text for secret in SOLUTION.values())
    still = {name: HIDDEN[name] for name in HIDDEN.keys() - {"input", "expected"}}
    assert leaks(app, olaf, cast.olaf, still) == []
    assert leaks(app, lena, cast.lena, EVERY) == []


def test_the_walk_finds_what_is_shown(app: Flask, cast: Cast, lena: FlaskClient, exercise_id: int) -> None:
    assert found(everything(app, lena, cast.lena), {"statement": "Say it back."}) != []
