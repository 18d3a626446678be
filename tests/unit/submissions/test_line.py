"""Who is judged next: people before regrades, and a regrade's shadows are seen by nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts.models import User
from app.authoring.services import acceptance, detail
from app.catalog.models import Exercise
from app.db import db, now
from app.errors import NotFound
from app.live.models import Event
from app.progress.models import Attempt
from app.submissions import line, lookup, services
from app.submissions.line import anything_waits, place_in_line, regrades_wait
from app.submissions.models import CheckResult, Purpose, Stage, Submission
from app.submissions.services import LEASE, MAX_CLAIMS, MAX_IN_FLIGHT, claim_next
from app.submissions.shadows import forget_shadows, judge_again
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.conftest import Cast
from tests.factories import NOON, make_exercise, make_submission
from tests.unit.submissions.exercises import ANSWER, URL

pytestmark = pytest.mark.both_databases

PASSED = Outcome(ended=Ended.COMPLETED, checks=(CheckOutcome(id="twice", passed=True),))


def submit(learner_id: int, exercise_id: int, purpose: Purpose = Purpose.SUBMIT) -> int:
    exercise = db.session.get_one(Exercise, exercise_id)
    return services.submit(learner_id, exercise, language="python", files=ANSWER, purpose=purpose).id


def original(learner_id: int, exercise_id: int) -> Submission:
    """A submission judged an hour ago."""
    learner, exercise = db.session.get_one(User, learner_id), db.session.get_one(Exercise, exercise_id)
    before = now() - timedelta(hours=1)
    return make_submission(
        learner, exercise, verdict="accepted", language="python", files=ANSWER, created_at=before, judged_at=before
    )


def regrade(learner_id: int, exercise_id: int, count: int = 1) -> list[int]:
    """Let so many submissions of the learner wait to be judged again; return the shadows."""
    originals = [original(learner_id, exercise_id) for _ in range(count)]
    shadows = judge_again([each.id for each in originals], originals[0].revision_id)
    db.session.commit()
    return sorted(shadows.values())


def claimed(worker: str = "w") -> int | None:
    found = claim_next(worker, now())
    return found.id if found else None


def test_a_submission_sent_while_many_regrades_wait_is_claimed_next(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        first, *rest = regrade(cast.olaf, exercise_id, 20)
        assert claimed("w1") == first
        sent, run = submit(cast.lena, exercise_id), submit(cast.lena, exercise_id, Purpose.RUN)
        assert (claimed("w2"), claimed("w3")) == (sent, run)
        assert [claimed(f"w{n}") for n in range(4, 7)] == rest[:3]


def test_a_learner_whose_own_submissions_are_regraded_waits_no_longer(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        regrade(cast.lena, exercise_id, 5)
        mine, theirs = submit(cast.lena, exercise_id), submit(cast.olaf, exercise_id)
        assert [place_in_line(mine), place_in_line(theirs)] == [1, 2]
        assert [claimed("w1"), claimed("w2")] == [mine, theirs]


def test_a_lost_shadow_is_taken_again_but_after_people(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        (shadow,) = regrade(cast.olaf, exercise_id)
        assert claimed() == shadow
        later = now() + LEASE + timedelta(seconds=1)
        assert regrades_wait(later) and not anything_waits(later)
        sent = submit(cast.lena, exercise_id)
        found = [claim_next("w2", later), claim_next("w3", later)]
        assert [each.id for each in found if each] == [sent, shadow]


STEPS = st.lists(st.sampled_from(["send", "regrade", "claim", "judge", "lose"]), max_size=25)


def test_no_regrade_is_claimed_while_a_learner_waits(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():

        @settings(max_examples=25, deadline=None, derandomize=True)
        @given(STEPS)
        def play(steps: list[str]) -> None:
            _play(cast, exercise_id, steps)

        play()


def _play(cast: Cast, exercise_id: int, steps: list[str]) -> None:
    db.session.execute(Submission.__table__.delete().where(Submission.purpose == Purpose.REGRADE))
    for model in (Attempt, CheckResult, Event, Submission):
        db.session.execute(model.__table__.delete())
    db.session.commit()
    at, held = NOON, []
    learners = [cast.lena, cast.olaf, cast.ivan, cast.ada]
    for number, step in enumerate(steps):
        if step == "send" and _waiting(at) < MAX_IN_FLIGHT:
            submit(learners[number % 4], exercise_id)
        elif step == "regrade":
            regrade(learners[number % 4], exercise_id, 2)
        elif step == "lose":
            at += LEASE + timedelta(seconds=1)
        elif step == "claim":
            people = _waiting(at)
            found = claim_next(f"w{number}", at)
            assert found is None or not people or found.purpose is not Purpose.REGRADE
            assert found is not None or not people
            held += [found] if found else []
        elif step == "judge" and held:
            services.record(held.pop(), Outcome(ended=Ended.OUT_OF_TIME), [], at)


def _waiting(at: object) -> int:
    """Return how many submissions of people could be claimed."""
    queued = (Submission.stage == Stage.QUEUED) | ((Submission.lease_until < at) & (Submission.claims < MAX_CLAIMS))
    waiting = select(func.count()).where(queued, Submission.purpose != Purpose.REGRADE)
    return db.session.scalar(waiting) or 0


@pytest.mark.parametrize("judged", [False, True])
def test_a_shadow_is_in_no_list_figure_or_line(app: Flask, cast: Cast, exercise_id: int, judged: bool) -> None:
    with app.app_context():
        mine = original(cast.lena, exercise_id).id
        other = make_exercise("welcome", "other", kind="calls", languages=["python"])
        make_submission(db.session.get_one(User, cast.lena), other, language="python")
        assert claim_next("w", now())
        before = _seen(cast, exercise_id)
        exercise = db.session.get_one(Exercise, exercise_id)
        (shadow,) = judge_again([mine], exercise.current_revision_id or 0).values()
        db.session.commit()
        if judged:
            claim = claim_next("w", now())
            assert claim is not None and claim.id == shadow
            services.renew(claim, now(), [("box.started", {})])
            assert services.record(claim, Outcome(ended=Ended.OUT_OF_TIME), [], now())
        assert _seen(cast, exercise_id) == before
        for finding in (
            lambda: lookup.find_own(cast.lena, shadow),
            lambda: lookup.find_readable(shadow, reader=db.session.get_one(User, cast.ada)),
        ):
            with pytest.raises(NotFound):
                finding()


def _seen(cast: Cast, exercise_id: int) -> list[object]:
    """Return all that anybody is shown of submissions."""
    db.session.expire_all()
    last = lookup.latest(cast.lena, exercise_id)
    found = detail("welcome", "double-it", reader=db.session.get_one(User, cast.ada))
    return [
        [each.id for each in lookup.history(cast.lena, exercise_id)],
        last and last.id,
        line.queue_length(),
        [(revision.id, language) for revision, language in services.likely_next()],
        acceptance(),
        (found.overview.learners, found.overview.solvers, found.overview.last_at),
        [(check.id, check.judged) for check in found.checks],
        [each.id for each in found.submissions],
        db.session.scalar(select(func.count()).select_from(Event)),
        db.session.scalar(select(func.count()).select_from(Attempt)),
    ]


def test_a_shadow_has_no_page_for_anybody(
    app: Flask, cast: Cast, lena: FlaskClient, ivan: FlaskClient, ada: FlaskClient, exercise_id: int
) -> None:
    with app.app_context():
        (shadow,) = regrade(cast.lena, exercise_id)
        mine = db.session.get_one(Submission, shadow).original_id
    for browser in (lena, ivan, ada):
        for path in ("", "/fragment", "/events"):
            assert browser.get(f"/submissions/{shadow}{path}").status_code == 404
        assert browser.post(f"/submissions/{shadow}/restore").status_code == 404
        assert browser.get(f"/submissions/{mine}?against={shadow}").status_code == 404
    assert f"#{shadow}" not in lena.get(URL).text


def test_shadows_are_queued_in_one_statement_without_events(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        shadows = regrade(cast.lena, exercise_id, 30)
        assert len(shadows) == 30
        assert db.session.scalar(select(func.count()).select_from(Event)) == 0


def test_what_kills_every_worker_ends_without_an_event(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        (shadow,) = regrade(cast.lena, exercise_id)
        at = NOON
        for _ in range(MAX_CLAIMS):
            assert claim_next("w", at)
            at += LEASE + timedelta(seconds=1)
        assert services.requeue_expired(at) == 1
        db.session.expire_all()
        assert db.session.get_one(Submission, shadow).verdict == "judge error"
        assert db.session.scalar(select(func.count()).select_from(Event)) == 0


def test_forgotten_shadows_take_their_check_results_along_and_nothing_else(
    app: Flask, cast: Cast, exercise_id: int
) -> None:
    with app.app_context():
        (shadow,) = regrade(cast.lena, exercise_id)
        mine = db.session.get_one(Submission, shadow).original_id
        for of in (shadow, mine):
            db.session.add(CheckResult(submission_id=of, position=0, check_id="twice", visible=True, passed=True))
        db.session.commit()
        forget_shadows(select(Submission.id))  # whatever is named: originals are not its to delete
        db.session.commit()
        assert list(db.session.scalars(select(Submission.id))) == [mine]
        assert list(db.session.scalars(select(CheckResult.submission_id))) == [mine]
