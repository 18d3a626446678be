"""The solve screen and the pages of submissions, as a browser without scripts sees them, and as solve.js does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.catalog.models import Exercise
from app.catalog.services import source_of
from app.db import db, now
from app.progress.services import help_opened
from app.submissions import services
from app.submissions.models import Draft, Purpose, Submission
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.conftest import Cast, MakeApp, signed_in
from tests.unit.submissions.exercises import ANSWER, CHECKS, FILES, HIDDEN, URL

JSON = {"Accept": "application/json"}


def form(purpose: str = "submit", **more: str) -> dict[str, str]:
    sent = {f"files[{path}]": text for path, text in ANSWER.items()}
    return {"language": "python", "draft_version": "0", "purpose": purpose, **sent, **more}


def judge(app: Flask, outcome: Outcome | None = None, times: int = 1) -> None:
    """Judge the oldest submission; by default with one visible and one hidden failure."""
    checks = (
        CheckOutcome(id="twice", passed=True),
        CheckOutcome(
            id="text",
            passed=False,
            message="AssertionError",
            steps=("double('a')",),
            expected="aa\nbb\ncc",
            actual="aa\n<b>x</b>\ncc",
            output="printed \x1b[31mhere",
        ),
        CheckOutcome(id="big", passed=False, limit="time", message=HIDDEN, steps=(HIDDEN,), expected=HIDDEN),
        CheckOutcome(id="none", passed=True, output=HIDDEN),
    )
    outcome = outcome or Outcome(ended=Ended.COMPLETED, checks=checks, reason=f"{HIDDEN} for instructors")
    with app.app_context():
        for _ in range(times):
            claim = services.claim_next("w", now())
            assert claim is not None
            source = source_of(db.session.get_one(Submission, claim.id).revision)
            services.record(claim, outcome, source.checks(visible_only=claim.purpose is Purpose.RUN), now())


def sent(browser: FlaskClient, purpose: str = "submit") -> int:
    return int(browser.post(f"{URL}/submissions", data=form(purpose), headers=JSON).get_json()["id"])


def test_a_visitor_reads_the_exercise_and_is_asked_to_sign_in(client: FlaskClient, exercise_id: int) -> None:
    page = client.get(URL).text
    assert "Double numbers" in page
    assert "Sign in to solve it" in page
    assert 'id="solve-form"' not in page
    assert "test_twice" in page


def test_an_exercise_or_language_that_is_not_there_is_not_found(lena: FlaskClient, exercise_id: int) -> None:
    assert lena.get("/exercises/welcome/nothing").status_code == 404
    assert lena.get(f"{URL}?language=cobol").status_code == 404


def test_the_page_holds_what_the_script_needs(lena: FlaskClient, exercise_id: int) -> None:
    page = lena.get(URL).text
    for attribute in ("draft-url", "draft-version", "language", "account", "csrf", "nonce"):
        assert re.search(rf'<main[^>]* data-{attribute}="[^"]+"', page, re.S), attribute
    assert page.count('class="gr-file"') == 2
    assert 'name="files[app.py]"' in page
    assert page.count("<main") == page.count("<h1") == 1


def test_text_in_a_draft_cannot_leave_its_field_and_keeps_its_first_newline(
    app: Flask, lena: FlaskClient, exercise_id: int
) -> None:
    text = "\n</textarea><script>alert(1)</script>"
    lena.put(f"{URL}/draft", json={"language": "python", "version": 0, "files": {"app.py": text, "notes.py": ""}})
    page = lena.get(URL).text
    assert "<script>alert(1)" not in page
    assert ">\n\n&lt;/textarea&gt;" in page


def test_without_scripts_a_submission_is_posted_and_its_page_refreshes_itself(
    app: Flask, lena: FlaskClient, exercise_id: int
) -> None:
    posted = lena.post(f"{URL}/submissions", data=form())
    assert posted.status_code == 303
    waiting = lena.get(posted.location).text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in waiting
    assert "Next in line" in waiting
    judge(app)
    judged = lena.get(posted.location).text
    assert "http-equiv" not in judged
    assert "Wrong answer" in judged


def test_a_script_is_told_where_to_listen(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    posted = lena.post(f"{URL}/submissions", data=form("run"), headers=JSON)
    assert posted.status_code == 201
    told = posted.get_json()
    assert {key: told[key] for key in ("url", "events_url", "fragment_url", "draft_version")} == {
        "url": f"/submissions/{told['id']}",
        "events_url": f"/submissions/{told['id']}/events",
        "fragment_url": f"/submissions/{told['id']}/fragment",
        "draft_version": 1,
    }
    with app.app_context():
        assert db.session.get_one(Submission, told["id"]).purpose == Purpose.RUN


def test_what_was_posted_is_the_draft_now(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    lena.post(f"{URL}/submissions", data=form())
    with app.app_context():
        assert db.session.query(Draft).one().files == ANSWER


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "steal"},
        {"language": "cobol"},
        {"files[app.py]": " ", "files[notes.py]": ""},
        {"files[../x]": "x"},
        {"files[app.py]": "x" * 300_000},
        {"files[app.py]": "a\0b"},
    ],
)
def test_what_cannot_be_judged_is_refused_and_leaves_nothing(
    app: Flask, lena: FlaskClient, exercise_id: int, wrong: dict[str, str]
) -> None:
    assert lena.post(f"{URL}/submissions", data=form(**wrong), headers=JSON).status_code == 400
    with app.app_context():
        assert db.session.query(Submission).count() == 0


def test_too_many_in_flight_are_answered_with_429(lena: FlaskClient, exercise_id: int) -> None:
    codes = [lena.post(f"{URL}/submissions", data=form(), headers=JSON).status_code for _ in range(4)]
    assert codes == [201, 201, 201, 429]


def test_runs_and_submissions_are_limited_per_account(make_app: MakeApp, cast: Cast, exercise_id: int) -> None:
    browser = signed_in(make_app(rate_limits=True), cast.lena)
    codes = {browser.post(f"{URL}/submissions", data=form("steal"), headers=JSON).status_code for _ in range(31)}
    assert codes == {400, 429}


def test_the_fragment_follows_the_stage(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    first, second = sent(lena), sent(lena, "run")
    assert 'data-stage="queued"' in lena.get(f"/submissions/{first}/fragment").text
    assert "In line: place 2" in lena.get(f"/submissions/{second}/fragment").text
    with app.app_context():
        services.claim_next("w", now())
    judging = lena.get(f"/submissions/{first}/fragment").text
    assert f'data-events-url="/submissions/{first}/events"' in judging
    assert 'data-stage="judging"' in judging


def test_visible_checks_show_everything_and_hidden_ones_their_name(
    app: Flask, lena: FlaskClient, exercise_id: int
) -> None:
    id = sent(lena)
    judge(app)
    shown = lena.get(f"/submissions/{id}/fragment").text
    for text in ("double(&#39;a&#39;)", "<del>- bb</del>", "<ins>+ &lt;b&gt;x&lt;/b&gt;</ins>", "printed [31mhere"):
        assert text in shown
    for text in ("Doubles big numbers", "How big is big?", "time limit", "2 of 4", "edge 0 of 2"):
        assert text in shown
    assert shown.count(" open>") == 1


OUTCOMES = {
    Ended.OUT_OF_TIME: ("limit", "Time limit"),
    Ended.OUT_OF_MEMORY: ("limit", "96 MB"),
    Ended.TOO_MUCH_OUTPUT: ("limit", "Output limit"),
    Ended.CRASHED: ("limit", "Runtime error"),
    Ended.NOT_LOADED: ("limit", "SyntaxError: line 1"),
    Ended.BOX_BROKE: ("fault", "our fault"),
}


@pytest.mark.parametrize("ended", OUTCOMES)
def test_how_it_ended_is_said_in_a_banner(app: Flask, lena: FlaskClient, exercise_id: int, ended: Ended) -> None:
    id = sent(lena)
    tries = 2 if ended is Ended.BOX_BROKE else 1
    judge(app, Outcome(ended=ended, detail="SyntaxError: line 1", reason=HIDDEN), tries)
    shown = lena.get(f"/submissions/{id}/fragment").text
    tone, words = OUTCOMES[ended]
    assert f"gr-banner--{tone}" in shown
    assert words in shown
    assert "gr-check--passed" not in shown


def test_no_answer_to_a_learner_holds_a_hidden_string(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    for ending in (None, Outcome(ended=Ended.CRASHED, reason=HIDDEN), Outcome(ended=Ended.JUDGE_BROKE, reason=HIDDEN)):
        id, run = sent(lena), sent(lena, "run")
        judge(app, ending, times=3 if ending and ending.ended is Ended.JUDGE_BROKE else 1)
        with app.app_context():
            while services.claim_next("w", now()):
                pass
        lena.post(f"{URL}/hints", data={"position": "1"})
        lena.post(f"{URL}/solution", data={"sure": "yes"})
        for path in (URL, f"/submissions/{id}", f"/submissions/{id}/fragment", f"/submissions/{run}", "/exercises"):
            answer = lena.get(path)
            assert HIDDEN not in answer.text
            assert "CANARY" not in answer.text
        assert HIDDEN not in lena.get(f"/submissions/{id}/events").text
        with app.app_context():
            services.requeue_expired(now() + services.LEASE * 2)
            db.session.execute(db.update(Submission).values(stage="judged", verdict="accepted", lease_until=None))
            db.session.commit()


ROUTES: list[tuple[str, str]] = [
    ("GET", "/submissions/{id}"),
    ("GET", "/submissions/{id}/fragment"),
    ("GET", "/submissions/{id}/events"),
    ("POST", "/submissions/{id}/restore"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_submission_is_its_owners_alone(
    app: Flask, client: FlaskClient, lena: FlaskClient, olaf: FlaskClient, exercise_id: int, method: str, path: str
) -> None:
    id = sent(lena)
    judge(app)
    url = path.format(id=id)
    assert olaf.open(url, method=method).status_code == 404
    assert client.open(url, method=method).status_code in {303, 401}
    assert lena.open(url, method=method).status_code in {200, 303}
    assert lena.open(path.format(id=id + 1), method=method).status_code == 404
    assert lena.open(path.format(id=10**30), method=method).status_code == 404


def test_an_instructor_reads_any_submission_with_its_reason_and_changes_none(
    app: Flask, lena: FlaskClient, ivan: FlaskClient, exercise_id: int
) -> None:
    id = sent(lena)
    judge(app)
    page = ivan.get(f"/submissions/{id}").text
    assert "by Lena" in page
    assert f"{HIDDEN} for instructors" in page
    assert "/restore" not in page
    assert ivan.post(f"/submissions/{id}/restore").status_code == 404
    assert ivan.get(f"/submissions/{id}/events").status_code == 404


def test_submissions_are_compared_only_with_the_same_learners(
    app: Flask, lena: FlaskClient, olaf: FlaskClient, exercise_id: int
) -> None:
    first = sent(lena)
    changed = form(**{"files[app.py]": "def double(x):\n    return x + x\n"})
    second = lena.post(f"{URL}/submissions", data=changed, headers=JSON).get_json()["id"]
    foreign = sent(olaf)
    page = lena.get(f"/submissions/{second}?against={first}").text
    assert "<ins>+     return x + x</ins>" in page
    for other in (foreign, second, 10**12, -1):
        assert lena.get(f"/submissions/{second}?against={other}").status_code == 404


def test_a_submission_is_restored_into_the_editor(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    id = sent(lena)
    lena.put(f"{URL}/draft", json={"language": "python", "version": 1, "files": {"app.py": "x", "notes.py": ""}})
    back = lena.post(f"/submissions/{id}/restore")
    assert back.location == f"{URL}?language=python"
    page = lena.get(back.location).text
    assert "return x * 2" in page
    assert "Undo" in page


def test_a_draft_is_saved_and_a_conflict_tells_what_stands(lena: FlaskClient, exercise_id: int) -> None:
    body = {"language": "python", "version": 0, "files": {"app.py": "one", "notes.py": ""}}
    saved = lena.put(f"{URL}/draft", json=body)
    assert (saved.status_code, saved.get_json()["version"]) == (200, 1)
    assert saved.get_json()["saved_at"].endswith("+00:00")
    stale = lena.put(f"{URL}/draft", json={**body, "files": {"app.py": "two", "notes.py": ""}})
    assert stale.status_code == 409
    assert {k: stale.get_json()[k] for k in ("version", "files")} == {"version": 1, "files": body["files"]}


@pytest.mark.parametrize(
    "body",
    [
        "text",
        [],
        {},
        {"language": "python", "version": 0},
        {"language": "python", "version": 0, "files": []},
        {"language": "python", "version": "0", "files": ANSWER},
        {"language": "python", "version": True, "files": ANSWER},
        {"language": "python", "version": -1, "files": ANSWER},
        {"language": "python", "version": 2**40, "files": ANSWER},
        {"language": None, "version": 0, "files": ANSWER},
        {"language": "cobol", "version": 0, "files": ANSWER},
        {"language": "python", "version": 0, "files": {**ANSWER, "app.py": 1}},
        {"language": "python", "version": 0, "files": {**ANSWER, "app.py": "\ud800"}},
        {"language": "python", "version": 0, "files": {**ANSWER, "app.py": "\0"}},
    ],
)
def test_a_draft_of_another_shape_is_refused(app: Flask, lena: FlaskClient, exercise_id: int, body: Any) -> None:
    assert lena.put(f"{URL}/draft", json=body).status_code == 400
    with app.app_context():
        assert db.session.query(Draft).count() == 0


def test_reset_and_undo_work_without_scripts(lena: FlaskClient, exercise_id: int) -> None:
    lena.put(f"{URL}/draft", json={"language": "python", "version": 0, "files": {"app.py": "mine", "notes.py": ""}})
    assert lena.post(f"{URL}/reset", data={"language": "python"}).status_code == 303
    page = lena.get(URL).text
    assert "return x\n" in page
    assert 'name="undo"' in page
    lena.post(f"{URL}/reset", data={"language": "python", "undo": "yes"})
    assert "mine</textarea>" in lena.get(URL).text
    assert lena.post(f"{URL}/reset", data={"language": "cobol"}).status_code == 400


def test_hints_are_opened_one_at_a_time_and_recorded(
    app: Flask, lena: FlaskClient, cast: Cast, exercise_id: int
) -> None:
    assert "First hint." not in lena.get(URL).text
    assert lena.post(f"{URL}/hints", data={"position": "2"}).status_code == 409
    for position in ("0", "-1", "3", "x", str(10**30)):
        assert lena.post(f"{URL}/hints", data={"position": position}).status_code == 404
    for _ in range(2):  # a double click opens one hint, not two
        assert lena.post(f"{URL}/hints", data={"position": "1"}).location.endswith("#panel-hints")
    page = lena.get(URL).text
    assert "First hint." in page
    assert "Second hint." not in page
    assert "Show hint 2 of 2" in page
    with app.app_context():
        assert [h.position for h in help_opened(cast.lena, exercise_id)] == [1]


def test_the_solution_is_locked_until_given_up_on_purpose(lena: FlaskClient, exercise_id: int) -> None:
    assert "the reference" not in lena.get(URL).text
    assert lena.post(f"{URL}/solution").status_code == 400
    assert "the reference" not in lena.get(URL).text
    lena.post(f"{URL}/solution", data={"sure": "yes"})
    page = lena.get(URL).text
    assert "the reference" in page
    assert "multiplication is enough" in page


def test_solving_it_unlocks_the_solution(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    sent(lena)
    judge(app, Outcome(ended=Ended.COMPLETED, checks=tuple(CheckOutcome(id=id, passed=True) for id in CHECKS)))
    page = lena.get(URL).text
    assert "the reference" in page
    assert "Accepted" in page


def test_the_learners_history_and_last_result_are_on_the_screen(
    app: Flask, lena: FlaskClient, exercise_id: int
) -> None:
    id = sent(lena)
    judge(app)
    page = lena.get(URL).text
    assert f'href="/submissions/{id}"' in page
    assert 'data-stage="judged"' in page


def test_a_learner_is_told_when_no_judge_is_at_work(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    id = sent(lena)
    with app.app_context():
        db.session.get_one(Submission, id).created_at = now() - services.LEASE * 4
        db.session.commit()
    assert "No judge is at work right now" in lena.get(f"/submissions/{id}/fragment").text


def test_events_are_streamed_to_the_end_and_then_not_again(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    id = sent(lena)
    judge(app)
    heard = lena.get(f"/submissions/{id}/events")
    assert heard.mimetype == "text/event-stream"
    names = re.findall(r"^event: (.*)$", heard.text, re.M)
    assert names == ["submission.queued", "submission.judging", "submission.judged"]
    last = re.findall(r"^id: (.*)$", heard.text, re.M)[-1]
    assert lena.get(f"/submissions/{id}/events", headers={"Last-Event-ID": last}).status_code == 204
    assert lena.get(f"/submissions/{id}/events?after={last}").status_code == 204


CHANGES: list[tuple[str, Callable[[FlaskClient], TestResponse]]] = [
    ("draft", lambda b: b.put(f"{URL}/draft", json={"language": "python", "version": 0, "files": ANSWER})),
    ("reset", lambda b: b.post(f"{URL}/reset", data={"language": "python"})),
    ("hint", lambda b: b.post(f"{URL}/hints", data={"position": "1"})),
    ("solution", lambda b: b.post(f"{URL}/solution", data={"sure": "yes"})),
    ("submit", lambda b: b.post(f"{URL}/submissions", data=form())),
]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_changes_need_an_account_and_a_token(
    client: FlaskClient, lena: FlaskClient, exercise_id: int, name: str, change: Callable[[FlaskClient], TestResponse]
) -> None:
    assert change(client).status_code in {303, 401}
    lena.forges = True  # type: ignore[attr-defined]
    assert change(lena).status_code == 400


def test_an_exercise_that_is_withdrawn_takes_nothing(app: Flask, lena: FlaskClient, exercise_id: int) -> None:
    with app.app_context():
        db.session.get_one(Exercise, exercise_id).published = False
        db.session.commit()
    assert lena.get(URL).status_code == 404
    assert all(change(lena).status_code == 404 for _, change in CHANGES)


def test_the_starter_is_what_the_files_say(lena: FlaskClient, exercise_id: int) -> None:
    assert FILES["starter/python/app.py"] in lena.get(URL).text
