"""Proofs in the queue: run by run, after every learner, surviving what workers and sandboxes do."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import undefer_group

from app.authoring import prover
from app.authoring.models import ProofRun, ProofStage, ProofTrial, WorkingCopy
from app.authoring.outcomes import told_from_text
from app.authoring.worker import Lease, work_once
from app.catalog.models import Exercise, Revision
from app.db import db, now
from app.errors import TooMany
from app.live.models import Event
from app.submissions import services as submissions
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.verdict import Verdict
from app.submissions.worker import work_forever
from sandbox.errors import EngineUnavailable
from sandbox.fake_box import FakeBox
from sandbox.job import Job
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.conftest import Cast
from tests.exercise_folders import FILES, changed, without
from tests.factories import make_exercise
from tests.unit.authoring.proving import RUNS, TOLD, begin, card_of, judge, make_copy, outspoken, work_off
from tests.unit.submissions.exercises import ANSWER, double_it

pytestmark = pytest.mark.both_databases


def trials(app: Flask, run_id: int) -> list[ProofTrial]:
    with app.app_context():
        rows = select(ProofTrial).where(ProofTrial.run_id == run_id).order_by(ProofTrial.position)
        return list(db.session.scalars(rows.options(undefer_group("said"))))


def stage(app: Flask, run_id: int) -> str:
    with app.app_context():
        return db.session.get_one(ProofRun, run_id).stage


def claim(app: Flask, worker: str = "w", *, later: timedelta = timedelta()) -> prover.Claim | None:
    with app.app_context():
        return prover.claim_next(worker, now() + later)


def test_a_proof_freezes_the_files_and_plans_every_run(app: Flask, cast: Cast) -> None:
    copy_id, run_id = begin(app, cast.ivan)
    rows = trials(app, run_id)
    assert len(rows) == RUNS
    assert [row.name for row in rows[:4]] == ["solutions/python"] * 3 + ["starter/python"]
    assert len({row.seed for row in rows}) == 3
    with app.app_context():
        db.session.get_one(WorkingCopy, copy_id).files = {}
        db.session.commit()
        assert db.session.get_one(ProofRun, run_id).files == FILES
    assert stage(app, run_id) == ProofStage.QUEUED


def test_when_every_run_is_over_the_card_says_that_it_holds(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan)
    box = work_off(app)
    card = card_of(app, run_id)
    assert card["passed"] and card["exercise"] == "calls/double-it"
    assert len(box.jobs) == RUNS + TOLD
    assert stage(app, run_id) == ProofStage.DONE
    with app.app_context():
        names = list(db.session.scalars(select(Event.name).where(Event.topic == f"proof:{run_id}").order_by(Event.id)))
    assert (names[0], names[-1]) == ("proof.queued", "proof.finished")
    assert names.count("trial.finished") == RUNS + TOLD


def test_a_program_that_passes_what_it_must_fail_breaks_the_rule(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan)
    work_off(app, lambda job: judge(job, {"solutions/python/app.py": set(), "wrong/adds-two/app.py": set()}))
    card = card_of(app, run_id)
    assert not card["passed"]
    assert "wrong" in [rule["name"] for rule in card["rules"] if not rule["passed"]]


def test_what_tests_say_is_kept_for_the_author_and_judged_by_the_first_run_alone(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan)
    box = work_off(app, outspoken)
    assert card_of(app, run_id)["passed"]  # rule `silent` never saw the second run
    rows = trials(app, run_id)
    assert [row.told for row in rows[:3]] == ["", "", ""]
    wrong = next(row for row in rows if row.name == "wrong/takes-none")
    assert [check.message for check in told_from_text(wrong.told) if not check.passed] == ["none saw 15308642"]
    assert wrong.outcome and "15308642" not in str(wrong.outcome)
    loud = [job for job in box.jobs if all(check.visible for check in job.checks)]
    assert len(loud) == TOLD and box.jobs[:RUNS] == [job for job in box.jobs if job not in loud]


def test_files_that_are_not_well_formed_have_their_card_at_once(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan, changed("seconds: 10", "seconds: 0"))
    card = card_of(app, run_id)
    assert not card["passed"]
    (rule,) = card["rules"]
    assert rule["name"] == "format" and "limits.seconds must be" in str(rule["findings"])
    assert trials(app, run_id) == []
    _, other = begin(app, cast.ivan, without("exercise.yaml"))
    assert stage(app, other) == ProofStage.DONE


def test_asking_twice_gives_the_same_proof(app: Flask, cast: Cast) -> None:
    copy_id, run_id = begin(app, cast.ivan)
    with app.app_context():
        copy = db.session.get_one(WorkingCopy, copy_id)
        assert prover.prove(cast.ivan, copy, now()).id == run_id


def test_a_proof_of_newer_files_stops_the_one_under_way(app: Flask, cast: Cast) -> None:
    copy_id, old = begin(app, cast.ivan)
    held = claim(app)
    with app.app_context():
        copy = db.session.get_one(WorkingCopy, copy_id)
        copy.files = {**FILES, "README.md": FILES["README.md"] + "\nMore.\n"}
        db.session.commit()
        new = prover.prove(cast.ivan, copy, now()).id
    assert new != old
    (rule,) = card_of(app, old)["rules"]
    assert rule["name"] == "stopped" and trials(app, old) == []
    assert held is not None
    with app.app_context():
        assert prover.job_for_claim(held) is None
        assert prover.record(held, Outcome(ended=Ended.COMPLETED), now()) is None
    work_off(app)
    assert card_of(app, new)["passed"]


def test_of_many_proofs_the_latest_are_kept(app: Flask, cast: Cast) -> None:
    copy_id, first = begin(app, cast.ivan, without("exercise.yaml"))
    for number in range(prover.KEPT + 2):
        with app.app_context():
            copy = db.session.get_one(WorkingCopy, copy_id)
            copy.files = {"README.md": f"{number}"}
            db.session.commit()
            last = prover.prove(cast.ivan, copy, now()).id
    with app.app_context():
        kept = list(db.session.scalars(select(ProofRun.id).order_by(ProofRun.id)))
    assert len(kept) == prover.KEPT and first not in kept and last in kept


def test_nobody_has_more_than_a_few_proofs_under_way(app: Flask, cast: Cast) -> None:
    for _ in range(prover.MAX_UNFINISHED):
        begin(app, cast.ivan)
    with app.app_context():
        copy = make_copy(cast.ivan)
        with pytest.raises(TooMany):
            prover.prove(cast.ivan, copy, now())
    begin(app, cast.ada)


def test_the_proof_of_a_published_revision_is_kept_with_it(app: Flask, cast: Cast) -> None:
    with app.app_context():
        exercise = make_exercise("calls", "double-it", files=FILES, kind="calls", languages=["python"])
        revision_id = exercise.current_revision_id
        copy = make_copy(cast.ivan)
        run = prover.prove(cast.ivan, copy, now())
        revision = db.session.get_one(Revision, revision_id)
        revision.digest = run.digest
        db.session.commit()
    work_off(app)
    with app.app_context():
        proof = db.session.get_one(Revision, revision_id).proof
        assert proof is not None and proof["passed"]


def test_no_two_workers_get_the_same_run(app: Flask, cast: Cast) -> None:
    begin(app, cast.ivan)
    claims = [claim(app, f"w{number}") for number in range(RUNS + 1)]
    assert claims.pop() is None
    assert len({each.id for each in claims if each}) == RUNS


def test_a_run_whose_worker_died_is_taken_again(app: Flask, cast: Cast) -> None:
    begin(app, cast.ivan)
    first = claim(app)
    again = claim(app, "x", later=prover.LEASE * 2)
    assert first is not None and again is not None
    assert (again.id, again.number) == (first.id, 2)
    with app.app_context():
        assert not prover.renew(first, now())
        assert prover.record(first, Outcome(ended=Ended.COMPLETED), now()) is None
        assert prover.renew(again, now())


def test_what_killed_three_workers_is_given_up_and_the_card_says_so(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan)
    with app.app_context():
        first = db.session.scalars(select(ProofTrial).where(ProofTrial.position == 0)).one()
        first.stage, first.claims, first.claimed_by = ProofStage.RUNNING, prover.MAX_CLAIMS, "dead"
        first.lease_until = now() - timedelta(seconds=1)
        db.session.commit()
    work_off(app)
    card = card_of(app, run_id)
    (rule,) = [rule for rule in card["rules"] if not rule["passed"]]
    assert rule["name"] == "judged" and "3 workers died" in str(rule["findings"])


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits after a fault of the platform."""
    monkeypatch.setattr("app.authoring.worker.RETRY_AFTER", 0.0)


