"""What instructors see of exercises, and that nobody else does."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from app.authoring.proof import prove
from app.authoring.services import detail, keep_proof
from app.catalog.format import from_files
from app.catalog.models import Exercise
from app.db import db
from app.submissions.models import CheckResult
from sandbox.fake_box import FakeBox
from tests.conftest import Cast
from tests.exercise_folders import FILES
from tests.factories import NOON, make_exercise, make_submission
from tests.unit.authoring.test_proof import judge

pytestmark = pytest.mark.both_databases

URL = "/instructor/exercises/calls/double-it"


@pytest.fixture
def exercise_id(app: Flask, cast: Cast) -> int:
    """An exercise to which Lena and Olaf submitted."""
    with app.app_context():
        exercise = make_exercise(
            "calls", "double-it", files=FILES, title="Double it", kind="calls", languages=["python"]
        )
        assert exercise.current is not None
        exercise.current.digest = from_files(FILES).digest
        lena, olaf = db.session.get_one(User, cast.lena), db.session.get_one(User, cast.olaf)
        for learner, verdict, big in (
            (lena, "wrong answer", False),
            (lena, "accepted", True),
            (olaf, "wrong answer", False),
            (olaf, "judge error", None),
        ):
            submission = make_submission(learner, exercise, verdict=verdict, language="python")
            if big is not None:
                submission.checks = [
                    CheckResult(position=1, check_id="twice", visible=True, passed=True),
                    CheckResult(position=2, check_id="big", visible=False, passed=big),
                ]
        make_submission(lena, exercise, purpose="run", verdict="accepted", language="python")
        db.session.commit()
        return int(exercise.id)


def test_figures_count_attempts_alone(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        found = detail("calls", "double-it", reader=db.session.get_one(User, cast.ada))
        assert (found.overview.acceptance.judged, found.overview.acceptance.accepted) == (3, 1)
        assert (found.overview.learners, found.overview.solvers) == (2, 1)
        assert [(check.id, check.failed, check.judged) for check in found.checks] == [
            ("big", 2, 3),
            ("twice", 0, 3),
            ("none", 0, 0),
        ]
        assert len(found.submissions) == 4


def test_an_instructor_reads_submissions_of_their_own_learners_alone(
    app: Flask, cast: Cast, ivan: FlaskClient, inge: FlaskClient, exercise_id: int
) -> None:
    with app.app_context():
        found = detail("calls", "double-it", reader=db.session.get_one(User, cast.ivan))
        assert {each.learner_id for each in found.submissions} == {cast.lena}
        assert found.overview.learners == 2  # figures count everybody
    assert "Olaf" not in ivan.get(URL).text
    assert "No submission to read yet" in inge.get(URL).text


def test_a_proof_is_kept_with_the_revision_it_proved(app: Flask, exercise_id: int) -> None:
    card = prove(from_files(FILES), FakeBox(script=judge), name="calls/double-it", at=NOON)
    other = prove(from_files({**FILES, "data/x": ""}), FakeBox(script=judge), name="calls/double-it", at=NOON)
    with app.app_context():
        assert (keep_proof(other), keep_proof(card)) == (0, 1)
        exercise = db.session.get_one(Exercise, exercise_id)
        assert exercise.current is not None and exercise.current.proof == card.as_json()


def test_an_instructor_sees_the_card_the_figures_and_the_submissions(
    app: Flask, ivan: FlaskClient, exercise_id: int
) -> None:
    page = ivan.get(URL).text
    assert "not proven on this site" in page
    with app.app_context():
        keep_proof(prove(from_files(FILES), FakeBox(script=judge), name="calls/double-it", at=NOON))
    page = ivan.get(URL).text
    assert "proven" in page and "11 runs" in page and "33 %" in page and "1 of 2" in page and "Lena" in page
    assert "Every reference passes all checks, whatever the seed" in page
    assert "wrong/takes-none" in page
    listing = ivan.get("/instructor/exercises").text
    assert f'href="{URL}"' in listing and "33 %" in listing and "proven" in listing


def test_a_failed_proof_shows_the_rule_and_the_place(app: Flask, ivan: FlaskClient, exercise_id: int) -> None:
    with app.app_context():
        keep_proof(prove(from_files(FILES), FakeBox(), name="calls/double-it", at=NOON))
    page = ivan.get(URL).text
    assert "not proven" in page and "is accepted; nothing is left to do" in page
    assert "must fail big but passed" in page


def test_an_unpublished_exercise_is_still_there_for_instructors(
    app: Flask, ivan: FlaskClient, exercise_id: int
) -> None:
    with app.app_context():
        db.session.get_one(Exercise, exercise_id).published = False
        db.session.commit()
    assert "not published" in ivan.get(URL).text
    assert "not published" in ivan.get("/instructor/exercises").text


@pytest.mark.parametrize("url", [URL, "/instructor/exercises"])
def test_it_is_for_instructors_only(
    client: FlaskClient, lena: FlaskClient, ada: FlaskClient, exercise_id: int, url: str
) -> None:
    assert client.get(url).status_code == 303
    assert lena.get(url).status_code == 403
    assert ada.get(url).status_code == 200


def test_what_is_not_there_is_not_found(ivan: FlaskClient) -> None:
    assert ivan.get("/instructor/exercises/calls/nothing").status_code == 404
    assert "There are no exercises yet" in ivan.get("/instructor/exercises").text
