"""What the pages of regrades show, gathered in one place each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.accounts.models import User
from app.catalog.models import Exercise, Revision
from app.catalog.services import source_of
from app.db import db
from app.regrades.comparison import CHANGED, LEFT_OUT, Change, Compared, Solvers, counts, most_telling_first, solvers
from app.regrades.dry_run import Progress, accepted_now, compared, progress_of, regraded_since
from app.regrades.models import Regrade, RegradeStage
from app.regrades.services import find_exercise, find_regrade
from app.submissions.lookup import that_count
from app.submissions.models import Submission

PER_PAGE = 50
PAST = 200
NOTHING = Progress(judged=0, total=0, unfit=0, changed=0)


class Show(StrEnum):
    """Which submissions of a regrade are listed."""

    CHANGED = "changed"
    LEFT_OUT = "left-out"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A regrade in the list of those of its exercise."""

    regrade: Regrade
    progress: Progress

    @property
    def state(self) -> str:
        """In a word, where it is."""
        return state_of(self.regrade, self.progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The regrades of one exercise, newest first."""

    exercise: Exercise
    rows: tuple[Past, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What can be chosen for a new regrade."""

    exercise: Exercise
    revisions: tuple[Revision, ...]  # newest first
    judged_with: Mapping[int, int]  # revision id → how many submissions that count it judged

    @property
    def total(self) -> int:
        """How many submissions count."""
        return sum(self.judged_with.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A regrade, and one page of what it changes. While it runs there are no rows yet."""

    regrade: Regrade
    progress: Progress
    overtaken: int = 0  # submissions that another regrade has changed since
    counts: Mapping[Change, int]
    solvers: Solvers | None = None  # None: decided, or not known yet
    rows: tuple[Compared, ...] = ()
    titles: Mapping[str, str]  # check id → title
    show: Show
    page: int = 1  # from 1
    pages: int = 1

    @property
    def state(self) -> str:
        """In a word, where it is."""
        return state_of(self.regrade, self.progress)

    @property
    def changed(self) -> int:
        """How many submissions would change."""
        return sum(self.counts[change] for change in CHANGED)

    @property
    def left_out(self) -> int:
        """How many stay as they are because they were not judged again."""
        return sum(self.counts[change] for change in LEFT_OUT)

    @property
    def can_apply(self) -> bool:
        """Whether applying it would do something."""
        return self.state == "ready" and not self.overtaken and self.left_out < sum(self.counts.values())


def state_of(regrade: Regrade, progress: Progress) -> str:
    """Return running, ready, applied or discarded."""
    if regrade.stage != RegradeStage.OPEN:
        return regrade.stage
    return "running" if progress.running else "ready"


def history(manager: User, track: str, slug: str) -> History:
    """Return the regrades of the exercise there. Raises NotFound where `manager` does not manage it."""
    exercise = find_exercise(manager, track, slug)
    found = db.session.scalars(
        select(Regrade)
        .where(Regrade.exercise_id == exercise.id)
        .options(joinedload(Regrade.revision), joinedload(Regrade.created_by))
        .order_by(Regrade.id.desc())
        .limit(PAST)
    ).all()
    progress = progress_of(list(found))
    rows = tuple(Past(regrade=regrade, progress=progress.get(regrade.id, NOTHING)) for regrade in found)
    return History(exercise=exercise, rows=rows)


def prospect(manager: User, track: str, slug: str) -> Prospect:
    """Return what can be chosen for a new regrade of the exercise there. Raises NotFound likewise."""
    exercise = find_exercise(manager, track, slug)
    judged_with = func.coalesce(Submission.judged_revision_id, Submission.revision_id)
    counted = (
        select(judged_with.label("revision_id"), func.count().label("judged"))
        .where(Submission.exercise_id == exercise.id, *that_count())
        .group_by(judged_with)
    )
    revisions = select(Revision).where(Revision.exercise_id == exercise.id).order_by(Revision.number.desc())
    return Prospect(
        exercise=exercise,
        revisions=tuple(db.session.scalars(revisions)),
        judged_with={row.revision_id: row.judged for row in db.session.execute(counted)},
    )


def comparison(manager: User, regrade_id: int, *, show: Show, page: int) -> Comparison:
    """Return one page of the regrade; a page outside it gives the nearest one. Raises NotFound likewise.

    It holds every learner's submissions, but the names of those alone whose work `manager` may read.
    """
    regrade = find_regrade(manager, regrade_id)
    progress = progress_of([regrade]).get(regrade.id, NOTHING)
    titles = {check.id: check.title for check in source_of(regrade.revision).spec.checks}
    if progress.running:
        return Comparison(regrade=regrade, progress=progress, counts=counts(()), titles=titles, show=show)
    found = most_telling_first(compared(regrade, reader=manager))
    is_open = regrade.stage == RegradeStage.OPEN
    listed = [one for one in found if _is_listed(one, show)]
    pages = max(1, -(-len(listed) // PER_PAGE))
    page = min(max(page, 1), pages)
    return Comparison(
        regrade=regrade,
        progress=progress,
        overtaken=regraded_since(regrade) if is_open else 0,
        counts=counts(found),
        solvers=solvers(accepted_now(regrade.exercise_id), found) if is_open else None,
        rows=tuple(listed[(page - 1) * PER_PAGE : page * PER_PAGE]),
        titles=titles,
        show=show,
        page=page,
        pages=pages,
    )


def _is_listed(one: Compared, show: Show) -> bool:
    return show is Show.ALL or one.change in (CHANGED if show is Show.CHANGED else LEFT_OUT)
