"""What instructors see of exercises, and what is kept of a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, case, func, select, update
from sqlalchemy.orm import joinedload

from app.accounts.models import User
from app.authoring.proof import ProofCard
from app.catalog import kinds, tracks
from app.catalog.format import Source
from app.catalog.kinds import Kind
from app.catalog.models import Exercise, Revision
from app.catalog.services import Acceptance, source_of
from app.cohorts.access import readable_by
from app.db import db
from app.errors import NotFound
from app.submissions.lookup import that_count
from app.submissions.models import CheckResult, Purpose, Submission
from app.submissions.verdict import Verdict

LATEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An exercise in the instructors' list."""

    exercise: Exercise
    kind: Kind
    acceptance: Acceptance
    learners: int  # who submitted something that counts
    solvers: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFigure:
    """How often one check failed, of how many submissions to this revision that ran it."""

    id: str
    title: str
    group: str
    visible: bool
    failed: int
    judged: int

    @property
    def percent(self) -> int:
        """The share of submissions that failed it, 0–100."""
        return round(100 * self.failed / self.judged) if self.judged else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One exercise as instructors see it."""

    overview: Overview
    revision: Revision
    revisions: tuple[Revision, ...]  # newest first
    source: Source
    proof: Mapping[str, Any] | None
    checks: tuple[CheckFigure, ...]
    submissions: tuple[Submission, ...]  # that the reader may read, newest first

    @property
    def titles(self) -> dict[str, str]:
        """The title of each check, by its id."""
        return {check.id: check.title for check in self.checks}


def keep_proof(card: ProofCard) -> int:
    """Store `card` with every revision that holds exactly the files it proved; return how many there are. Commits."""
    kept = note_proof(card)
    db.session.commit()
    return kept


def note_proof(card: ProofCard) -> int:
    """Do what `keep_proof` does. The caller commits."""
    if not card.digest:
        return 0
    kept = update(Revision).where(Revision.digest == card.digest).values(proof=card.as_json())
    return len(db.session.execute(kept.returning(Revision.id)).all())


def acceptance() -> dict[int, Acceptance]:
    """Return how often each exercise was accepted, by its id; exercises nobody submitted to are left out."""
    return {row.exercise_id: _acceptance(row) for row in db.session.execute(_figures())}


def overviews() -> list[Overview]:
    """Return every exercise, those taken off the catalogue last, with what learners did with it."""
    figures = {row.exercise_id: row for row in db.session.execute(_figures())}
    every = select(Exercise).where(Exercise.trial.is_(False)).options(joinedload(Exercise.current))
    exercises = db.session.scalars(every).all()
    rows = [_overview(exercise, figures.get(exercise.id)) for exercise in exercises]
    return sorted(rows, key=_place)


def detail(track: str, slug: str, *, reader: User) -> Detail:
    """Return the exercise there, published or not, with its proof and what `reader` may read of it. Raises NotFound."""
    wanted = select(Exercise).where(Exercise.track == track, Exercise.slug == slug, Exercise.trial.is_(False))
    exercise = db.session.scalar(wanted.options(joinedload(Exercise.current)))
    if exercise is None or exercise.current is None:
        raise NotFound("There is no such exercise.")
    figures = db.session.execute(_figures().where(Submission.exercise_id == exercise.id)).one_or_none()
    revisions = select(Revision).where(Revision.exercise_id == exercise.id).order_by(Revision.number.desc())
    source = source_of(exercise.current)
    return Detail(
        overview=_overview(exercise, figures),
        revision=exercise.current,
        revisions=tuple(db.session.scalars(revisions)),
        source=source,
        proof=exercise.current.proof,
        checks=_check_figures(source, exercise.current.id),
        submissions=tuple(db.session.scalars(_latest(exercise.id, reader))),
    )


def _figures() -> Select[*tuple[Any, ...]]:
    accepted = Submission.verdict == Verdict.ACCEPTED
    return (
        select(
            Submission.exercise_id,
            func.count().label("judged"),
            func.count(case((accepted, 1))).label("accepted"),
            func.count(Submission.learner_id.distinct()).label("learners"),
            func.count(case((accepted, Submission.learner_id)).distinct()).label("solvers"),
            func.max(Submission.created_at).label("last_at"),
        )
        .join(Submission.exercise)
        .where(*that_count(), Exercise.trial.is_(False))
        .group_by(Submission.exercise_id)
    )


def _acceptance(row: Row[*tuple[Any, ...]]) -> Acceptance:
    return Acceptance(accepted=row.accepted, judged=row.judged)


def _overview(exercise: Exercise, row: Row[*tuple[Any, ...]] | None) -> Overview:
    return Overview(
        exercise=exercise,
        kind=kinds.find(exercise.kind),
        acceptance=_acceptance(row) if row else Acceptance(accepted=0, judged=0),
        learners=row.learners if row else 0,
        solvers=row.solvers if row else 0,
        last_at=row.last_at if row else None,
    )


def _place(row: Overview) -> tuple[object, ...]:
    exercise = row.exercise
    return (not exercise.published, *tracks.order(exercise.track), exercise.difficulty, exercise.title)


def _latest(exercise_id: int, reader: User) -> Select[Submission]:
    return (
        select(Submission)
        .where(
            Submission.exercise_id == exercise_id,
            Submission.purpose == Purpose.SUBMIT,
            readable_by(reader, Submission.learner_id),
        )
        .options(joinedload(Submission.learner), joinedload(Submission.revision))
        .order_by(Submission.id.desc())
        .limit(LATEST)
    )


def _check_figures(source: Source, revision_id: int) -> tuple[CheckFigure, ...]:
    """Return how each check of the revision went over all submissions to it, the most failed first."""
    counted = (
        select(CheckResult.check_id, func.count(), func.count(case((CheckResult.passed.is_(False), 1))))
        .join(CheckResult.submission)
        .where(func.coalesce(Submission.judged_revision_id, Submission.revision_id) == revision_id, *that_count())
        .group_by(CheckResult.check_id)
    )
    found = {check_id: (judged, failed) for check_id, judged, failed in db.session.execute(counted)}
    figures = (
        CheckFigure(
            id=check.id,
            title=check.title,
            group=check.group,
            visible=check.visible,
            judged=found.get(check.id, (0, 0))[0],
            failed=found.get(check.id, (0, 0))[1],
        )
        for check in source.spec.checks
    )
    return tuple(sorted(figures, key=lambda figure: -figure.percent))
