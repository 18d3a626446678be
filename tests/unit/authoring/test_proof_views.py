"""The pages on which exercises are proven and published."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import Role
from app.authoring import copies, prover
from app.authoring.models import WorkingCopy
from app.authoring.worker import work_once
from app.db import db, now
from sandbox.fake_box import FakeBox
from sandbox.job import Job
from sandbox.outcome import Outcome
from tests.conftest import Cast, signed_in
from tests.exercise_folders import FILES, changed
from tests.factories import make_exercise, make_person
from tests.unit.authoring.proving import RUNS, begin, judge, make_copy, outspoken, proven, work_off

TYPED = {"note": "<Signs> & more", "track": "calls", "slug": "double-it"}


def page(who: FlaskClient, copy_id: int, run_id: int, part: str = "") -> str:
    answer = who.get(f"/instructor/copies/{copy_id}/proofs/{run_id}{part}")
    assert answer.status_code == 200, answer.text
    return answer.text


def over(app: Flask, owner: int, script: Callable[[Job], Outcome] = judge, **more: object) -> tuple[int, int]:
    """A proof that is over: the ids of copy and proof."""
    ids = begin(app, owner, **more)
    work_off(app, script)
    return ids


def test_prove_leads_to_the_page_that_follows_it(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    with app.app_context():
        copy_id = make_copy(cast.ivan).id
    answer = ivan.post(f"/instructor/copies/{copy_id}/proofs")
    assert answer.status_code == 303
    text = ivan.get(answer.location).text
    assert f"0 of {RUNS} runs are over" in text and 'http-equiv="refresh"' in text
    for title in ("Reference solutions", "Starters", "Wrong solutions", "Cheats"):
        assert title in text
    assert 'data-stage="queued"' in text


def test_the_page_says_run_by_run_how_it_went(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    copy_id, run_id = begin(app, cast.ivan)
    for _ in range(5):
        work_once(app, FakeBox(script=judge), "w")
    text = page(ivan, copy_id, run_id, "/fragment")
    assert 'data-stage="running"' in text and "accepted" in text and "wrong answer" in text
    assert "<html" not in text
    assert "runs once more" in text


def test_the_card_is_shown_with_what_the_tests_said(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    text = page(ivan, *over(app, cast.ivan, outspoken))
    assert "Every rule holds" in text and 'data-stage="done"' in text
    assert "none saw 15308642" in text
    assert "Publish as a new exercise" in text
    assert "Every wrong solution fails" in text  # none tells nothing apart


def test_a_rule_that_does_not_hold_is_shown_and_nothing_can_be_published(
    app: Flask, cast: Cast, ivan: FlaskClient
) -> None:
    files = changed("must_fail: [big], may_fail: [none]", "must_fail: [none]")
    text = page(ivan, *over(app, cast.ivan, lambda job: judge(job), files=files))
    assert "rule" in text and "not hold" in text
    assert "Publish as a new exercise" not in text and "Prove again" in text


def test_a_proof_of_older_files_says_so(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    copy_id, run_id = over(app, cast.ivan)
    with app.app_context():
        copy = db.session.get_one(WorkingCopy, copy_id)
        copies.alter(copy, lambda files: {**files, "README.md": files["README.md"] + "\nMore.\n"})
    text = page(ivan, copy_id, run_id)
    assert "The files were changed since" in text and "Publish as a new exercise" not in text


def test_files_that_are_not_well_formed_are_shown_with_their_problems(
    app: Flask, cast: Cast, ivan: FlaskClient
) -> None:
    text = page(ivan, *begin(app, cast.ivan, changed("seconds: 10", "seconds: 0")))
    assert "limits.seconds must be" in text and "1 of 1 rules does not hold" in text


def test_events_end_with_the_proof(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    copy_id, run_id = over(app, cast.ivan)
    url = f"/instructor/copies/{copy_id}/proofs/{run_id}/events"
    stream = ivan.get(url).text
    assert "event: proof.queued" in stream and "event: proof.finished" in stream
    assert "15308642" not in stream
    assert ivan.get(f"{url}?after=999999").status_code == 204


def test_publishing_leads_to_the_exercise(app: Flask, cast: Cast, ivan: FlaskClient, lena: FlaskClient) -> None:
    copy_id = proven(app, cast.ivan)
    answer = ivan.post(f"/instructor/copies/{copy_id}/publish", data=TYPED)
    assert (answer.status_code, answer.location) == (303, "/instructor/exercises/calls/double-it")
    shown = ivan.get(answer.location).text
    assert "Double it is published." in shown and "Unpublish" in shown
    assert "Double it" in lena.get("/exercises").text


def test_what_cannot_be_published_keeps_what_was_typed(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    copy_id = proven(app, cast.ivan)
    with app.app_context():
        make_exercise("calls", "taken")
    answer = ivan.post(f"/instructor/copies/{copy_id}/publish", data={**TYPED, "slug": "taken"})
    assert answer.status_code == 422
    assert "There is an exercise at calls/taken already" in answer.text
    assert 'value="taken"' in answer.text and "&lt;Signs&gt; &amp; more" in answer.text


def test_an_unproven_copy_is_not_published(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    with app.app_context():
        copy_id = make_copy(cast.ivan).id
    answer = ivan.post(f"/instructor/copies/{copy_id}/publish", data=TYPED)
    assert answer.status_code == 409 and "Prove the exercise first" in answer.text


def test_a_newer_revision_is_shown_beside_ones_own(app: Flask, cast: Cast, ivan: FlaskClient, ada: FlaskClient) -> None:
    copy_id = proven(app, cast.ivan)
    ivan.post(f"/instructor/copies/{copy_id}/publish", data=TYPED)
    with app.app_context():
        first = db.session.get_one(WorkingCopy, copy_id)
        know = {"exercise_id": first.exercise_id, "base_id": first.base_id}
    adas = proven(app, cast.ada, {**FILES, "README.md": FILES["README.md"] + "\nAda's words.\n"}, **know)
    assert ada.post(f"/instructor/copies/{adas}/publish", data={**TYPED, "note": "Words"}).status_code == 303
    ivans = proven(app, cast.ivan, {**FILES, "README.md": FILES["README.md"] + "\nIvan's words.\n"}, **know)
    answer = ivan.post(f"/instructor/copies/{ivans}/publish", data=TYPED)
    assert answer.status_code == 409
    for said in ("Revision 2", "Ada", "Words", "+ Ada", "- Ada", "+ Ivan", "Publish over revision 2", "&lt;Signs&gt;"):
        assert said in answer.text, said
    assert ivan.post(f"/instructor/copies/{ivans}/publish", data={**TYPED, "over": "2"}).status_code == 303


@pytest.mark.parametrize("over", ["", "x", "-1", "9" * 30])
def test_a_number_that_is_none_publishes_over_nothing(app: Flask, cast: Cast, ivan: FlaskClient, over: str) -> None:
    copy_id = proven(app, cast.ivan)
    assert ivan.post(f"/instructor/copies/{copy_id}/publish", data={**TYPED, "over": over}).status_code == 303


def test_taking_it_off_hides_it_from_learners_and_keeps_it_for_its_owner(
    app: Flask, cast: Cast, ivan: FlaskClient, lena: FlaskClient
) -> None:
    ivan.post(f"/instructor/copies/{proven(app, cast.ivan)}/publish", data=TYPED)
    url = "/instructor/exercises/calls/double-it"
    assert ivan.post(f"{url}/shown", data={"shown": "no"}).status_code == 303
    assert lena.get("/exercises/calls/double-it").status_code == 404
    assert "Publish again" in ivan.get(url).text
    ivan.post(f"{url}/shown", data={"shown": "yes"})
    assert lena.get("/exercises/calls/double-it").status_code == 200


def test_what_tests_said_never_reaches_anybody_else(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    copy_id, run_id = over(app, cast.ivan, outspoken)
    with app.app_context():
        igor = make_person("Igor", role=Role.INSTRUCTOR).id
    for who, status in ((lena, 403), (signed_in(app, igor), 404)):
        for part in ("", "/fragment", "/events"):
            answer = who.get(f"/instructor/copies/{copy_id}/proofs/{run_id}{part}")
            assert answer.status_code == status and "15308642" not in answer.text


def test_a_proof_is_found_under_its_own_copy_alone(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    _, run_id = over(app, cast.ivan)
    with app.app_context():
        other = make_copy(cast.ivan, slug="other").id
    assert ivan.get(f"/instructor/copies/{other}/proofs/{run_id}").status_code == 404


def test_the_bar_says_what_is_known_of_the_files_as_they_are(app: Flask, cast: Cast, ivan: FlaskClient) -> None:
    with app.app_context():
        copy_id = make_copy(cast.ivan).id
    url = f"/instructor/copies/{copy_id}"
    assert "Not proven yet" in ivan.get(url).text
    ivan.post(f"{url}/proofs")
    assert "The proof is under way" in ivan.get(url).text
    work_off(app)
    assert "Proven: it can be published" in ivan.get(url).text
    with app.app_context():
        copy = db.session.get_one(WorkingCopy, copy_id)
        copies.alter(copy, lambda files: {**files, "README.md": files["README.md"] + "\nMore.\n"})
    assert "Changed since the last proof" in ivan.get(url).text
    with app.app_context():
        prover.prove(cast.ivan, db.session.get_one(WorkingCopy, copy_id), now())
    work_off(app, lambda job: judge(job, {}))
    assert "The proof does not hold" in ivan.get(url).text
