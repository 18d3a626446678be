"""Trying a working copy as a learner: for its author alone, and nothing of it counts."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import User
from app.authoring import copies, services
from app.authoring.models import WorkingCopy
from app.authoring.tryout import try_copy
from app.catalog.filters import Filters
from app.catalog.format import FormatError
from app.catalog.models import Exercise
from app.catalog.services import find, search
from app.db import db
from app.errors import NotFound
from app.progress.models import Attempt
from app.progress.services import standings_of
from app.submissions import lookup
from app.submissions import services as submissions
from app.submissions.models import Purpose, Submission
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.conftest import Cast, signed_in
from tests.exercise_folders import FILES
from tests.factories import NOON, make_person

pytestmark = pytest.mark.both_databases

ANSWER = {"app.py": "def double(x):\n    return 2 * x\n"}


def person(id: int) -> User:
    return db.session.get_one(User, id)


@pytest.fixture
def copy_id(app: Flask, cast: Cast) -> int:
    """Ivan's working copy."""
    with app.app_context():
        copy = WorkingCopy(owner_id=cast.ivan, track="calls", slug="mine", files=FILES)
        db.session.add(copy)
        db.session.commit()
        return copy.id


def tried(by: int, copy_id: int) -> Exercise:
    return try_copy(person(by), copies.find_own(person(by), copy_id))


def judge_next() -> None:
    """Judge the submission that is next: every check passes."""
    claim = submissions.claim_next("w1", NOON)
    assert claim is not None
    checks = copies.source_of_copy(db.session.scalars(select(WorkingCopy)).one()).checks()
    passing = tuple(CheckOutcome(id=check.id, passed=True) for check in checks)
    assert submissions.record(claim, Outcome(ended=Ended.COMPLETED, checks=passing), checks, NOON) == "accepted"


def test_it_opens_for_its_author_and_nobody_else(app: Flask, cast: Cast, copy_id: int) -> None:
    with app.app_context():
        trial = tried(cast.ivan, copy_id)
        assert trial.path == f"try/copy-{copy_id}"
        assert find(trial.track, trial.slug, cast.ivan).id == trial.id
        others = [None, cast.lena, cast.olaf, cast.ada, make_person(role="instructor").id]
        for viewer in others:
            with pytest.raises(NotFound):
                find(trial.track, trial.slug, viewer)


def test_it_holds_the_files_as_they_stand(app: Flask, cast: Cast, copy_id: int) -> None:
    with app.app_context():
        first = tried(cast.ivan, copy_id).current_revision_id
        assert tried(cast.ivan, copy_id).current_revision_id == first, "nothing changed, nothing new"
        copy = copies.find_own(person(cast.ivan), copy_id)
        copies.save(copy, version=1, files={**FILES, "starter/python/app.py": "def double(x):\n    pass\n"})
        trial = tried(cast.ivan, copy_id)
        assert trial.current is not None and trial.current.number == 2
        copies.save(copy, version=2, files={"README.md": "# Half"})
        with pytest.raises(FormatError):
            tried(cast.ivan, copy_id)


def test_an_admin_tries_it_beside_its_author(app: Flask, cast: Cast, copy_id: int) -> None:
    with app.app_context():
        own, admins = tried(cast.ivan, copy_id), tried(cast.ada, copy_id)
        assert (own.owner_id, admins.owner_id) == (cast.ivan, cast.ada)
        assert own.path != admins.path


def test_what_is_sent_to_it_is_judged_and_never_counts(app: Flask, cast: Cast, copy_id: int) -> None:
    with app.app_context():
        trial = tried(cast.ivan, copy_id)
        submissions.submit(cast.ivan, trial, language="python", files=ANSWER, purpose=Purpose.SUBMIT)
        judge_next()
        assert db.session.scalars(select(Submission)).one().verdict == "accepted"
        assert db.session.scalars(select(Attempt)).all() == []
        assert standings_of(cast.ivan) == []


def test_no_list_and_no_figure_knows_it(app: Flask, cast: Cast, copy_id: int, ivan: FlaskClient) -> None:
    with app.app_context():
        trial = tried(cast.ivan, copy_id)
        submissions.submit(cast.ivan, trial, language="python", files=ANSWER, purpose=Purpose.SUBMIT)
        judge_next()
        assert search(Filters(), cast.ivan).total == 0
        assert services.overviews() == []
        assert services.acceptance() == {}
        assert submissions.likely_next() == []
        path = trial.path
        with pytest.raises(NotFound):
            services.detail(trial.track, trial.slug, reader=db.session.get_one(User, cast.ada))
    for page in ("/exercises", "/progress", "/progress/attempts", "/instructor/learners"):
        assert path not in ivan.get(page).text


def test_only_its_author_reads_what_was_sent(app: Flask, cast: Cast, copy_id: int) -> None:
    with app.app_context():
        trial = tried(cast.ivan, copy_id)
        sent = submissions.submit(cast.ivan, trial, language="python", files=ANSWER, purpose=Purpose.RUN).id
        assert lookup.find_readable(sent, reader=person(cast.ivan)).id == sent
        with pytest.raises(NotFound):
            lookup.find_readable(sent, reader=person(cast.ada))
    assert signed_in(app, cast.ada).get(f"/submissions/{sent}").status_code == 404


def test_after_the_copy_is_deleted_nobody_opens_it(app: Flask, cast: Cast, copy_id: int) -> None:
    with app.app_context():
        trial = tried(cast.ivan, copy_id)
        track, slug = trial.track, trial.slug
        tried(cast.ada, copy_id)
        copies.discard(copies.find_own(person(cast.ivan), copy_id))
        for viewer in (None, cast.ivan, cast.ada):
            with pytest.raises(NotFound):
                find(track, slug, viewer)
        assert [one.owner_id for one in db.session.scalars(select(Exercise))] == [None, None]


def test_the_solve_page_says_what_it_is_and_leads_back(
    app: Flask, cast: Cast, copy_id: int, ivan: FlaskClient, client: FlaskClient, lena: FlaskClient
) -> None:
    with app.app_context():
        url = f"/exercises/{tried(cast.ivan, copy_id).path}"
    page = ivan.get(url)
    assert page.status_code == 200
    assert "You are trying this as a learner" in page.text
    assert f'href="/instructor/copies/{copy_id}"' in page.text
    assert client.get(url).status_code == 404
    assert lena.get(url).status_code == 404
