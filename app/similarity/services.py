"""Searching for similar submissions, and what people make of the pairs.

A search looks only at learners whose work its creator may read, and is shown to the creator and to admins; a pair to
those who may read both of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Update, and_, func, or_, select, true, update
from sqlalchemy.orm import aliased, joinedload

from app.accounts.models import Role, User
from app.audit.services import note
from app.catalog.models import Exercise
from app.catalog.services import source_of
from app.cohorts.access import readable_by
from app.cohorts.models import CohortMember
from app.cohorts.services import find_instructed
from app.db import db, now
from app.errors import Invalid, NotFound
from app.similarity.matching import Candidate, Match
from app.similarity.models import Judgement, SearchStage, SimilarityPair, SimilarityRun
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.verdict import Verdict

MOST = 500  # submissions that are compared
LEASE = timedelta(minutes=10)  # a search that takes longer has died with its process
MAX_CLAIMS = 2
MAX_NOTE = 2000
LATEST = 50
SHOWN = 300  # pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search in the hands of one worker. `number` tells this claim from an earlier one."""

    id: int
    number: int


def start(creator: User, *, exercise_id: int, cohort_id: int, threshold: str) -> SimilarityRun:
    """Return a new search, queued; `cohort_id` 0: among all whose work `creator` may read. Commits.

    Raises NotFound for a class that is not theirs, and Invalid naming the field.
    """
    if exercise_id not in {exercise.id for exercise in exercises_to_search(creator)}:
        raise Invalid("Choose an exercise from the list.", "exercise")
    if cohort_id:
        find_instructed(creator, cohort_id)
    percent = int(threshold) if threshold.isascii() and threshold.isdigit() and len(threshold) < 4 else 0
    if not 1 <= percent <= 100:
        raise Invalid("Enter a share from 1 to 100 percent.", "threshold")
    run = SimilarityRun(
        exercise_id=exercise_id, cohort_id=cohort_id or None, threshold=percent, created_by_id=creator.id
    )
    db.session.add(run)
    db.session.flush()
    note(creator.id, "similarity.searched", f"exercise:{exercise_id}", run=run.id, cohort=run.cohort_id)
    db.session.commit()
    return run


def exercises_to_search(reader: User) -> list[Exercise]:
    """Return the exercises to which two learners submitted whose work `reader` may read, by title."""
    several = (
        select(Submission.exercise_id)
        .where(Submission.purpose == Purpose.SUBMIT, readable_by(reader, Submission.learner_id))
        .where(Submission.learner_id != reader.id)
        .group_by(Submission.exercise_id)
        .having(func.count(Submission.learner_id.distinct()) > 1)
    )
    return list(db.session.scalars(select(Exercise).where(Exercise.id.in_(several)).order_by(Exercise.title)))


def runs_of(reader: User) -> list[tuple[SimilarityRun, int]]:
    """Return the latest searches that `reader` may see, newest first, each with how many pairs it found."""
    pairs = select(func.count(SimilarityPair.id)).where(SimilarityPair.run_id == SimilarityRun.id).scalar_subquery()
    wanted = select(SimilarityRun, pairs).where(_shown_to(reader)).order_by(SimilarityRun.id.desc()).limit(LATEST)
    loaded = wanted.options(joinedload(SimilarityRun.exercise), joinedload(SimilarityRun.cohort))
    return [(run, count or 0) for run, count in db.session.execute(loaded)]


def find_run(reader: User, run_id: int) -> SimilarityRun:
    """Return a search that `reader` may see. Raises NotFound."""
    run: SimilarityRun | None = db.session.scalar(
        select(SimilarityRun).where(SimilarityRun.id == run_id, _shown_to(reader))
    )
    if run is None:
        raise NotFound("There is no such search.")
    return run


def pairs_of(reader: User, run: SimilarityRun) -> list[SimilarityPair]:
    """Return the pairs of a search of which `reader` may read both, the most similar first."""
    most = func.max if db.engine.dialect.name == "sqlite" else func.greatest
    ordered = _pairs(reader).where(SimilarityPair.run_id == run.id)
    by = most(SimilarityPair.first_share, SimilarityPair.second_share).desc()
    return list(db.session.scalars(ordered.order_by(by, SimilarityPair.id).limit(SHOWN)))


def find_pair(reader: User, pair_id: int) -> SimilarityPair:
    """Return a pair of a search that `reader` may see, if they may read both submissions. Raises NotFound."""
    wanted = _pairs(reader).join(SimilarityPair.run).where(SimilarityPair.id == pair_id, _shown_to(reader))
    pair: SimilarityPair | None = db.session.scalar(wanted)
    if pair is None:
        raise NotFound("There is no such pair.")
    return pair


def judge(reader: User, pair_id: int, *, judgement: str, remark: str) -> SimilarityPair:
    """Keep what a person makes of a pair, and return it. Raises NotFound, and Invalid naming the field. Commits."""
    pair, tidy = find_pair(reader, pair_id), remark.replace("\r\n", "\n").strip()
    if judgement not in set(Judgement):
        raise Invalid("Choose one of the judgements.", "judgement")
    if len(tidy) > MAX_NOTE:
        raise Invalid(f"Write at most {MAX_NOTE} characters; these are {len(tidy)}.", "note")
    note(reader.id, "similarity.judged", f"pair:{pair.id}", before=pair.judgement, after=judgement)
    pair.judgement, pair.note = judgement, tidy
    judged = judgement != Judgement.NONE
    pair.judged_by_id, pair.judged_at = (reader.id, now()) if judged else (None, None)
    db.session.commit()
    return pair


