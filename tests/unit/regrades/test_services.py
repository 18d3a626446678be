"""A dry run that nobody notices, and what applying it changes: all of it, or nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.audit.models import AuditEntry
from app.catalog.models import Exercise
from app.catalog.status import Status
from app.db import db, now
from app.errors import Conflict, Invalid, NotFound
from app.live.models import Event
from app.notices.models import Notice
from app.progress.models import Attempt, Help
from app.progress.services import open_hint, statuses
from app.regrades import services, worker
from app.regrades.comparison import Change
from app.regrades.dry_run import compared, progress_of
from app.regrades.models import Regrade, RegradeItem, RegradeStage
from app.regrades.screen import Show, comparison
from app.regrades.services import Which
from app.submissions import sidework
from app.submissions.lookup import find_own
from app.submissions.models import CheckResult, Purpose, Stage, Submission
from app.submissions.screen import result_of
from app.submissions.services import claim_next, record, submit
from sandbox.fake_box import FakeBox
from sandbox.outcome import Ended, Outcome
from tests.factories import NOON, make_submission
from tests.unit.regrades.stage import (
    MENDED,
    REASON,
    Doubling,
    make_judged,
    start,
    work,
)
from tests.unit.submissions.exercises import ANSWER, CHECKS

pytestmark = pytest.mark.both_databases

BROKEN = Outcome(ended=Ended.BOX_BROKE, reason="the box went away")


def rows(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def shadows() -> list[Submission]:
    db.session.expire_all()
    query = select(Submission).where(Submission.purpose == Purpose.REGRADE).order_by(Submission.id)
    return list(db.session.scalars(query))


def row(submission_id: int) -> Submission:
    db.session.expire_all()
    return db.session.get_one(Submission, submission_id)


def attempts() -> dict[int, tuple[bool, bool]]:
    found = db.session.execute(select(Attempt.submission_id, Attempt.solved, Attempt.unaided))
    return {each.submission_id: (each.solved, each.unaided) for each in found}


def changes(regrade_id: int) -> dict[int, Change]:
    db.session.expire_all()
    return {one.submission_id: one.change for one in compared(db.session.get_one(Regrade, regrade_id))}


def test_a_dry_run_judges_the_same_files_again_with_the_chosen_revision(app: Flask, its: Doubling) -> None:
    with app.app_context():
        original = make_judged(its, its.lena, ["big"], seed=77)
        start(its)
        (shadow,) = shadows()
        assert (shadow.original_id, shadow.revision_id) == (original, its.mended)
        first = row(original)
        for same in ("learner_id", "exercise_id", "language", "files", "seed"):
            assert getattr(shadow, same) == getattr(first, same), same
        assert (shadow.stage, shadow.claims, shadow.detail) == (Stage.QUEUED, 0, "")


def test_a_dry_run_changes_nothing_and_tells_nobody(app: Flask, its: Doubling) -> None:
    with app.app_context():
        original = make_judged(its, its.lena, ["big"])
        before = (attempts(), rows(Event))
        regrade_id = start(its)
    assert work(app) == 1
    with app.app_context():
        assert changes(regrade_id) == {original: Change.GAINS}
        assert (attempts(), rows(Event), rows(Notice), rows(AuditEntry)) == (*before, 0, 0)
        assert (row(original).verdict, row(original).regraded_at) == ("wrong answer", None)


def test_only_what_counts_is_judged_again(app: Flask, its: Doubling) -> None:
    with app.app_context():
        exercise, lena = db.session.get_one(Exercise, its.exercise), db.session.get_one(User, its.lena)
        counts = make_judged(its, its.lena)
        make_submission(lena, exercise, language="python", verdict="accepted", purpose=Purpose.RUN)
        make_submission(lena, exercise, language="python", verdict="judge error")
        make_submission(lena, exercise, language="python")
        start(its)
        assert [shadow.original_id for shadow in shadows()] == [counts]


@pytest.mark.parametrize(
    ("which", "chosen"),
    [(Which.EVERY, [0, 1, 2, 3]), (Which.LATEST, [1, 3]), (Which.ACCEPTED, [0, 2, 3])],
)
def test_it_can_be_all_the_latest_or_the_accepted_ones(
    app: Flask, its: Doubling, which: Which, chosen: list[int]
) -> None:
    with app.app_context():
        ids = [
            make_judged(its, its.lena),
            make_judged(its, its.lena, ["big"]),
            make_judged(its, its.olaf),
            make_judged(its, its.olaf, revision_id=its.mended),
        ]
        start(its, which=which)
        assert [shadow.original_id for shadow in shadows()] == [ids[number] for number in chosen]


def test_it_can_be_those_that_one_revision_judged(app: Flask, its: Doubling) -> None:
    with app.app_context():
        old, new = make_judged(its, its.lena), make_judged(its, its.lena, revision_id=its.mended)
        start(its, judged_with=its.first)
        assert [shadow.original_id for shadow in shadows()] == [old]
        services.apply(its.owner, _judged(app, its))
        with pytest.raises(Invalid) as refused:
            start(its, judged_with=its.first)
        assert refused.value.field == "which"
        assert {row(old).results_of.id, row(new).results_of.id} == {its.mended}


def _judged(app: Flask, its: Doubling) -> int:
    """Judge all shadows by hand, inside the open context; return the id of the latest regrade."""
    while claim := claim_next("w", now()):
        specs = [_spec(check) for check in CHECKS]
        record(claim, Outcome(ended=Ended.COMPLETED, checks=_all_pass()), specs, now())
    return db.session.scalar(select(func.max(Regrade.id))) or 0


def _spec(check_id: str) -> Any:
    from app.catalog.format import CheckSpec, Group

    return CheckSpec(id=check_id, test=f"test_{check_id}", requirement="R1", group=Group.CORE, title=check_id)


def _all_pass() -> Any:
    from sandbox.outcome import CheckOutcome

    return tuple(CheckOutcome(id=check, passed=True) for check in CHECKS)


def test_applying_takes_over_verdict_checks_and_progress(app: Flask, its: Doubling) -> None:
    with app.app_context():
        gains = make_judged(its, its.lena, ["big"])
        loses = make_judged(its, its.olaf, again=["none"])
        regrade_id = start(its)
    work(app)
    with app.app_context():
        assert changes(regrade_id) == {gains: Change.GAINS, loses: Change.LOSES}
        services.apply(its.owner, regrade_id)
        won, lost = row(gains), row(loses)
        assert (won.verdict, won.first_verdict, won.regrade_reason) == ("accepted", "wrong answer", REASON)
        assert (lost.verdict, lost.first_verdict) == ("wrong answer", "accepted")
        assert won.regraded_at is not None and won.judged_at == NOON
        assert (won.revision_id, won.judged_revision_id) == (its.first, its.mended)
        assert [check.passed for check in won.checks] == [True] * 4
        assert [check.check_id for check in lost.checks if not check.passed] == ["none"]
        assert attempts() == {gains: (True, True), loses: (False, False)}
        assert statuses(its.lena) == {its.exercise: Status.SOLVED}
        assert statuses(its.olaf) == {its.exercise: Status.TRIED}
        assert shadows() == []
        assert rows(CheckResult) == 8


def test_progress_follows_there_and_back(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, again=["big"])
        start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, 1)
        assert attempts() == {id: (False, False)}
        row(id).files = {**ANSWER, "notes.py": "# fails: \n"}
        db.session.commit()
        start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, 2)
        assert attempts() == {id: (True, True)}
        assert (row(id).verdict, row(id).first_verdict) == ("accepted", "accepted")


@pytest.mark.parametrize("when", [-1, 1], ids=["before", "after"])
def test_what_gains_credit_is_unaided_only_without_help_before_it(app: Flask, its: Doubling, when: int) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, ["big"])
        open_hint(its.lena, its.exercise, 1)
        db.session.scalars(select(Help)).one().at = NOON + timedelta(minutes=when)
        db.session.commit()
        regrade_id = start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, regrade_id)
        assert attempts() == {id: (True, when > 0)}


def test_each_learner_is_told_once_and_only_of_another_verdict(app: Flask, its: Doubling) -> None:
    with app.app_context():
        make_judged(its, its.lena, ["big"])
        last = make_judged(its, its.lena, ["big", "none"])
        make_judged(its, its.olaf, ["big"], again=["none"])  # other checks, the same verdict
        regrade_id = start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, regrade_id)
        (notice,) = db.session.scalars(select(Notice))
        assert (notice.person_id, notice.name, notice.path) == (
            its.lena,
            "submission.regraded",
            f"/submissions/{last}",
        )
        assert "2 of your submissions to “Double it” were regraded" in notice.text and REASON in notice.text


def test_one_changed_submission_is_told_with_both_verdicts(app: Flask, its: Doubling) -> None:
    with app.app_context():
        make_judged(its, its.lena, again=["big"])
        regrade_id = start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, regrade_id)
        assert "regraded from accepted to wrong answer" in db.session.scalars(select(Notice)).one().text


def test_the_log_keeps_who_applied_it_and_what_changed(app: Flask, its: Doubling) -> None:
    with app.app_context():
        make_judged(its, its.lena, ["big"])
        make_judged(its, its.olaf)
        regrade_id = start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, regrade_id)
        (entry,) = db.session.scalars(select(AuditEntry))
        assert (entry.actor_id, entry.action, entry.subject) == (
            its.ivan,
            "submissions.regraded",
            f"exercise:{its.exercise}",
        )
        assert entry.data == {"revision": 2, "changes": {"gains credit": 1, "unchanged": 1}}


def test_the_learner_reads_the_titles_of_the_revision_that_judged(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, ["big"])
        titles = [check.title for check in result_of(find_own(its.lena, id)).checks]
        assert MENDED not in titles
        regrade_id = start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, regrade_id)
        assert MENDED in [check.title for check in result_of(find_own(its.lena, id)).checks]


def test_discarding_leaves_everything_as_it_was_and_keeps_what_was_found(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, ["big"])
        regrade_id = start(its)
    work(app)
    with app.app_context():
        services.discard(its.owner, regrade_id)
        assert (row(id).verdict, row(id).regraded_at, attempts()) == ("wrong answer", None, {id: (False, False)})
        assert (shadows(), rows(Notice), rows(AuditEntry)) == ([], 0, 0)
        assert changes(regrade_id) == {id: Change.GAINS}
        (check,) = compared(db.session.get_one(Regrade, regrade_id))[0].checks
        assert (check.id, check.before, check.after) == ("big", False, True)
        assert [each.check_id for each in row(id).checks if not each.passed] == ["big"]


def test_discarding_while_it_runs_stops_it(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, ["big"])
        make_judged(its, its.olaf)
        regrade_id = start(its)
        at_hand = claim_next("w", now())
        assert at_hand is not None
        services.discard(its.owner, regrade_id)
        assert record(at_hand, Outcome(ended=Ended.OUT_OF_TIME), [_spec("big")], now()) is None
        assert claim_next("w", now()) is None
        assert set(changes(regrade_id).values()) == {Change.NOT_JUDGED}
        assert row(id).verdict == "wrong answer"


def test_it_is_decided_once(app: Flask, its: Doubling) -> None:
    with app.app_context():
        make_judged(its, its.lena, ["big"])
        regrade_id = start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, regrade_id)
        for again in (services.apply, services.discard):
            with pytest.raises(Conflict):
                again(its.owner, regrade_id)
            db.session.rollback()
        assert (rows(Notice), db.session.get_one(Regrade, regrade_id).stage) == (1, RegradeStage.APPLIED)


def test_it_is_not_applied_while_something_is_still_to_be_judged(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, ["big"])
        regrade_id = start(its)
        with pytest.raises(Conflict, match="Not everything"):
            services.apply(its.owner, regrade_id)
        db.session.rollback()
        assert (row(id).verdict, db.session.get_one(Regrade, regrade_id).stage) == ("wrong answer", RegradeStage.OPEN)


def test_of_two_regrades_at_once_the_second_sees_that_the_first_came_before(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, ["big"])
        first, second = start(its), start(its, reason="Another one.")
    assert work(app) == 2
    with app.app_context():
        services.apply(its.owner, first)
        with pytest.raises(Conflict, match="Another regrade has changed 1"):
            services.apply(its.owner, second)
        db.session.rollback()
        assert row(id).regrade_reason == REASON
        assert comparison(its.owner, second, show=Show.ALL, page=1).overtaken == 1
        services.discard(its.owner, second)
        assert shadows() == []


def test_a_regrade_after_a_regrade_keeps_the_first_verdict(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena, ["big"], again=["none"])
        start(its)
    work(app)
    with app.app_context():
        services.apply(its.owner, 1)
        row(id).files = {**ANSWER, "notes.py": "# fails: \n"}
        db.session.commit()
        start(its, revision_id=its.first, reason="And back.")
    work(app)
    with app.app_context():
        services.apply(its.owner, 2)
        assert (row(id).first_verdict, row(id).verdict) == ("wrong answer", "accepted")
        assert (row(id).judged_revision_id, row(id).regrade_reason) == (its.first, "And back.")


def test_a_fault_of_the_platform_is_tried_again_and_then_never_applied(app: Flask, its: Doubling) -> None:
    with app.app_context():
        id = make_judged(its, its.lena)
        regrade_id = start(its)
        for _ in range(2):
            claim = claim_next("w", now())
            assert claim is not None
            record(claim, BROKEN, [_spec("big")], now())
        assert claim_next("w", now()) is None
        assert changes(regrade_id) == {id: Change.NOT_JUDGED}
        assert not comparison(its.owner, regrade_id, show=Show.ALL, page=1).can_apply
        services.apply(its.owner, regrade_id)
        assert (row(id).verdict, row(id).regraded_at, len(row(id).checks)) == ("accepted", None, 4)
        assert attempts() == {id: (True, True)}
        assert changes(regrade_id) == {id: Change.NOT_JUDGED}


def test_what_the_revision_has_no_files_for_is_listed_and_not_judged(app: Flask, its: Doubling) -> None:
    with app.app_context():
        unfit = make_judged(its, its.lena)
        regrade_id = start(its, revision_id=its.other_files)
        assert shadows() == []
        assert changes(regrade_id) == {unfit: Change.UNFIT}
        page = comparison(its.owner, regrade_id, show=Show.LEFT_OUT, page=1)
        assert "other files: app.py, remarks.py" in page.rows[0].why_not
        assert (page.state, page.can_apply, page.left_out) == ("ready", False, 1)


@pytest.mark.parametrize(
    ("more", "field"),
    [({"reason": " \n "}, "reason"), ({"reason": "x" * 501}, "reason"), ({"revision_id": 10**6}, "revision")],
)
def test_a_wish_that_cannot_be_met_is_refused_at_its_field(
    app: Flask, its: Doubling, more: dict[str, Any], field: str
) -> None:
    with app.app_context():
        make_judged(its, its.lena)
        with pytest.raises(Invalid) as refused:
            start(its, **more)
        assert refused.value.field == field
        assert (rows(Regrade), shadows()) == (0, [])


def test_it_is_for_the_owner_and_for_admins(app: Flask, its: Doubling) -> None:
    with app.app_context():
        make_judged(its, its.lena)
        regrade_id = start(its)
        inge = db.session.get_one(User, its.inge)
        for asked in (
            lambda: services.find_exercise(inge, "welcome", "double-it"),
            lambda: services.find_regrade(inge, regrade_id),
            lambda: services.apply(inge, regrade_id),
            lambda: services.discard(inge, regrade_id),
        ):
            with pytest.raises(NotFound):
                asked()
            db.session.rollback()
        assert services.find_regrade(db.session.get_one(User, its.ada), regrade_id).id == regrade_id
        db.session.get_one(Exercise, its.exercise).owner_id = None  # of the house
        db.session.commit()
        with pytest.raises(NotFound):
            services.find_exercise(its.owner, "welcome", "double-it")


def test_the_owner_sees_what_changes_for_everybody_but_only_the_names_of_their_learners(
    app: Flask, its: Doubling
) -> None:
    with app.app_context():
        make_judged(its, its.lena, ["big"])  # of Ivan's class
        make_judged(its, its.olaf, ["big"])  # of no class
        regrade_id = start(its)
    work(app)
    with app.app_context():
        shown = comparison(its.owner, regrade_id, show=Show.ALL, page=1)
        assert sorted((one.learner, one.change) for one in shown.rows) == [("", Change.GAINS), ("Lena", Change.GAINS)]
        shown = comparison(db.session.get_one(User, its.ada), regrade_id, show=Show.ALL, page=1)
        assert sorted(one.learner for one in shown.rows) == ["Lena", "Olaf"]


def test_the_database_refuses_a_shadow_without_its_original(app: Flask, its: Doubling) -> None:
    with app.app_context():
        exercise, lena = db.session.get_one(Exercise, its.exercise), db.session.get_one(User, its.lena)
        with pytest.raises(IntegrityError):
            make_submission(lena, exercise, language="python", purpose=Purpose.REGRADE)
        db.session.rollback()


def test_a_learner_can_submit_while_regrades_of_theirs_wait(app: Flask, its: Doubling) -> None:
    with app.app_context():
        for _ in range(5):
            make_judged(its, its.lena)
        start(its)
        exercise = db.session.get_one(Exercise, its.exercise)
        for _ in range(3):
            submit(its.lena, exercise, language="python", files=ANSWER, purpose=Purpose.SUBMIT)


def test_a_thousand_submissions_take_few_statements(app: Flask, its: Doubling) -> None:
    with app.app_context():
        ids = _thousand(its)
        with Statements() as begun:
            regrade_id = start(its)
        assert begun.count <= 15
        assert len(shadows()) == 1000
        _judge_at_once(ids)
        db.session.expire_all()
        with Statements() as shown:
            page = comparison(its.owner, regrade_id, show=Show.CHANGED, page=3)
        assert shown.count <= 8
        assert (page.changed, page.pages, len(page.rows)) == (1000, 20, 50)
        with Statements() as applied:
            services.apply(its.owner, regrade_id)
        assert applied.count <= 25
        assert progress_of([db.session.get_one(Regrade, regrade_id)])[regrade_id].changed == 1000
        assert set(attempts().values()) == {(True, True)}


def test_workers_do_it_while_nobody_waits_and_learners_go_first(app: Flask, its: Doubling) -> None:
    with app.app_context():
        make_judged(its, its.lena, again=["big"])
        start(its)
        exercise = db.session.get_one(Exercise, its.exercise)
        sent = submit(its.olaf, exercise, language="python", files=ANSWER, purpose=Purpose.SUBMIT).id
    box = FakeBox()
    assert worker.work_once(app, box, "w")  # what came meanwhile goes first
    with app.app_context():
        assert (row(sent).verdict, shadows()[0].stage) == ("accepted", Stage.QUEUED)
    assert sidework.do_one(app, box, "w")
    with app.app_context():
        assert shadows()[0].verdict == "accepted"
    assert not worker.work_once(app, box, "w")


class Statements:
    """Counts what is sent to the database."""

    count = 0

    def __enter__(self) -> Statements:
        event.listen(db.engine, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(db.engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.count += 1


def _thousand(its: Doubling) -> list[int]:
    """A thousand rejected submissions of Lena, each with an attempt and a check that failed."""
    like = row(make_judged(its, its.lena, ["big"]))
    known = {
        "learner_id": like.learner_id,
        "exercise_id": like.exercise_id,
        "revision_id": like.revision_id,
        "language": "python",
        "files": ANSWER,
        "purpose": Purpose.SUBMIT,
        "seed": 1,
        "stage": Stage.JUDGED,
        "verdict": "wrong answer",
    }
    ids = [like.id, *db.session.scalars(insert(Submission).returning(Submission.id), [known] * 999)]
    failed = {"position": 0, "check_id": "big", "visible": False, "passed": False}
    db.session.execute(insert(CheckResult), [{"submission_id": id, **failed} for id in ids[1:]])
    tried = {"learner_id": its.lena, "exercise_id": its.exercise, "solved": False, "unaided": False, "at": NOON}
    db.session.execute(insert(Attempt), [{"submission_id": id, **tried} for id in ids[1:]])
    db.session.commit()
    return ids


def _judge_at_once(ids: list[int]) -> None:
    """Let all shadows be accepted, without a worker."""
    found = shadows()
    passed = {"position": 0, "check_id": "big", "visible": False, "passed": True}
    db.session.execute(insert(CheckResult), [{"submission_id": shadow.id, **passed} for shadow in found])
    for shadow in found:
        shadow.stage, shadow.verdict = Stage.JUDGED, "accepted"
    db.session.commit()
    assert rows(RegradeItem) == len(ids)