def test_a_fault_of_the_platform_is_tried_once_more(app: Flask, cast: Cast, patient: None) -> None:
    broken: list[str] = []

    def flaky(job: Job) -> Outcome:
        if not broken:
            broken.append(job.id)
            return Outcome(ended=Ended.BOX_BROKE, reason="no room")
        return judge(job)

    _, run_id = begin(app, cast.ivan)
    work_off(app, flaky)
    assert card_of(app, run_id)["passed"]


def test_a_platform_that_stays_broken_is_named_and_proves_nothing(app: Flask, cast: Cast, patient: None) -> None:
    _, run_id = begin(app, cast.ivan)
    box = work_off(app, lambda job: Outcome(ended=Ended.BOX_BROKE, reason="no room"))
    card = card_of(app, run_id)
    assert not card["passed"] and "no room" in str(card["rules"])
    assert len(box.jobs) == RUNS * prover.MAX_TRIES
    assert {row.verdict for row in trials(app, run_id)} == {Verdict.JUDGE_ERROR}


def test_an_engine_that_is_away_costs_no_try(app: Flask, cast: Cast) -> None:
    def away(_job: Job) -> Outcome:
        raise EngineUnavailable("gone")

    _, run_id = begin(app, cast.ivan)
    with pytest.raises(EngineUnavailable):
        work_once(app, FakeBox(script=away), "w")
    assert {(row.stage, row.claims) for row in trials(app, run_id)} == {(ProofStage.QUEUED, 0)}
    work_off(app)
    assert card_of(app, run_id)["passed"]


