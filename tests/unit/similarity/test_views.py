"""Searching for similar submissions: whom it looks at, who sees what it found, and what people make of it."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.accounts.models import User
from app.audit.models import AuditEntry
from app.cohorts.models import CohortMember
from app.db import db, now
from app.similarity import services
from app.similarity.models import SimilarityRun
from app.similarity.worker import work_once
from app.submissions.models import Submission
from tests.conftest import Cast
from tests.factories import make_cohort, make_person, make_submission
from tests.unit.similarity.test_matching import OTHER, RENAMED, WRITTEN
from tests.unit.submissions.exercises import double_it

SEARCHES = "/instructor/similarity"


@pytest.fixture
def exercise_id(app: Flask, cast: Cast, cohort_id: int) -> int:
    """An exercise that Lena and Nora of Ivan's class solved alike; Olaf, of nobody's class, did as they did."""
    with app.app_context():
        exercise = double_it()
        nora = make_person("Nora")
        db.session.add(CohortMember(cohort_id=cohort_id, learner_id=nora.id))
        lena, olaf = db.session.get_one(User, cast.lena), db.session.get_one(User, cast.olaf)
        sent = [(lena, WRITTEN, "accepted"), (lena, OTHER, "wrong answer"), (nora, OTHER, "wrong answer")]
        for person, text, verdict in [*sent, (nora, RENAMED, "wrong answer"), (olaf, WRITTEN, "accepted")]:
            make_submission(
                person, exercise, verdict=verdict, language="python", files={"app.py": text}, judged_at=now()
            )
        return int(exercise.id)


def search(app: Flask, browser: FlaskClient, exercise_id: int, **form: str) -> str:
    """Search, let a worker do it, and return the address of what it found."""
    answer = browser.post(SEARCHES, data={"exercise": str(exercise_id), "cohort": "0", "threshold": "50", **form})
    assert answer.status_code == 303, answer.text
    assert work_once(app)
    return str(answer.headers["Location"])


def first_pair(browser: FlaskClient, found: str) -> str:
    """Return the address of the first pair on a page."""
    return re.findall(rf'href="({SEARCHES}/pairs/\d+)"', browser.get(found).text)[0]


@pytest.mark.both_databases
def test_a_search_finds_the_pair_in_the_best_submission_of_each_learner(
    app: Flask, ivan: FlaskClient, exercise_id: int
) -> None:
    page = ivan.get(search(app, ivan, exercise_id)).text
    assert "2 submissions compared" in page
    assert "Lena and Nora" in page and "Olaf" not in page
    assert "Nothing here accuses anybody" in page
    assert not work_once(app)


def test_a_search_looks_at_one_class_where_one_is_chosen(
    app: Flask, cast: Cast, ada: FlaskClient, ivan: FlaskClient, cohort_id: int, exercise_id: int
) -> None:
    assert "3 submissions compared" in ada.get(search(app, ada, exercise_id)).text
    assert "2 submissions compared" in ada.get(search(app, ada, exercise_id, cohort=str(cohort_id))).text
    with app.app_context():
        other = make_cohort(instructor=db.session.get_one(User, cast.inge)).id
    form = {"exercise": str(exercise_id), "cohort": str(other), "threshold": "50"}
    assert ivan.post(SEARCHES, data=form).status_code == 404


def test_the_pair_is_shown_side_by_side_with_what_they_share_marked(
    app: Flask, ivan: FlaskClient, exercise_id: int
) -> None:
    page = ivan.get(first_pair(ivan, search(app, ivan, exercise_id))).text
    assert page.count('class="hll"') >= 10
    assert len(re.findall(r"In common: lines \d+–\d+", page)) == 2
    assert "Nothing here accuses anybody" in page


def test_a_judgement_is_kept_and_in_the_log_and_can_be_taken_back(
    app: Flask, cast: Cast, ivan: FlaskClient, exercise_id: int
) -> None:
    found = search(app, ivan, exercise_id)
    pair = first_pair(ivan, found)
    answer = ivan.post(f"{pair}/judgement", data={"judgement": "discussed", "note": "They sat <together>."})
    assert answer.headers["Location"] == found
    assert "discussed" in ivan.get(found).text
    assert "Discussed by Ivan" in ivan.get(pair).text and "They sat &lt;together&gt;." in ivan.get(pair).text
    ivan.post(f"{pair}/judgement", data={"judgement": "none", "note": ""})
    assert "by Ivan" not in ivan.get(pair).text
    with app.app_context():
        judged = select(AuditEntry.data).where(AuditEntry.action == "similarity.judged").order_by(AuditEntry.id)
        assert list(db.session.scalars(judged)) == [
            {"before": "none", "after": "discussed"},
            {"before": "discussed", "after": "none"},
        ]


@pytest.mark.parametrize(
    ("sent", "said"),
    [({"judgement": "guilty"}, "Choose one of the judgements."), ({"note": "x" * 2001}, "Write at most 2000")],
)
def test_what_is_wrong_with_a_judgement_is_said_and_nothing_is_lost(
    app: Flask, ivan: FlaskClient, exercise_id: int, sent: dict[str, str], said: str
) -> None:
    pair = first_pair(ivan, search(app, ivan, exercise_id))
    answer = ivan.post(f"{pair}/judgement", data={"judgement": "confirmed", "note": "Typed.", **sent})
    assert answer.status_code == 422
    assert said in answer.text and sent.get("note", "Typed.") in answer.text


@pytest.mark.parametrize("threshold", ["", "0", "101", "-5", "x", "5.5", "²"])
def test_a_share_that_is_none_is_refused_at_its_field(ivan: FlaskClient, exercise_id: int, threshold: str) -> None:
    answer = ivan.post(SEARCHES, data={"exercise": str(exercise_id), "cohort": "0", "threshold": threshold})
    assert answer.status_code == 422
    assert "Enter a share from 1 to 100 percent." in answer.text


def test_an_exercise_of_nobody_one_may_read_is_not_offered(inge: FlaskClient, exercise_id: int) -> None:
    assert "There is nothing to compare yet" in inge.get(SEARCHES).text
    form = {"exercise": str(exercise_id), "cohort": "0", "threshold": "50"}
    assert inge.post(SEARCHES, data=form).status_code == 422


def test_nobody_else_sees_a_search_and_nobody_sees_what_they_may_no_longer_read(
    app: Flask, cast: Cast, ivan: FlaskClient, inge: FlaskClient, lena: FlaskClient, ada: FlaskClient, exercise_id: int
) -> None:
    found = search(app, ivan, exercise_id)
    pair = first_pair(ivan, found)
    for path in (found, pair):
        assert (inge.get(path).status_code, lena.get(path).status_code, ada.get(path).status_code) == (404, 403, 200)
    with app.app_context():
        db.session.delete(db.session.scalars(select(CohortMember).where(CohortMember.learner_id == cast.lena)).one())
        db.session.commit()
    assert "Lena" not in ivan.get(found).text
    assert ivan.get(pair).status_code == 404
    assert ivan.post(f"{pair}/judgement", data={"judgement": "confirmed"}).status_code == 404


@pytest.mark.both_databases
def test_a_search_whose_worker_died_is_done_again_and_the_second_time_given_up(
    app: Flask, ivan: FlaskClient, exercise_id: int
) -> None:
    ivan.post(SEARCHES, data={"exercise": str(exercise_id), "cohort": "0", "threshold": "50"})
    with app.app_context():
        dead = services.claim_next(now())
        assert dead is not None and services.claim_next(now()) is None
        assert services.claim_next(now() + 2 * services.LEASE) is not None
        assert not services.record(dead, [], compared=0)
        assert services.claim_next(now() + 4 * services.LEASE) is None
        assert db.session.scalars(select(SimilarityRun.stage)).one() == "failed"
    assert "The search could not be done" in ivan.get(f"{SEARCHES}/1").text


def test_a_search_that_waits_says_so(app: Flask, ivan: FlaskClient, exercise_id: int) -> None:
    found = ivan.post(SEARCHES, data={"exercise": str(exercise_id), "cohort": "0", "threshold": "50"})
    assert "The search is queued" in ivan.get(found.headers["Location"]).text
    assert "queued" in ivan.get(SEARCHES).text


def test_a_search_that_finds_nothing_says_so(app: Flask, ivan: FlaskClient, exercise_id: int) -> None:
    with app.app_context():
        db.session.execute(update(Submission).where(Submission.id != 1).values(files={"app.py": OTHER}))
        db.session.commit()
    assert "Nothing found" in ivan.get(search(app, ivan, exercise_id)).text
