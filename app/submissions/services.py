"""From a learner's files to a recorded verdict: each verb is one transaction.

submit → claim_next → (renew, progressed)* → record
                    ↘ the worker died: requeue_expired → claim_next
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, Update, func, select, update

from app.accounts.models import User
from app.catalog.format import CheckSpec
from app.catalog.models import Exercise, Revision
from app.catalog.services import source_of
from app.db import db
from app.errors import Invalid, NotFound, TooMany
from app.live.services import tell
from app.progress.services import record_attempt
from app.submissions.answer import AnswerError, checked, printable
from app.submissions.line import MAX_CLAIMS, line_of_learners, line_of_regrades, place_in_line
from app.submissions.line import anything_waits as anything_waits
from app.submissions.models import LIVE, CheckResult, Purpose, Stage, Submission
from app.submissions.verdict import LIMITS, Verdict, decide, has_passed
from sandbox.outcome import CheckOutcome, Outcome

MAX_IN_FLIGHT = 3  # queued or judging, per learner
LEASE = timedelta(seconds=30)  # renewed by a living worker every third of it
MAX_TRIES = 2  # a platform fault is retried once

work_waiting = threading.Event()  # wakes the worker threads of this process; others poll
_judged = threading.Condition()  # tells those who await a verdict in this process; others poll
AWAIT_POLL = 0.05  # seconds, where another process judges


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A submission in the hands of one worker. `number` tells this claim from an earlier one of the same row."""

    id: int
    worker: str
    number: int
    learner_id: int
    exercise_id: int
    revision_id: int
    language: str
    files: Mapping[str, str]
    purpose: Purpose
    seed: int
    created_at: datetime

    @property
    def topic(self) -> str:
        """The topic of its live events."""
        return topic_of(self.id)


def topic_of(submission_id: int) -> str:
    """Return the topic of a submission's live events."""
    return f"submission:{submission_id}"


def submit(
    learner_id: int, exercise: Exercise, *, language: str, files: Mapping[str, str], purpose: Purpose
) -> Submission:
    """Return a new submission, queued. Commits row and event together, then wakes the workers of this process.

    Raises NotFound for an exercise that is not published, Invalid for files that cannot be taken, and TooMany
    while MAX_IN_FLIGHT submissions of this learner wait for their verdicts.
    """
    clean = files_for(exercise, language, files, may_be_empty=False)
    # Two requests at once must not both see two in flight: they queue up at the learner's row.
    db.session.execute(select(User.id).where(User.id == learner_id).with_for_update())
    in_flight = select(func.count()).where(
        Submission.learner_id == learner_id, Submission.stage != Stage.JUDGED, Submission.purpose.in_(LIVE)
    )
    if (db.session.scalar(in_flight) or 0) >= MAX_IN_FLIGHT:
        raise TooMany(f"{MAX_IN_FLIGHT} of your submissions are still being judged. Wait for one of them.")
    submission = Submission(
        learner_id=learner_id,
        exercise_id=exercise.id,
        revision_id=exercise.current_revision_id,
        language=language,
        files=clean,
        purpose=purpose,
        seed=secrets.randbelow(2**31),
    )
    db.session.add(submission)
    db.session.flush()
    tell(submission.topic, "submission.queued", place=place_in_line(submission.id))
    db.session.commit()
    work_waiting.set()
    return submission


def files_for(exercise: Exercise, language: str, files: Mapping[str, str], *, may_be_empty: bool) -> dict[str, str]:
    """Return `files` checked against the starter of `language`. Raises NotFound and Invalid as `submit` does."""
    if not (exercise.published or exercise.trial) or exercise.current is None:
        raise NotFound("There is no such exercise.")
    source = source_of(exercise.current)
    if language not in source.spec.languages:
        raise Invalid(f"Choose one of the languages of this exercise: {', '.join(source.spec.languages)}.", "language")
    try:
        return checked(files, list(source.starter(language)), may_be_empty=may_be_empty)
    except AnswerError as error:
        raise Invalid(str(error), "files") from error


def await_verdict(submission_id: int, seconds: float) -> bool:
    """Return whether the submission is judged, waiting up to `seconds`: most verdicts come within a tenth of one.

    Holds no connection meanwhile.
    """
    deadline = time.monotonic() + seconds
    judged = select(Submission.id).where(Submission.id == submission_id, Submission.stage == Stage.JUDGED)
    while True:
        with _judged:
            found = db.session.scalar(judged) is not None
            db.session.rollback()
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            _judged.wait(min(left, AWAIT_POLL))


