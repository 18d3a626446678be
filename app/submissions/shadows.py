"""Judging submissions again, for a regrade: shadows that nobody sees, and taking over what they showed.

A shadow has the learner, files, language and seed of its original, and goes through the ordinary queue after
everything that learners wait for. It is never an attempt and tells no page of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, insert, literal, select, update
from sqlalchemy.orm import aliased

from app.db import db
from app.submissions.models import CheckResult, Purpose, Submission

SLICE = 1000  # ids in one statement: databases bound the number of parameters
UNSEEN = {"synchronize_session": False}
SAME = (Submission.learner_id, Submission.exercise_id, Submission.language, Submission.files, Submission.seed)


def judge_again(submission_ids: Sequence[int], revision_id: int) -> dict[int, int]:
    """Queue a shadow of each of these submissions, to be judged with that revision; return original → shadow.

    One statement for each SLICE. The caller commits, and wakes the workers then (`services.work_waiting`).
    """
    names = [*(column.key for column in SAME), "original_id", "revision_id", "purpose"]
    found: dict[int, int] = {}
    for start in range(0, len(submission_ids), SLICE):
        originals = (
            select(*SAME, Submission.id, literal(revision_id), literal(Purpose.REGRADE.value))
            .where(Submission.id.in_(submission_ids[start : start + SLICE]))
            .order_by(Submission.id)
        )
        made = insert(Submission).from_select(names, originals).returning(Submission.original_id, Submission.id)
        found.update((original, shadow) for original, shadow in db.session.execute(made) if original is not None)
    return found


def take_over(shadows: Select[int], *, reason: str, at: datetime) -> None:
    """Let the originals of these judged shadows have their verdicts and check results. The caller commits.

    `reason` is shown to the learner. The verdict before any regrade stays, and so does the time of the first one:
    places in line are counted by it.
    """
    shadow = aliased(Submission)
    judged = (
        update(Submission)
        .where(Submission.id == shadow.original_id, shadow.id.in_(shadows))
        .values(
            first_verdict=func.coalesce(Submission.first_verdict, Submission.verdict),
            verdict=shadow.verdict,
            detail=shadow.detail,
            output=shadow.output,
            reason=shadow.reason,
            wall_ms=shadow.wall_ms,
            cpu_ms=shadow.cpu_ms,
            max_memory_bytes=shadow.max_memory_bytes,
            judged_revision_id=shadow.revision_id,
            regraded_at=at,
            regrade_reason=reason,
        )
    )
    db.session.execute(judged, execution_options=UNSEEN)
    originals = select(shadow.original_id).where(shadow.id.in_(shadows))
    former = delete(CheckResult).where(CheckResult.submission_id.in_(originals))
    db.session.execute(former, execution_options=UNSEEN)
    original = select(shadow.original_id).where(shadow.id == CheckResult.submission_id).scalar_subquery()
    moved = update(CheckResult).where(CheckResult.submission_id.in_(shadows)).values(submission_id=original)
    db.session.execute(moved, execution_options=UNSEEN)


def forget_shadows(shadows: Select[int]) -> None:
    """Delete these shadows, waiting or judged; a worker that has one at hand records nothing. The caller commits."""
    gone = delete(Submission).where(Submission.id.in_(shadows), Submission.purpose == Purpose.REGRADE)
    db.session.execute(gone, execution_options=UNSEEN)