def anything_waits(at: datetime) -> bool:
    """Return whether `claim_next` would find something."""
    found = db.session.scalar(select(SimilarityRun.id).where(_waiting(at)).limit(1)) is not None
    db.session.rollback()
    return found


def claim_next(at: datetime) -> Search | None:
    """Return the search that waits longest, now held until `at + LEASE`; None if none waits. Commits.

    What died with its process twice is given up.
    """
    lost = and_(SimilarityRun.stage == SearchStage.RUNNING, SimilarityRun.lease_until < at)
    given_up = update(SimilarityRun).where(lost, SimilarityRun.claims >= MAX_CLAIMS)
    db.session.execute(given_up.values(stage=SearchStage.FAILED, lease_until=None))
    oldest = select(SimilarityRun.id).where(_waiting(at)).order_by(SimilarityRun.id).limit(1)
    row = db.session.execute(
        update(SimilarityRun)
        .where(SimilarityRun.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
        .values(stage=SearchStage.RUNNING, lease_until=at + LEASE, claims=SimilarityRun.claims + 1)
        .returning(SimilarityRun.id, SimilarityRun.claims)
    ).one_or_none()
    db.session.commit()
    return Search(id=row.id, number=row.claims) if row else None


def candidates(search: Search) -> tuple[list[Candidate], dict[str, str], float]:
    """Return what a search compares, the starter that counts for nobody, and its threshold (0–1).

    Of each learner the latest accepted submission, else the latest that was judged; the newest MOST of them.
    """
    run = db.session.get_one(SimilarityRun, search.id)
    accepted = Submission.verdict == Verdict.ACCEPTED
    place = func.row_number().over(partition_by=Submission.learner_id, order_by=(accepted.desc(), Submission.id.desc()))
    learners = [readable_by(run.created_by, Submission.learner_id), Submission.learner_id != run.created_by_id]
    if run.cohort_id is not None:
        members = select(CohortMember.learner_id).where(CohortMember.cohort_id == run.cohort_id)
        learners.append(Submission.learner_id.in_(members))
    judged = (Submission.stage == Stage.JUDGED, Submission.verdict != Verdict.JUDGE_ERROR)
    counted = (Submission.exercise_id == run.exercise_id, Submission.purpose == Purpose.SUBMIT, *judged, *learners)
    ranked = select(Submission.id, place.label("place")).where(*counted).subquery()
    best = select(ranked.c.id).where(ranked.c.place == 1).order_by(ranked.c.id.desc()).limit(MOST)
    rows = list(
        db.session.scalars(select(Submission).where(Submission.id.in_(best)).options(joinedload(Submission.revision)))
    )
    starter: dict[str, list[str]] = {}
    for revision, language in {(row.revision, row.language) for row in rows}:
        for path, text in source_of(revision).starter(language).items():
            starter.setdefault(path, []).append(text)
    found = [Candidate(id=row.id, files=row.files) for row in rows]
    return found, {path: "\n".join(texts) for path, texts in starter.items()}, run.threshold / 100


def record(search: Search, found: list[Match], *, compared: int) -> bool:
    """Keep what a search found; return False, keeping nothing, if it was lost to another worker. Commits."""
    held = _held(search).values(stage=SearchStage.DONE, lease_until=None, compared=compared)
    kept = db.session.scalar(held.returning(SimilarityRun.id)) is not None
    if kept:
        db.session.add_all(_row(search.id, match) for match in found[:SHOWN])
    db.session.commit()
    return kept


def fail(search: Search) -> None:
    """Note that a search cannot be done. Commits."""
    db.session.execute(_held(search).values(stage=SearchStage.FAILED, lease_until=None))
    db.session.commit()


def _row(run_id: int, match: Match) -> SimilarityPair:
    return SimilarityPair(
        run_id=run_id,
        first_id=match.first_id,
        second_id=match.second_id,
        first_share=match.first_share,
        second_share=match.second_share,
        first_lines={path: [list(each) for each in lines] for path, lines in match.first_lines.items()},
        second_lines={path: [list(each) for each in lines] for path, lines in match.second_lines.items()},
    )


def _held(search: Search) -> Update:
    return update(SimilarityRun).where(
        SimilarityRun.id == search.id,
        SimilarityRun.claims == search.number,
        SimilarityRun.stage == SearchStage.RUNNING,
    )


def _waiting(at: datetime) -> ColumnElement[bool]:
    lost = and_(SimilarityRun.stage == SearchStage.RUNNING, SimilarityRun.lease_until < at)
    return or_(SimilarityRun.stage == SearchStage.QUEUED, lost)


def _shown_to(reader: User) -> ColumnElement[bool]:
    return true() if reader.role == Role.ADMIN else SimilarityRun.created_by_id == reader.id


def _pairs(reader: User) -> Select[SimilarityPair]:
    first, second = aliased(Submission), aliased(Submission)
    return (
        select(SimilarityPair)
        .join(SimilarityPair.first.of_type(first))
        .join(SimilarityPair.second.of_type(second))
        .where(readable_by(reader, first.learner_id), readable_by(reader, second.learner_id))
        .options(
            joinedload(SimilarityPair.first).joinedload(Submission.learner),
            joinedload(SimilarityPair.second).joinedload(Submission.learner),
        )
    )