def claim_next(worker: str, now: datetime) -> Claim | None:
    """Return the submission that is next in line, now held by `worker` until `now + LEASE`; None if none waits.

    One statement takes it, so no two workers get the same one. A lease that ran out counts as waiting. What is judged
    again for a regrade waits until nobody waits for a verdict, however much of it there is. Commits.
    """
    row = _claim(worker, now, line_of_learners(now))
    if row is None:
        row = _claim(worker, now, line_of_regrades(now))
    if row is None:
        db.session.rollback()
        return None
    values = row._asdict()
    number, purpose = values.pop("claims"), Purpose(values.pop("purpose"))
    claim = Claim(worker=worker, number=number, purpose=purpose, **values)
    _tell(claim.id, claim.purpose, "submission.judging")
    db.session.commit()
    return claim


def _claim(worker: str, now: datetime, line: Select[int]) -> Row[*tuple[Any, ...]] | None:
    """Let `worker` hold the first of `line` and return what a Claim is made of. The caller commits."""
    first = line.limit(1).with_for_update(skip_locked=True).scalar_subquery()
    return db.session.execute(
        update(Submission)
        .where(Submission.id == first)
        .values(stage=Stage.JUDGING, claimed_by=worker, lease_until=now + LEASE, claims=Submission.claims + 1)
        .returning(
            Submission.id,
            Submission.claims,
            Submission.learner_id,
            Submission.exercise_id,
            Submission.revision_id,
            Submission.language,
            Submission.files,
            Submission.purpose,
            Submission.seed,
            Submission.created_at,
        ),
        execution_options={"synchronize_session": False},
    ).one_or_none()


def renew(claim: Claim, now: datetime, events: Sequence[tuple[str, dict[str, object]]] = ()) -> bool:
    """Prolong the lease of `claim` and tell `events` of it; return False, telling nothing, if it was lost. Commits."""
    held = db.session.execute(_held(claim).values(lease_until=now + LEASE)).first() is not None
    if held:
        for name, data in events:
            _tell(claim.id, claim.purpose, name, **data)
    db.session.commit()
    return held


def record(claim: Claim, outcome: Outcome, checks: Sequence[CheckSpec], now: datetime) -> Verdict | None:
    """Record what became of `claim` and return the verdict; commits everything about it at once.

    None when nothing was recorded: the lease was lost, or it was the platform's fault and the submission is
    queued again. `checks` are those that the job was to run, as the exercise names them.
    """
    verdict = decide(outcome, [check.id for check in checks])
    if verdict is Verdict.JUDGE_ERROR and claim.number < MAX_TRIES:
        put_back(claim, reason=_fault(outcome))
        return None
    blamed = verdict is Verdict.JUDGE_ERROR
    if not _finish(_held(claim), verdict, outcome, now):
        db.session.rollback()
        return None
    if not blamed:
        db.session.add_all(_results(claim.id, outcome, checks))
        if claim.purpose is Purpose.SUBMIT and not _is_trial(claim.exercise_id):
            record_attempt(
                submission_id=claim.id,
                learner_id=claim.learner_id,
                exercise_id=claim.exercise_id,
                solved=verdict is Verdict.ACCEPTED,
                at=claim.created_at,
            )
    _tell(claim.id, claim.purpose, "submission.judged", verdict=verdict)
    db.session.commit()
    with _judged:
        _judged.notify_all()
    return verdict


def put_back(claim: Claim, *, reason: str, counted: bool = True) -> bool:
    """Queue the submission of `claim` again; return False if the lease was lost. Commits.

    Not `counted`: the job was never started, so this claim is forgotten.
    """
    waiting = _held(claim).values(stage=Stage.QUEUED, claimed_by=None, lease_until=None, reason=reason)
    if not counted:
        waiting = waiting.values(claims=Submission.claims - 1)
    held = db.session.execute(waiting).first() is not None
    if held and counted:
        _tell_queued_again(claim.id, claim.purpose)
    db.session.commit()
    return held


def requeue_expired(now: datetime) -> int:
    """Queue again whatever a dead worker held, and end as judge error what killed MAX_CLAIMS of them. Commits.

    Returns how many submissions were touched.
    """
    lost = (Submission.stage == Stage.JUDGING, Submission.lease_until < now)
    again = (
        update(Submission)
        .where(*lost, Submission.claims < MAX_CLAIMS)
        .values(stage=Stage.QUEUED, claimed_by=None, lease_until=None)
    )
    requeued = _touched(again)
    for submission_id, purpose in requeued:
        _tell_queued_again(submission_id, purpose)
    hopeless = update(Submission).where(*lost, Submission.claims >= MAX_CLAIMS)
    given_up = _touched(
        hopeless.values(
            stage=Stage.JUDGED,
            verdict=Verdict.JUDGE_ERROR,
            lease_until=None,
            judged_at=now,
            reason=f"{MAX_CLAIMS} workers died while judging it",
        )
    )
    for submission_id, purpose in given_up:
        _tell(submission_id, purpose, "submission.judged", verdict=Verdict.JUDGE_ERROR)
    db.session.commit()
    return len(requeued) + len(given_up)


