"""Regrading: start → (the workers judge the shadows) → apply or discard. Each verb is one transaction.

Who may: the owner of the exercise, and admins. To anybody else there is no such regrade.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, true, update
from sqlalchemy.orm import contains_eager, joinedload

from app.accounts.models import Role, User
from app.audit.services import note
from app.catalog.models import Exercise, Revision
from app.catalog.services import source_of
from app.db import db, now
from app.errors import Conflict, Invalid, NotFound
from app.notices.services import notify
from app.progress.services import change_attempts
from app.regrades.comparison import CHANGED, Compared, counts, unfit
from app.regrades.dry_run import compared, progress_of, regraded_since
from app.regrades.models import Regrade, RegradeItem, RegradeStage
from app.submissions.lookup import that_count
from app.submissions.models import Submission
from app.submissions.services import work_waiting
from app.submissions.shadows import forget_shadows, judge_again, take_over
from app.submissions.verdict import Verdict

LONGEST_REASON = 500  # characters
DECIDED = "This regrade was applied or discarded already."


class Which(StrEnum):
    """Which submissions of an exercise to judge again, of those that count."""

    EVERY = "every"
    LATEST = "latest"  # of each learner
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to judge again, and with what."""

    revision_id: int
    which: Which
    judged_with: int | None  # a revision: only what was judged with it; None: with whichever
    reason: str  # for the learners


def find_exercise(manager: User, track: str, slug: str) -> Exercise:
    """Return the exercise there, published or not. Raises NotFound where `manager` does not manage it."""
    wanted = select(Exercise).where(Exercise.track == track, Exercise.slug == slug, Exercise.trial.is_(False))
    exercise = db.session.scalar(wanted.where(_managed(manager)).options(joinedload(Exercise.current)))
    if exercise is None or exercise.current is None:
        raise NotFound("There is no such exercise.")
    return exercise


def find_regrade(manager: User, regrade_id: int) -> Regrade:
    """Return the regrade with its exercise and revision. Raises NotFound likewise."""
    regrade = db.session.scalar(
        select(Regrade)
        .join(Regrade.exercise)
        .where(Regrade.id == regrade_id, _managed(manager))
        .options(contains_eager(Regrade.exercise), joinedload(Regrade.revision))
    )
    if regrade is None:
        raise NotFound("There is no such regrade.")
    return regrade


def start(manager: User, exercise: Exercise, wish: Wish) -> int:
    """Begin a dry run and return the id of the regrade. Nobody but its page knows of it yet. Commits.

    What the revision has no files for is listed with the reason why. Raises Invalid where nothing is to be judged.
    """
    reason = _checked(wish.reason)
    revision = db.session.scalar(
        select(Revision).where(Revision.id == wish.revision_id, Revision.exercise_id == exercise.id)
    )
    if revision is None:
        raise Invalid("Choose one of the revisions of this exercise.", "revision")
    chosen = db.session.execute(_chosen(exercise.id, wish)).all()
    if not chosen:
        raise Invalid("No submission that counts fits this choice. Choose more of them.", "which")
    why_not = _unfit(chosen, revision)
    shadows = judge_again([row.id for row in chosen if not why_not[row.revision_id, row.language]], revision.id)
    regrade = Regrade(
        exercise_id=exercise.id, revision_id=revision.id, reason=reason, created_by_id=manager.id, created_at=now()
    )
    db.session.add(regrade)
    db.session.flush()
    items = [
        {
            "regrade_id": regrade.id,
            "submission_id": row.id,
            "shadow_id": shadows.get(row.id),
            "why_not": why_not[row.revision_id, row.language],
            "old_verdict": row.verdict,
            "regraded_before": row.regraded_at,
        }
        for row in chosen
    ]
    db.session.execute(insert(RegradeItem), items)
    regrade_id = regrade.id
    db.session.commit()
    work_waiting.set()
    return regrade_id


def apply(manager: User, regrade_id: int) -> None:
    """Let every submission that was judged again have its new verdict, and tell the learners. Commits it all at once.

    Progress follows. Raises Conflict while the dry run goes on, when it was decided already, or when another regrade
    changed one of the submissions meanwhile.
    """
    regrade, at = find_regrade(manager, regrade_id), now()
    # Two regrades of one exercise at once: the second waits here and then sees what the first one did.
    db.session.execute(select(Exercise.id).where(Exercise.id == regrade.exercise_id).with_for_update(key_share=True))
    if regrade.stage != RegradeStage.OPEN:
        raise Conflict(DECIDED)
    if progress_of([regrade])[regrade.id].running:
        raise Conflict("Not everything is judged yet. Wait for the rest, or discard this regrade.")
    if overtaken := regraded_since(regrade):
        raise Conflict(f"Another regrade has changed {overtaken} of these submissions since. Discard this one.")
    changes = compared(regrade)
    _decide(regrade, RegradeStage.APPLIED, manager.id, at, changes)
    take_over(_shadows(regrade.id).where(RegradeItem.new_verdict != Verdict.JUDGE_ERROR), reason=regrade.reason, at=at)
    for solved in (True, False):
        change_attempts(_judged_items(regrade.id, solved=solved), solved=solved)
    forget_shadows(_shadows(regrade.id))
    _tell_learners(regrade, [one for one in changes if one.change in CHANGED and one.before != one.after])
    found = {change.value: count for change, count in counts(changes).items() if count}
    revision = regrade.revision.number
    note(manager.id, "submissions.regraded", f"exercise:{regrade.exercise_id}", revision=revision, changes=found)
    db.session.commit()


