"""The pages of regrades: begun, followed, read and decided without a script."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.catalog.models import Exercise
from app.db import db
from app.regrades.models import Regrade
from app.submissions.models import Submission
from tests.unit.regrades.stage import MENDED, REASON, URL, Doubling, make_judged, start, work

EXERCISE_PAGE = "/instructor/exercises/welcome/double-it"


def sent(its: Doubling, **more: str) -> dict[str, str]:
    return {"revision": str(its.mended), "which": "every", "judged_with": "any", "reason": REASON, **more}


def begun(app: Flask, its: Doubling, *failed: str, again: tuple[str, ...] = ()) -> tuple[int, int]:
    """Return the ids of a submission of Lena's and of a regrade of it that is ready."""
    with app.app_context():
        submission = make_judged(its, its.lena, failed, again=again)
        regrade = start(its)
    work(app)
    return submission, regrade


def test_an_instructor_begins_a_dry_run_follows_it_and_applies_it(
    app: Flask, ivan: FlaskClient, lena: FlaskClient, its: Doubling
) -> None:
    with app.app_context():
        submission = make_judged(its, its.lena, ["big"])
    assert URL in ivan.get(EXERCISE_PAGE).text
    assert "Nothing was regraded yet" in ivan.get(URL).text
    form = ivan.get(f"{URL}/new").text
    assert "Revision 2, the current one" in form and "Revision 1 (1)" in form
    posted = ivan.post(f"{URL}/new", data=sent(its))
    assert posted.status_code == 303
    running = ivan.get(posted.location).text
    assert "0 of 1" in running and "Stop and discard" in running and 'http-equiv="refresh"' in running
    assert "Apply" not in running
    assert "running" in ivan.get(URL).text
    work(app)
    ready = ivan.get(posted.location).text
    assert "http-equiv" not in ready
    assert "gains credit" in ready and f"{MENDED}:" in ready and "newly solved for 1" in ready
    assert "Regraded" not in lena.get(f"/submissions/{submission}").text
    applied = ivan.post(f"{posted.location}/apply")
    assert (applied.status_code, applied.location) == (303, posted.location)
    decided = ivan.get(posted.location).text
    assert "applied" in decided and "gains credit" in decided and "/apply" not in decided
    assert "applied" in ivan.get(URL).text


def test_the_learner_reads_when_and_why_and_the_verdict_before(
    app: Flask, ivan: FlaskClient, lena: FlaskClient, its: Doubling
) -> None:
    submission, regrade = begun(app, its, "big")
    ivan.post(f"/instructor/regrades/{regrade}/apply")
    page = lena.get(f"/submissions/{submission}").text
    assert "Regraded on" in page and REASON in page and "<strong>wrong answer</strong> at first" in page
    assert "Accepted" in page and MENDED in page
    assert "for revision 1, judged with revision 2" in page
    assert "regraded from wrong answer to accepted" in lena.get("/notices").text
    assert "regraded" in lena.get("/exercises/welcome/double-it").text
    assert "1 of 1" in ivan.get(EXERCISE_PAGE).text


def test_an_unchanged_verdict_is_said_to_be_unchanged(
    app: Flask, ivan: FlaskClient, lena: FlaskClient, its: Doubling
) -> None:
    submission, regrade = begun(app, its)
    assert "Nothing changes" in ivan.get(f"/instructor/regrades/{regrade}").text
    assert "unchanged" in ivan.get(f"/instructor/regrades/{regrade}?show=all").text
    ivan.post(f"/instructor/regrades/{regrade}/apply")
    assert "The verdict is the one of before." in lena.get(f"/submissions/{submission}").text
    assert "regraded" not in lena.get("/notices").text.replace("is regraded or", "")


def test_who_loses_credit_is_marked(app: Flask, ivan: FlaskClient, its: Doubling) -> None:
    _, regrade = begun(app, its, again=("none",))
    page = ivan.get(f"/instructor/regrades/{regrade}").text
    assert "loses credit" in page and "no longer be solved for 1" in page
    assert "passed\n  → failed" in page