def likely_next(limit: int = 200) -> list[tuple[Revision, str]]:
    """Return published revisions with each language, those most submitted for of late last."""
    last = func.max(Submission.id).label("last")
    sent = select(Submission.exercise_id, last).where(Submission.purpose.in_(LIVE))
    lately = sent.group_by(Submission.exercise_id).subquery()
    exercises = db.session.scalars(
        select(Exercise)
        .outerjoin(lately, lately.c.exercise_id == Exercise.id)
        .where(Exercise.published)
        .order_by(func.coalesce(lately.c.last, 0).desc(), Exercise.id)
        .limit(limit)
    )
    return [(e.current, language) for e in reversed(list(exercises)) if e.current for language in e.languages]


def _held(claim: Claim) -> Update:
    """The one guard of every write by a worker: touches the row only while this very claim holds it."""
    return (
        update(Submission)
        .where(
            Submission.id == claim.id,
            Submission.stage == Stage.JUDGING,
            Submission.claimed_by == claim.worker,
            Submission.claims == claim.number,
        )
        .returning(Submission.id)
        .execution_options(synchronize_session=False)
    )


def _finish(held: Update, verdict: Verdict, outcome: Outcome, now: datetime) -> bool:
    blamed = verdict is Verdict.JUDGE_ERROR
    judged = held.values(
        stage=Stage.JUDGED,
        verdict=verdict,
        lease_until=None,
        judged_at=now,
        detail="" if blamed else printable(outcome.detail),
        output="" if blamed else printable(outcome.output),
        reason=printable(_fault(outcome) if blamed else outcome.reason),
        wall_ms=outcome.wall_time // timedelta(milliseconds=1),
        cpu_ms=outcome.cpu_time // timedelta(milliseconds=1),
        max_memory_bytes=min(outcome.max_memory_bytes, 2**31 - 1),
    )
    return db.session.execute(judged).first() is not None


def _fault(outcome: Outcome) -> str:
    reported = ", ".join(check.id for check in outcome.checks) or "none"
    return outcome.reason or f"{outcome.ended}; checks reported: {reported}"


def _results(submission_id: int, outcome: Outcome, checks: Sequence[CheckSpec]) -> list[CheckResult]:
    """Return the rows for the checks that were reported. Visibility is the exercise's word, never the outcome's."""
    reported: dict[str, CheckOutcome] = {check.id: check for check in reversed(outcome.checks)}
    return [
        _result(submission_id, position, spec, reported[spec.id])
        for position, spec in enumerate(checks)
        if spec.id in reported
    ]


def _result(submission_id: int, position: int, spec: CheckSpec, seen: CheckOutcome) -> CheckResult:
    result = CheckResult(
        submission_id=submission_id,
        position=position,
        check_id=spec.id,
        visible=spec.visible,
        passed=has_passed(seen),
        limit_hit=seen.limit if seen.limit in LIMITS else "",
    )
    if spec.visible:
        result.message = printable(seen.message)
        result.steps = printable("\n".join(seen.steps))
        result.expected = printable(seen.expected)
        result.actual = printable(seen.actual)
        result.output = printable(seen.output)
    return result


def _is_trial(exercise_id: int) -> bool:
    """Return whether its author is only trying the exercise: nothing counts then."""
    return bool(db.session.scalar(select(Exercise.trial).where(Exercise.id == exercise_id)))


def _touched(statement: Update) -> list[tuple[int, Purpose]]:
    """Return id and purpose of what `statement` changes, oldest first."""
    touched = statement.returning(Submission.id, Submission.purpose)
    rows = db.session.execute(touched, execution_options={"synchronize_session": False})
    return sorted((row.id, Purpose(row.purpose)) for row in rows)


def _tell(submission_id: int, purpose: Purpose, name: str, **data: object) -> None:
    """Tell the page of a submission. What is judged again for a regrade has no page, and a thousand of it no events."""
    if purpose in LIVE:
        tell(topic_of(submission_id), name, **data)


def _tell_queued_again(submission_id: int, purpose: Purpose) -> None:
    if purpose in LIVE:
        tell(topic_of(submission_id), "submission.queued", place=place_in_line(submission_id), again=True)
