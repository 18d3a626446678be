"""Finding submissions for those who may read them: whose they are is part of every query."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.accounts.models import User
from app.catalog.models import Exercise
from app.cohorts.access import readable_by
from app.db import db
from app.errors import NotFound
from app.submissions.models import LIVE, Purpose, Stage, Submission
from app.submissions.verdict import Verdict


def that_count() -> tuple[ColumnElement[bool], ...]:
    """Return what a submission must be to count: a judged SUBMIT that the platform did not spoil."""
    return (
        Submission.purpose == Purpose.SUBMIT,
        Submission.stage == Stage.JUDGED,
        Submission.verdict != Verdict.JUDGE_ERROR,
    )


def find_own(learner_id: int, submission_id: int) -> Submission:
    """Return the learner's own submission with what its page shows. Raises NotFound for anybody else's."""
    return _found(_with_page().where(Submission.id == submission_id, Submission.learner_id == learner_id))


def find_readable(submission_id: int, *, reader: User) -> Submission:
    """Return a submission for somebody who may read it: see `cohorts.access`. Raises NotFound.

    What an author sends while trying an exercise is the author's alone.
    """
    counts = Submission.exercise.has(Exercise.trial.is_(False))
    return _found(
        _with_page().where(
            Submission.id == submission_id,
            readable_by(reader, Submission.learner_id),
            or_(counts, Submission.learner_id == reader.id),
        )
    )


def history(learner_id: int, exercise_id: int, limit: int = 50) -> list[Submission]:
    """Return the learner's latest submissions of the exercise, runs not among them, newest first."""
    own = select(Submission).where(
        Submission.learner_id == learner_id,
        Submission.exercise_id == exercise_id,
        Submission.purpose == Purpose.SUBMIT,
    )
    return list(db.session.scalars(own.order_by(Submission.id.desc()).limit(limit)))


def latest(learner_id: int, exercise_id: int) -> Submission | None:
    """Return what the learner sent last for the exercise, run or submission, with what its page shows; or None."""
    own = _with_page().where(Submission.learner_id == learner_id, Submission.exercise_id == exercise_id)
    return db.session.scalars(own.order_by(Submission.id.desc()).limit(1)).one_or_none()


def stalled(submission: Submission, now: datetime, patience: timedelta = timedelta(seconds=20)) -> bool:
    """Return whether `submission` waits although no worker is at work on anything: none seems to run.

    A worker that judges something again for a regrade is at work, too: it takes the submission next.
    """
    if submission.stage != Stage.QUEUED or now - submission.created_at < patience:
        return False
    busy = select(Submission.id).where(Submission.stage == Stage.JUDGING, Submission.lease_until > now)
    recent = select(Submission.id).where(Submission.judged_at > now - patience)
    return db.session.scalar(busy.limit(1)) is None and db.session.scalar(recent.limit(1)) is None


def _with_page() -> Select[Submission]:
    """Return the query of what has a page, with all that its page shows."""
    return (
        select(Submission)
        .where(Submission.purpose.in_(LIVE))
        .options(
            joinedload(Submission.exercise),
            joinedload(Submission.revision),
            joinedload(Submission.judged_revision),
            selectinload(Submission.checks),
        )
    )


def _found(query: Select[Submission]) -> Submission:
    submission = db.session.scalars(query).one_or_none()
    if submission is None:
        raise NotFound("There is no such submission.")
    return submission