def test_a_program_that_crashes_before_any_check_is_not_run_again(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan)
    box = work_off(app, lambda job: Outcome(ended=Ended.NOT_LOADED, detail="SyntaxError"))
    assert len(box.jobs) == RUNS and not card_of(app, run_id)["passed"]


def test_a_lease_is_renewed_while_a_run_lasts(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.authoring.worker.LEASE", timedelta(seconds=0.06))
    begin(app, cast.ivan)
    held = claim(app)
    assert held is not None
    before = trials(app, held.run_id)[0].lease_until
    with Lease(app=app, claim=held):
        time.sleep(0.3)
    after = trials(app, held.run_id)[0].lease_until
    assert before is not None and after is not None and after > before


def test_a_proof_that_was_planned_by_other_rules_is_ended_and_says_so(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan)
    with app.app_context():
        db.session.scalars(select(ProofTrial).where(ProofTrial.position == 5)).one().name = "cheat of old"
        db.session.commit()
    work_off(app)
    (rule,) = card_of(app, run_id)["rules"]
    assert rule["name"] == "stopped"


def test_a_learners_submission_is_judged_before_the_next_run(app: Flask, cast: Cast) -> None:
    begin(app, cast.ivan)
    with app.app_context():
        exercise_id = double_it().id
    order: list[str] = []
    stop = threading.Event()

    def script(job: Job) -> Outcome:
        order.append("proof" if job.id.startswith("proof-") else "learner")
        if len(order) == 2:
            with app.app_context():
                exercise = db.session.get_one(Exercise, exercise_id)
                submissions.submit(cast.lena, exercise, language="python", files=ANSWER, purpose=Purpose.SUBMIT)
        if len(order) == 6:
            stop.set()
        checks = tuple(CheckOutcome(id=check.id, passed=True) for check in job.checks)
        return Outcome(ended=Ended.COMPLETED, checks=checks)

    worker = threading.Thread(target=work_forever, args=(app, FakeBox(script=script), "w", stop, 0.05))
    worker.start()
    worker.join(30)
    assert order[:4] == ["proof", "proof", "learner", "proof"]
    with app.app_context():
        assert db.session.scalars(select(Submission.stage)).one() == Stage.JUDGED


def test_an_idle_worker_writes_nothing(app: Flask, cast: Cast) -> None:
    assert not work_once(app, FakeBox(), "w")


def test_the_last_two_runs_may_end_at_once(app: Flask, cast: Cast) -> None:
    _, run_id = begin(app, cast.ivan)

    def work(name: str) -> None:
        while stage(app, run_id) != ProofStage.DONE:
            work_once(app, FakeBox(script=judge), name)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    card = card_of(app, run_id)
    assert card["passed"] and len(card["runs"]) == RUNS
