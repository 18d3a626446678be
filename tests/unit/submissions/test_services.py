"""From submitting to a recorded verdict: nothing lost, nothing twice, nobody else's."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts.models import User
from app.catalog.models import Exercise
from app.catalog.services import source_of
from app.db import db
from app.errors import Invalid, NotFound, TooMany
from app.live.models import Event
from app.progress.models import Attempt
from app.submissions import heartbeat, lookup, services
from app.submissions.models import CheckResult, Purpose, Stage, Submission
from app.submissions.services import LEASE, MAX_CLAIMS, MAX_IN_FLIGHT, Claim
from app.submissions.verdict import Verdict
from sandbox.outcome import CheckOutcome, Ended, Outcome
from sandbox.shelf import PoolStatus
from tests.conftest import Cast
from tests.factories import NOON, make_exercise, make_submission
from tests.unit.submissions.exercises import ANSWER, CHECKS, HIDDEN

pytestmark = pytest.mark.both_databases

SECOND = timedelta(seconds=1)
BROKEN = Outcome(ended=Ended.BOX_BROKE, reason="the box went away")


def passing(*failed: str, **more: Any) -> Outcome:
    """The outcome of a submission that fails exactly the checks named; it tells too much of each."""
    checks = tuple(
        CheckOutcome(id=id, passed=id not in failed, message=HIDDEN, steps=(HIDDEN,), expected=HIDDEN, output=HIDDEN)
        for id in CHECKS
    )
    return Outcome(**{"ended": Ended.COMPLETED, "checks": checks, "wall_time": timedelta(milliseconds=25), **more})


def submit(learner_id: int, exercise_id: int, purpose: Purpose = Purpose.SUBMIT) -> int:
    exercise = db.session.get_one(Exercise, exercise_id)
    return services.submit(learner_id, exercise, language="python", files=ANSWER, purpose=purpose).id


def claim(worker: str = "w1", at: datetime = NOON) -> Claim:
    claimed = services.claim_next(worker, at)
    assert claimed is not None
    return claimed


def record(claimed: Claim, outcome: Outcome, at: datetime = NOON) -> Verdict | None:
    row = db.session.get_one(Submission, claimed.id)
    return services.record(claimed, outcome, source_of(row.revision).checks(), at)


def row(submission_id: int) -> Submission:
    db.session.expire_all()
    return db.session.get_one(Submission, submission_id)


def told(submission_id: int) -> list[str]:
    topic = services.topic_of(submission_id)
    return list(db.session.scalars(select(Event.name).where(Event.topic == topic).order_by(Event.id)))


def attempts() -> list[Attempt]:
    return list(db.session.scalars(select(Attempt)))


def test_a_submission_is_queued_and_told_in_one_commit(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        first, second = submit(cast.lena, exercise_id), submit(cast.olaf, exercise_id)
        assert row(first).stage == Stage.QUEUED
        assert told(second) == ["submission.queued"]
        events = select(Event.data).where(Event.name == "submission.queued").order_by(Event.id)
        assert [data["place"] for data in db.session.scalars(events)] == [1, 2]


@pytest.mark.parametrize("language", ["cobol", "", "python "])
def test_a_language_that_is_not_offered_is_refused(app: Flask, cast: Cast, exercise_id: int, language: str) -> None:
    with app.app_context(), pytest.raises(Invalid):
        exercise = db.session.get_one(Exercise, exercise_id)
        services.submit(cast.lena, exercise, language=language, files=ANSWER, purpose=Purpose.SUBMIT)


def test_an_unpublished_exercise_takes_no_submission(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        db.session.get_one(Exercise, exercise_id).published = False
        db.session.commit()
        with pytest.raises(NotFound):
            submit(cast.lena, exercise_id)


def test_a_learner_has_few_jobs_in_flight_and_others_are_not_held_up(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        for _ in range(MAX_IN_FLIGHT):
            submit(cast.lena, exercise_id)
        with pytest.raises(TooMany):
            submit(cast.lena, exercise_id)
        db.session.rollback()
        submit(cast.olaf, exercise_id)
        record(claim(), passing())
        submit(cast.lena, exercise_id)


def test_requests_at_once_do_not_slip_past_the_limit(app: Flask, cast: Cast, exercise_id: int) -> None:
    start = threading.Barrier(8)

    def one(_number: int) -> bool:
        with app.app_context():
            start.wait()
            try:
                submit(cast.lena, exercise_id)
            except TooMany:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == MAX_IN_FLIGHT


def test_the_oldest_is_claimed_first_and_an_empty_queue_gives_none(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        first, second = submit(cast.lena, exercise_id), submit(cast.olaf, exercise_id)
        assert (claim().id, claim("w2").id) == (first, second)
        assert services.claim_next("w3", NOON) is None
        assert row(first).claimed_by == "w1"
        assert row(first).lease_until == NOON + LEASE


def test_two_claims_never_share_a_submission(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        learner, exercise = services.User(id=cast.lena), db.session.get_one(Exercise, exercise_id)
        ids = {make_submission(learner, exercise, language="python").id for _ in range(24)}
    start = threading.Barrier(6)

    def work(number: int) -> list[int]:
        start.wait()
        with app.app_context():
            found = []
            while claimed := services.claim_next(f"w{number}", NOON):
                found.append(claimed.id)
            return found

    with ThreadPoolExecutor(6) as pool:
        counted = Counter(id for found in pool.map(work, range(6)) for id in found)
    assert counted == Counter(ids)


def test_a_verdict_results_attempt_and_event_come_together(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        assert record(claim(), passing("big")) is Verdict.WRONG_ANSWER
        judged = row(id)
        assert (judged.stage, judged.verdict, judged.wall_ms) == (Stage.JUDGED, Verdict.WRONG_ANSWER, 25)
        assert [(c.check_id, c.passed) for c in judged.checks] == [(i, i != "big") for i in CHECKS]
        assert [(a.submission_id, a.solved) for a in attempts()] == [(id, False)]
        assert told(id) == ["submission.queued", "submission.judging", "submission.judged"]


def test_hidden_checks_store_nothing_but_whether_they_passed(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        record(claim(), passing("big", "twice"))
        for result in row(id).checks:
            told_too_much = [result.message, result.steps, result.expected, result.actual, result.output]
            assert any(told_too_much) == result.visible == (result.check_id in {"twice", "text"})


def test_an_unaided_solve_is_an_attempt_that_solved(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        submit(cast.lena, exercise_id)
        assert record(claim(), passing()) is Verdict.ACCEPTED
        assert [(a.solved, a.unaided) for a in attempts()] == [(True, True)]


def test_a_run_is_never_an_attempt(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        submit(cast.lena, exercise_id, Purpose.RUN)
        assert record(claim(), passing()) is Verdict.ACCEPTED
        assert attempts() == []


def test_a_broken_box_is_tried_once_more_and_never_blames_the_learner(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        assert record(claim(), BROKEN) is None
        assert row(id).stage == Stage.QUEUED
        assert record(claim("w2"), BROKEN) is Verdict.JUDGE_ERROR
        judged = row(id)
        assert (judged.verdict, judged.reason, judged.detail) == (Verdict.JUDGE_ERROR, "the box went away", "")
        assert attempts() == []
        assert judged.checks == []


def test_a_second_try_that_works_counts_once(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        submit(cast.lena, exercise_id)
        record(claim(), BROKEN)
        assert record(claim("w2"), passing()) is Verdict.ACCEPTED
        assert len(attempts()) == 1


def test_reports_that_do_not_match_the_manifest_are_the_judges_fault(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        short = Outcome(ended=Ended.COMPLETED, checks=(CheckOutcome(id="twice", passed=True),))
        record(claim(), short)
        assert record(claim(), short) is Verdict.JUDGE_ERROR
        assert "twice" in row(id).reason


def test_a_limit_with_doubled_and_unknown_reports_is_still_recorded(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        reports = tuple(CheckOutcome(id=i, passed=True, limit="odd") for i in ("twice", "twice", "unknown"))
        outcome = Outcome(ended=Ended.OUT_OF_TIME, checks=reports, max_memory_bytes=2**40)
        assert record(claim(), outcome) is Verdict.TIME_LIMIT
        assert [(c.check_id, c.passed, c.limit_hit) for c in row(id).checks] == [("twice", False, "")]


def test_control_characters_of_a_program_are_not_stored(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        record(claim(), passing(output="\x1b[2Jall gone\x00", detail="a\rb"))
        assert (row(id).output, row(id).detail) == ("[2Jall gone", "ab")


def test_a_worker_that_lost_its_lease_cannot_record(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        slow = claim("slow")
        late = NOON + LEASE + SECOND
        quick = claim("quick", late)
        assert quick.id == slow.id == id
        assert record(slow, passing("big"), late) is None
        assert not services.renew(slow, late, [("check.finished", {"done": 1})])
        assert not services.put_back(slow, reason="too late")
        assert record(quick, passing(), late) is Verdict.ACCEPTED
        assert record(slow, passing("big"), late) is None
        assert (row(id).verdict, len(attempts())) == (Verdict.ACCEPTED, 1)
        assert told(id).count("submission.judged") == 1


def test_the_same_worker_claiming_again_does_not_revive_its_old_claim(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        submit(cast.lena, exercise_id)
        old = claim("w1")
        new = claim("w1", NOON + LEASE + SECOND)
        assert record(old, passing()) is None
        assert record(new, passing()) is Verdict.ACCEPTED


def test_a_renewed_lease_is_not_taken_by_another(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        held = claim()
        assert services.renew(held, NOON + LEASE, [("box.started", {})])
        assert services.claim_next("w2", NOON + LEASE + SECOND) is None
        assert services.requeue_expired(NOON + LEASE + SECOND) == 0
        assert told(id)[-1] == "box.started"


def test_an_expired_lease_is_queued_again(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        claim()
        assert services.requeue_expired(NOON + LEASE + SECOND) == 1
        assert (row(id).stage, row(id).claims) == (Stage.QUEUED, 1)
        assert told(id)[-1] == "submission.queued"


def test_what_kills_every_worker_ends_as_a_judge_error(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        at = NOON
        for _ in range(MAX_CLAIMS):
            claim(at=at)
            at += LEASE + SECOND
        assert services.claim_next("w9", at) is None
        assert services.requeue_expired(at) == 1
        assert row(id).verdict == Verdict.JUDGE_ERROR
        assert (told(id)[-1], attempts()) == ("submission.judged", [])


def test_a_job_that_was_never_started_does_not_use_up_a_try(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        for _ in range(5):
            assert services.put_back(claim(), reason="no engine", counted=False)
        assert (row(id).stage, row(id).claims) == (Stage.QUEUED, 0)


def test_only_its_owner_an_instructor_of_theirs_and_an_admin_find_a_submission(
    app: Flask, cast: Cast, exercise_id: int
) -> None:
    with app.app_context():
        id = submit(cast.lena, exercise_id)
        assert lookup.find_own(cast.lena, id).id == id
        reader = {
            name: db.session.get_one(User, getattr(cast, name)) for name in ("lena", "ivan", "ada", "inge", "olaf")
        }
        for name in ("lena", "ivan", "ada"):
            assert lookup.find_readable(id, reader=reader[name]).id == id
        for finding in (
            lambda: lookup.find_own(cast.olaf, id),
            lambda: lookup.find_readable(id, reader=reader["olaf"]),
            lambda: lookup.find_readable(id, reader=reader["inge"]),
            lambda: lookup.find_own(cast.lena, id + 1),
        ):
            with pytest.raises(NotFound):
                finding()


def test_history_holds_the_learners_own_submissions_and_no_runs(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        submit(cast.olaf, exercise_id)
        first = submit(cast.lena, exercise_id)
        run = submit(cast.lena, exercise_id, Purpose.RUN)
        last = submit(cast.lena, exercise_id)
        assert [s.id for s in lookup.history(cast.lena, exercise_id)] == [last, first]
        assert run not in {s.id for s in lookup.history(cast.lena, exercise_id)}
        found = lookup.latest(cast.lena, exercise_id)
        assert found is not None and found.id == last


def test_a_queue_that_nobody_works_on_is_noticed(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        waiting = row(submit(cast.lena, exercise_id))
        later = waiting.created_at + timedelta(minutes=1)
        assert not lookup.stalled(waiting, waiting.created_at)
        assert lookup.stalled(waiting, later)
        other = submit(cast.olaf, exercise_id)
        claim(at=later)
        assert not lookup.stalled(row(other), later)


STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "record", "break", "renew", "wait", "sweep"]), st.integers(0, 2)), max_size=25
)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_workers_do_each_submission_is_judged_at_most_once(
    app: Flask, cast: Cast, exercise_id: int, seed: int
) -> None:
    with app.app_context():

        @settings(max_examples=12, deadline=None, derandomize=True)
        @given(STEPS)
        def play(steps: list[tuple[str, int]]) -> None:
            _play(cast.lena, exercise_id, [("claim", seed), *steps])

        play()


def _play(learner_id: int, exercise_id: int, steps: list[tuple[str, int]]) -> None:
    for model in (Attempt, CheckResult, Event, Submission):
        db.session.execute(model.__table__.delete())
    db.session.commit()
    ids = [submit(learner_id, exercise_id) for _ in range(2)]
    at, held = NOON, {}
    for step, worker in steps:
        mine = held.get(worker)
        if step == "claim":
            held[worker] = services.claim_next(f"w{worker}", at) or mine
        elif step == "wait":
            at += LEASE / 2 + SECOND
        elif step == "sweep":
            services.requeue_expired(at)
        elif mine and step == "renew":
            services.renew(mine, at)
        elif mine:
            record(mine, passing() if step == "record" else BROKEN, at)
    judged = [id for id in ids if row(id).stage == Stage.JUDGED]
    counts = db.session.scalar(select(func.count()).select_from(Event).where(Event.name == "submission.judged"))
    assert counts == len(judged)
    accepted = [id for id in judged if row(id).verdict == Verdict.ACCEPTED]
    assert sorted(a.submission_id for a in attempts()) == sorted(accepted)


def test_who_sends_many_waits_with_the_second_until_everybodys_first_was_taken(
    app: Flask, cast: Cast, exercise_id: int
) -> None:
    with app.app_context():
        flood = [submit(cast.lena, exercise_id) for _ in range(MAX_IN_FLIGHT)]
        assert claim().id == flood[0]
        late = submit(cast.olaf, exercise_id)
        placed = select(Event.data).where(Event.topic == services.topic_of(late))
        assert db.session.scalars(placed).one()["place"] == 1
        assert [claim(f"w{n}").id for n in range(3)] == [late, *flood[1:]]


def test_what_a_learner_sent_long_ago_does_not_hold_up_what_they_send_now(
    app: Flask, cast: Cast, exercise_id: int
) -> None:
    with app.app_context():
        for _ in range(3):
            submit(cast.lena, exercise_id)
            record(claim(), passing(), datetime.now(UTC))
        mine, theirs = submit(cast.lena, exercise_id), submit(cast.olaf, exercise_id)
        assert [claim(f"w{n}").id for n in range(2)] == [mine, theirs]


def test_a_verdict_is_awaited_and_comes_as_soon_as_it_is_recorded(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        submitted = submit(cast.lena, exercise_id)
        assert not services.await_verdict(submitted, 0.01)
        claimed = claim()

    def judge() -> None:
        with app.app_context():
            record(claimed, passing())

    thread = threading.Timer(0.2, judge)
    thread.start()
    with app.app_context():
        assert services.await_verdict(submitted, 30)
    thread.join()


def test_workers_say_what_they_hold_and_are_forgotten_when_silent_or_gone(app: Flask) -> None:
    pool = asdict(PoolStatus(budget_bytes=7, warm=3, cold=1))
    with app.app_context():
        heartbeat.report_worker("old", pool, NOON)
        heartbeat.report_worker("new", pool, NOON + timedelta(minutes=5))
        heartbeat.report_worker("new", {**pool, "warm": 4}, NOON + timedelta(minutes=6))
        assert [(row.name, row.pool["warm"]) for row in heartbeat.workers()] == [("new", 4), ("old", 3)]
        heartbeat.report_worker("new", pool, NOON + timedelta(hours=1))
        assert [row.name for row in heartbeat.workers()] == ["new"]
        heartbeat.dismiss_worker("new")
        assert heartbeat.workers() == []


def test_the_published_exercises_are_expected_those_asked_for_last_at_the_end(
    app: Flask, cast: Cast, exercise_id: int
) -> None:
    with app.app_context():
        other = make_exercise(slug="other")
        db.session.commit()
        make_submission(db.session.get_one(User, cast.lena), db.session.get_one(Exercise, exercise_id))
        db.session.commit()
        assert [revision.exercise_id for revision, _ in services.likely_next()] == [other.id, exercise_id]
        other.published = False
        db.session.commit()
        assert [revision.exercise_id for revision, _ in services.likely_next()] == [exercise_id]
