"""What a dry run has shown so far, read from its submissions and their shadows; once decided, from what was kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select, true
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.cohorts.access import readable_by
from app.db import db
from app.regrades.comparison import CheckChange, Compared
from app.regrades.models import Regrade, RegradeItem, RegradeStage
from app.submissions.lookup import that_count
from app.submissions.models import CheckResult, Stage, Submission
from app.submissions.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a regrade is; `total` leaves out what cannot be judged."""

    judged: int
    total: int
    unfit: int
    changed: int  # in their verdicts, of what was judged

    @property
    def running(self) -> bool:
        """Whether some of it is still to be judged."""
        return self.judged < self.total


def progress_of(regrades: list[Regrade]) -> dict[int, Progress]:
    """Return how far each of these is, by its id. One query."""
    shadow = aliased(Submission)
    # The shadows of a decided one are gone: what they would have shown was kept.
    verdict = func.coalesce(RegradeItem.new_verdict, shadow.verdict)
    over = or_(Regrade.stage != RegradeStage.OPEN, shadow.stage == Stage.JUDGED)
    fits = RegradeItem.why_not == ""
    known = and_(verdict.is_not(None), verdict != Verdict.JUDGE_ERROR)
    rows = db.session.execute(
        select(
            RegradeItem.regrade_id,
            func.count(case((and_(fits, over), 1))).label("judged"),
            func.count(case((fits, 1))).label("total"),
            func.count(case((~fits, 1))).label("unfit"),
            func.count(case((and_(known, verdict != RegradeItem.old_verdict), 1))).label("changed"),
        )
        .join(Regrade, Regrade.id == RegradeItem.regrade_id)
        .outerjoin(shadow, shadow.id == RegradeItem.shadow_id)
        .where(RegradeItem.regrade_id.in_([regrade.id for regrade in regrades]))
        .group_by(RegradeItem.regrade_id)
    )
    return {
        row.regrade_id: Progress(judged=row.judged, total=row.total, unfit=row.unfit, changed=row.changed)
        for row in rows
    }


def compared(regrade: Regrade, *, reader: User | None = None) -> list[Compared]:
    """Return every submission of the regrade before and after. One query, two while it is open.

    Learners whose work `reader` may not read have no name; without a reader all have one.
    """
    shadow = aliased(Submission)
    differing = _differing_checks(regrade.id) if regrade.stage == RegradeStage.OPEN else defaultdict(list)
    rows = db.session.execute(
        select(
            RegradeItem.submission_id,
            RegradeItem.old_verdict,
            func.coalesce(RegradeItem.new_verdict, shadow.verdict).label("new_verdict"),
            RegradeItem.why_not,
            RegradeItem.checks,
            User.id.label("learner_id"),
            User.name.label("learner"),
            (readable_by(reader, User.id) if reader else true()).label("readable"),
        )
        .join(Submission, Submission.id == RegradeItem.submission_id)
        .join(User, User.id == Submission.learner_id)
        .outerjoin(shadow, shadow.id == RegradeItem.shadow_id)
        .where(RegradeItem.regrade_id == regrade.id)
        .order_by(RegradeItem.submission_id)
    )
    return [
        Compared(
            submission_id=row.submission_id,
            learner_id=row.learner_id,
            learner=row.learner if row.readable else "",
            before=row.old_verdict,
            after=row.new_verdict,
            why_not=row.why_not,
            checks=_kept(row.checks) if row.checks is not None else tuple(differing[row.submission_id]),
        )
        for row in rows
    ]


def accepted_now(exercise_id: int) -> dict[int, int]:
    """Return submission → learner of all accepted submissions of the exercise."""
    accepted = select(Submission.id, Submission.learner_id).where(
        Submission.exercise_id == exercise_id, Submission.verdict == Verdict.ACCEPTED, *that_count()
    )
    return {row.id: row.learner_id for row in db.session.execute(accepted)}


def regraded_since(regrade: Regrade) -> int:
    """Return how many submissions of the regrade another one has changed since its dry run began."""
    changed = (
        select(func.count(RegradeItem.id))
        .join(Submission, Submission.id == RegradeItem.submission_id)
        .where(
            RegradeItem.regrade_id == regrade.id,
            RegradeItem.why_not == "",
            Submission.regraded_at.is_distinct_from(RegradeItem.regraded_before),
        )
    )
    return db.session.scalar(changed) or 0


def _kept(checks: list[dict[str, object]]) -> tuple[CheckChange, ...]:
    return tuple(CheckChange(**check) for check in checks)  # type: ignore[arg-type] # as services.apply wrote them


def _differing_checks(regrade_id: int) -> defaultdict[int, list[CheckChange]]:
    """Return original → the checks that went otherwise: turned round, or failed where they were not run before."""
    before, after = aliased(CheckResult), aliased(CheckResult)
    same_check = and_(before.submission_id == RegradeItem.submission_id, before.check_id == after.check_id)
    rows = db.session.execute(
        select(RegradeItem.submission_id, after.check_id, before.passed.label("before"), after.passed.label("after"))
        .join(after, after.submission_id == RegradeItem.shadow_id)
        .outerjoin(before, same_check)
        .where(
            RegradeItem.regrade_id == regrade_id,
            or_(before.passed != after.passed, and_(before.id.is_(None), after.passed.is_(False))),
        )
        .order_by(RegradeItem.submission_id, after.position)
    )
    found: defaultdict[int, list[CheckChange]] = defaultdict(list)
    for row in rows:
        found[row.submission_id].append(CheckChange(id=row.check_id, before=row.before, after=row.after))
    return found