def test_discarding_changes_nothing(app: Flask, ivan: FlaskClient, lena: FlaskClient, its: Doubling) -> None:
    submission, regrade = begun(app, its, "big")
    assert ivan.post(f"/instructor/regrades/{regrade}/discard").status_code == 303
    assert "discarded" in ivan.get(f"/instructor/regrades/{regrade}").text
    assert "Regraded" not in lena.get(f"/submissions/{submission}").text
    assert ivan.post(f"/instructor/regrades/{regrade}/apply").status_code == 409


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"reason": ""}, "Say in a sentence why"),
        ({"which": "accepted"}, "No submission that counts fits this choice"),
        ({"which": "some"}, "Not a valid choice"),
        ({"revision": "99999"}, "Not a valid choice"),
        ({"judged_with": "x"}, "Not a valid choice"),
    ],
)
def test_bad_input_is_answered_at_the_field_and_nothing_typed_is_lost(
    app: Flask, ivan: FlaskClient, its: Doubling, more: dict[str, Any], said: str
) -> None:
    with app.app_context():
        make_judged(its, its.lena, ["big"])
    answer = ivan.post(f"{URL}/new", data=sent(its, **more))
    assert answer.status_code == 422
    assert said in answer.text and "is-invalid" in answer.text
    assert (REASON in answer.text) == ("reason" not in more)
    with app.app_context():
        assert db.session.query(Regrade).count() == 0


def test_an_exercise_without_submissions_has_nothing_to_regrade(ivan: FlaskClient, its: Doubling) -> None:
    assert "Nothing to regrade" in ivan.get(f"{URL}/new").text


def test_what_cannot_be_judged_is_listed_with_the_reason(app: Flask, ivan: FlaskClient, its: Doubling) -> None:
    with app.app_context():
        make_judged(its, its.lena)
        regrade = start(its, revision_id=its.other_files)
    page = ivan.get(f"/instructor/regrades/{regrade}?show=left-out").text
    assert "cannot be judged" in page and "remarks.py" in page and "/apply" not in page
    assert "/discard" in page


def test_another_regrade_that_came_first_is_said(app: Flask, ivan: FlaskClient, its: Doubling) -> None:
    _, first = begun(app, its, "big")
    with app.app_context():
        second = start(its)
    work(app)
    ivan.post(f"/instructor/regrades/{first}/apply")
    page = ivan.get(f"/instructor/regrades/{second}").text
    assert "Another regrade came first" in page and "/apply" not in page
    assert ivan.post(f"/instructor/regrades/{second}/apply").status_code == 409


def test_odd_parameters_give_the_nearest_page(app: Flask, ivan: FlaskClient, its: Doubling) -> None:
    _, regrade = begun(app, its, "big")
    for odd in ("?page=99", "?page=-1", "?page=x", "?show=nothing"):
        assert "gains credit" in ivan.get(f"/instructor/regrades/{regrade}{odd}").text


def test_only_the_owner_and_admins_find_it(
    app: Flask, lena: FlaskClient, ivan: FlaskClient, inge: FlaskClient, ada: FlaskClient, its: Doubling
) -> None:
    _, regrade = begun(app, its, "big")
    paths = [URL, f"{URL}/new", f"/instructor/regrades/{regrade}"]
    for path in paths:
        assert [who.get(path).status_code for who in (lena, inge, ivan, ada)] == [403, 404, 200, 200], path
    for path in (f"{URL}/new", f"/instructor/regrades/{regrade}/apply", f"/instructor/regrades/{regrade}/discard"):
        assert [who.post(path, data=sent(its)).status_code for who in (lena, inge)] == [403, 404], path
    assert URL not in inge.get(EXERCISE_PAGE).text
    with app.app_context():
        db.session.get_one(Exercise, its.exercise).owner_id = None
        db.session.commit()
    assert [who.get(f"/instructor/regrades/{regrade}").status_code for who in (ivan, ada)] == [404, 200]
    assert ada.post(f"/instructor/regrades/{regrade}/apply").status_code == 303
    with app.app_context():
        assert db.session.query(Submission).filter_by(verdict="accepted").count() == 1