def discard(manager: User, regrade_id: int) -> None:
    """Leave every submission as it is; what is still to be judged is not. Raises Conflict once decided. Commits."""
    regrade = find_regrade(manager, regrade_id)
    _decide(regrade, RegradeStage.DISCARDED, manager.id, now(), compared(regrade))
    forget_shadows(_shadows(regrade.id))
    db.session.commit()


def _managed(manager: User) -> ColumnElement[bool]:
    return true() if manager.role == Role.ADMIN else Exercise.owner_id == manager.id


def _checked(reason: str) -> str:
    """Return the reason on one line. Raises Invalid."""
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid("Say in a sentence why: the learners read it beside their new verdict.", "reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"At most {LONGEST_REASON} characters; these are {len(reason)}.", "reason")
    return reason


def _chosen(exercise_id: int, wish: Wish) -> Select[int, int, str, str | None, datetime | None]:
    """Return the query of the submissions to judge again."""
    counted = (Submission.exercise_id == exercise_id, *that_count())
    chosen = select(
        Submission.id, Submission.revision_id, Submission.language, Submission.verdict, Submission.regraded_at
    ).where(*counted)
    if wish.which is Which.LATEST:
        chosen = chosen.where(
            Submission.id.in_(select(func.max(Submission.id)).where(*counted).group_by(Submission.learner_id))
        )
    elif wish.which is Which.ACCEPTED:
        chosen = chosen.where(Submission.verdict == Verdict.ACCEPTED)
    if wish.judged_with is not None:
        judged_with = func.coalesce(Submission.judged_revision_id, Submission.revision_id)
        chosen = chosen.where(judged_with == wish.judged_with)
    return chosen.order_by(Submission.id)


def _unfit(
    chosen: Sequence[Row[int, int, str, str | None, datetime | None]], revision: Revision
) -> dict[tuple[int, str], str]:
    """Return (revision submitted for, language) → why its files cannot be judged with `revision`; empty: they can.

    What was submitted has the names of its revision's starter: `submissions.services.files_for` saw to that.
    """
    wanted = source_of(revision)
    made_for = {
        each.id: each
        for each in db.session.scalars(select(Revision).where(Revision.id.in_({r.revision_id for r in chosen})))
    }
    found = {}
    for revision_id, language in {(row.revision_id, row.language) for row in chosen}:
        after = list(wanted.starter(language)) if language in wanted.spec.languages else None
        before = source_of(made_for[revision_id]).starter(language)
        found[revision_id, language] = unfit(language=language, before=before, after=after)
    return found


def _decide(regrade: Regrade, stage: RegradeStage, person_id: int, at: datetime, changes: Sequence[Compared]) -> None:
    """Settle the regrade and keep what its shadows showed. Raises Conflict once decided. The caller commits."""
    settled = (
        update(Regrade)
        .where(Regrade.id == regrade.id, Regrade.stage == RegradeStage.OPEN)
        .values(stage=stage, decided_by_id=person_id, decided_at=at)
        .returning(Regrade.id)
    )
    if db.session.scalar(settled) is None:
        raise Conflict(DECIDED)
    items = select(RegradeItem.submission_id, RegradeItem.id).where(RegradeItem.regrade_id == regrade.id)
    ids = {row.submission_id: row.id for row in db.session.execute(items)}
    kept = [
        {"id": ids[one.submission_id], "new_verdict": one.after, "checks": [asdict(check) for check in one.checks]}
        for one in changes
        if not one.why_not
    ]
    if kept:
        db.session.execute(update(RegradeItem), kept)


def _shadows(regrade_id: int) -> Select[int]:
    shadow = RegradeItem.shadow_id
    return select(shadow).where(RegradeItem.regrade_id == regrade_id, shadow.is_not(None))  # type: ignore[return-value] # NULLs are left out


def _judged_items(regrade_id: int, *, solved: bool) -> Select[int]:
    """Return the submissions whose new verdict says that they solved the exercise, or not."""
    accepted = RegradeItem.new_verdict == Verdict.ACCEPTED
    known = (RegradeItem.new_verdict.is_not(None), RegradeItem.new_verdict != Verdict.JUDGE_ERROR)
    judged = select(RegradeItem.submission_id).where(RegradeItem.regrade_id == regrade_id, *known)
    return judged.where(accepted if solved else ~accepted)


def _tell_learners(regrade: Regrade, changes: Sequence[Compared]) -> None:
    """Add one notice per learner, however many of their submissions have another verdict. The caller commits."""
    by_learner: defaultdict[int, list[Compared]] = defaultdict(list)
    for one in changes:
        by_learner[one.learner_id].append(one)
    title = regrade.exercise.title
    for learner_id, theirs in by_learner.items():
        last = max(theirs, key=lambda one: one.submission_id)
        if len(theirs) == 1:
            said = f"Your submission to “{title}” was regraded from {last.before} to {last.after}."
        else:
            said = f"{len(theirs)} of your submissions to “{title}” were regraded and have another verdict."
        notify(learner_id, "submission.regraded", f"{said} {regrade.reason}", f"/submissions/{last.submission_id}")
