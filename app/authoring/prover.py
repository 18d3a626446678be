"""From a working copy to a proof card, run by run; each verb is one transaction.

prove → claim_next → (renew)* → record → (claim_next → record)  → … → the last record makes the card
                   ↘ the worker died: its lease runs out → claim_next; after MAX_CLAIMS give_up_lost

A run that did not pass every check goes back into the queue with its outcome, to be told: it is run once more with
every check marked visible, and what the tests then say is kept for the author. The gate judges the first run alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import Update, and_, delete, func, or_, select, update
from sqlalchemy.orm import aliased, undefer_group

from app.authoring import services
from app.authoring.models import ProofRun, ProofStage, ProofTrial, WorkingCopy
from app.authoring.outcomes import outcome_as_json, outcome_from_json, told_as_text
from app.authoring.proof import ProofCard, card_of, draw_seeds, malformed, stopped
from app.authoring.trials import Result, Trial, job_of, plan, result_of
from app.catalog.format import FormatError, Source, digest_of, from_files
from app.catalog.services import source_with
from app.db import db
from app.errors import TooMany
from app.live.services import tell
from app.submissions.services import work_waiting
from app.submissions.verdict import Verdict
from sandbox.job import Job
from sandbox.outcome import Ended, Outcome

LEASE = timedelta(seconds=30)  # renewed by a living worker every third of it
MAX_TRIES = 2  # a platform fault is retried once
MAX_CLAIMS = 3  # whatever killed three workers does not get a fourth
MAX_UNFINISHED = 3  # proofs, per person
KEPT = 10  # proofs of one working copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One run of a proof in the hands of one worker. `number` tells this claim from an earlier one of the same row."""

    id: int
    run_id: int
    worker: str
    number: int
    position: int
    name: str
    telling: bool  # it has its outcome; now its tests may say all


def prove(person_id: int, copy: WorkingCopy, now: datetime) -> ProofRun:
    """Return the proof of the files of `copy` as they are now: the one under way, else a new one. Commits.

    A proof of earlier files that is under way is stopped. Files that are not well-formed have their card at once.
    Raises TooMany while MAX_UNFINISHED proofs of this person are under way.
    """
    # Two requests at once must not both see nothing under way: they queue up at the copy's row.
    db.session.execute(select(WorkingCopy.id).where(WorkingCopy.id == copy.id).with_for_update())
    digest = digest_of(copy.files)
    open_runs = select(ProofRun).where(ProofRun.copy_id == copy.id, ProofRun.stage != ProofStage.DONE)
    earlier = list(db.session.scalars(open_runs))
    run = next((each for each in earlier if each.digest == digest), None)
    if run is None:
        for each in earlier:
            _end(each, stopped(name=copy.path, at=now, why="a proof of newer files was begun"), now)
        _refuse_too_many(person_id)
        _forget_old(copy)
        run = _new_run(copy, digest, now)
        db.session.add(run)
        db.session.flush()
        tell(run.topic, "proof.finished" if run.card else "proof.queued")
    db.session.commit()
    work_waiting.set()
    return run


def anything_waits() -> bool:
    """Return whether some proof is not finished: a look that holds up no writer."""
    unfinished = select(ProofTrial.id).where(ProofTrial.stage.in_([ProofStage.QUEUED, ProofStage.RUNNING]))
    found = db.session.scalar(unfinished.limit(1)) is not None
    db.session.rollback()
    return found


def claim_next(worker: str, now: datetime) -> Claim | None:
    """Return the next run of the oldest proof, now held by `worker` until `now + LEASE`; None if none waits.

    First come the runs without an outcome. One statement, so no two workers get the same one. Commits.
    """
    waiting = aliased(ProofTrial)
    lost = and_(waiting.stage == ProofStage.RUNNING, waiting.lease_until < now, waiting.claims < MAX_CLAIMS)
    first = (
        select(waiting.id)
        .where(or_(waiting.stage == ProofStage.QUEUED, lost))
        .order_by(waiting.run_id, waiting.outcome.is_not(None), waiting.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = db.session.execute(
        update(ProofTrial)
        .where(ProofTrial.id == first)
        .values(stage=ProofStage.RUNNING, claimed_by=worker, lease_until=now + LEASE, claims=ProofTrial.claims + 1)
        .returning(
            ProofTrial.id,
            ProofTrial.run_id,
            ProofTrial.claims,
            ProofTrial.position,
            ProofTrial.name,
            ProofTrial.verdict,
        ),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if row is None:
        db.session.rollback()
        return None
    begun = update(ProofRun).where(ProofRun.id == row.run_id, ProofRun.stage == ProofStage.QUEUED)
    db.session.execute(begun.values(stage=ProofStage.RUNNING), execution_options={"synchronize_session": False})
    tell(topic_of(row.run_id), "trial.started", position=row.position)
    db.session.commit()
    return Claim(
        id=row.id,
        run_id=row.run_id,
        worker=worker,
        number=row.claims,
        position=row.position,
        name=row.name,
        telling=row.verdict is not None,
    )


def topic_of(run_id: int) -> str:
    """Return the topic of a proof's live events."""
    return f"proof:{run_id}"


def job_for_claim(claim: Claim) -> Job | None:
    """Return what the sandbox is asked for `claim`; None if the proof is gone, or its plan is another one by now."""
    run = db.session.get(ProofRun, claim.run_id)
    if run is None:
        return None
    source = source_of_run(run)
    trials = planned(source, run.trials)
    if trials is None:
        return None
    job = job_of(source, trials[claim.position], job_id=f"proof-{claim.id}-{claim.number}")
    return replace(job, checks=tuple(replace(check, visible=True) for check in job.checks)) if claim.telling else job


def source_of_run(run: ProofRun) -> Source:
    """Return the exercise that `run` proves, which is well-formed since it has runs."""
    return source_with(run.digest, lambda: run.files)


def planned(source: Source, rows: Sequence[ProofTrial]) -> list[Trial] | None:
    """Return the trials that `rows`, all of a proof in order, stand for; None if they were planned by other rules."""
    # A plan begins with the first reference, once for each seed.
    seeds = [row.seed for row in takewhile(lambda row: row.name == rows[0].name, rows)]
    trials = plan(source, seeds) if seeds else []
    same = [(row.name, row.seed) for row in rows] == [(trial.name, trial.seed) for trial in trials]
    return trials if trials and same else None


def results_of(source: Source, rows: Sequence[ProofTrial]) -> list[Result | None]:
    """Return how each of `rows` went, None where there is no outcome yet; nothing if they were planned otherwise."""
    return [
        result_of(source, trial, outcome_from_json(row.outcome)) if row.outcome is not None else None
        for trial, row in zip(planned(source, rows) or (), rows, strict=False)
    ]


def renew(claim: Claim, now: datetime) -> bool:
    """Prolong the lease of `claim`; return False if it was lost. Commits."""
    held = db.session.execute(_held(claim).values(lease_until=now + LEASE)).first() is not None
    db.session.commit()
    return held


def put_back(claim: Claim) -> None:
    """Queue the run of `claim` again, as if it had not been claimed: it was never started. Commits."""
    waiting = _held(claim).values(stage=ProofStage.QUEUED, claimed_by=None, lease_until=None)
    db.session.execute(waiting.values(claims=ProofTrial.claims - 1))
    db.session.commit()


def record(claim: Claim, outcome: Outcome, now: datetime) -> Verdict | None:
    """Record what came of `claim` and return the verdict, None if it was not this claim's to say. Commits.

    With the last run the card is made, in the same transaction.
    """
    # Workers that record the last two runs at once queue up here: one of them sees that all is done.
    run = db.session.scalar(select(ProofRun).where(ProofRun.id == claim.run_id).with_for_update())
    row = db.session.get(ProofTrial, claim.id)
    trials = planned(source_of_run(run), run.trials) if run and row else None
    if run is None or row is None or trials is None:
        db.session.rollback()
        return None
    result = result_of(source_of_run(run), trials[claim.position], outcome)
    if db.session.execute(_held(claim).values(_after(claim, result))).first() is None:
        db.session.rollback()
        return None
    db.session.expire_all()  # the statement above went past the rows that are loaded
    _say_and_end(run, now)
    db.session.commit()
    work_waiting.set()
    return result.verdict


def give_up_lost(now: datetime) -> int:
    """End as the platform's fault what killed MAX_CLAIMS workers, and proofs whose plan is outdated. Commits.

    Returns how many runs were ended.
    """
    hopeless = (ProofTrial.stage == ProofStage.RUNNING, ProofTrial.lease_until < now, ProofTrial.claims >= MAX_CLAIMS)
    rows = list(db.session.scalars(select(ProofTrial).where(*hopeless).with_for_update(skip_locked=True)))
    for row in rows:
        if row.outcome is None:
            broke = Outcome(ended=Ended.ENGINE_BROKE, reason=f"{MAX_CLAIMS} workers died while running it")
            row.outcome, row.verdict = outcome_as_json(broke), Verdict.JUDGE_ERROR
        row.stage, row.lease_until = ProofStage.DONE, None
    db.session.flush()
    for run_id in {row.run_id for row in rows}:
        _say_and_end(db.session.get_one(ProofRun, run_id, with_for_update=True), now)
    db.session.commit()
    return len(rows)


def drop_outdated(run_id: int, now: datetime) -> None:
    """End a proof that was planned by other rules than today's. Commits."""
    run = db.session.get(ProofRun, run_id)
    if run is not None and run.stage != ProofStage.DONE:
        _end(run, stopped(name=run.copy.path, at=now, why="the rules of the gate changed; prove again"), now)
    db.session.commit()


def _new_run(copy: WorkingCopy, digest: str, now: datetime) -> ProofRun:
    files = dict(copy.files)
    run = ProofRun(copy_id=copy.id, digest=digest, files=files, created_at=now)
    try:
        source = from_files(files)
    except FormatError as error:
        run.stage, run.finished_at = ProofStage.DONE, now
        run.card = malformed(error, name=copy.path, title=copy.title, at=now).as_json()
        return run
    trials = plan(source, draw_seeds())
    run.trials = [ProofTrial(position=at, name=each.name, seed=each.seed) for at, each in enumerate(trials)]
    return run


def _forget_old(copy: WorkingCopy) -> None:
    """Make room for one more proof of `copy`; what was published of it has its card. The caller commits."""
    latest = select(ProofRun.id).where(ProofRun.copy_id == copy.id).order_by(ProofRun.id.desc()).limit(KEPT - 1)
    old = delete(ProofRun).where(ProofRun.copy_id == copy.id, ProofRun.id.not_in(latest))
    db.session.execute(old, execution_options={"synchronize_session": False})


def _refuse_too_many(person_id: int) -> None:
    db.session.flush()
    under_way = select(func.count()).join_from(ProofRun, WorkingCopy)
    count = db.session.scalar(under_way.where(WorkingCopy.owner_id == person_id, ProofRun.stage != ProofStage.DONE))
    if (count or 0) >= MAX_UNFINISHED:
        raise TooMany(f"{MAX_UNFINISHED} of your proofs are still under way. Wait for one of them.")


def _held(claim: Claim) -> Update:
    """The one guard of every write by a worker: touches the row only while this very claim holds it."""
    return (
        update(ProofTrial)
        .where(
            ProofTrial.id == claim.id,
            ProofTrial.stage == ProofStage.RUNNING,
            ProofTrial.claimed_by == claim.worker,
            ProofTrial.claims == claim.number,
        )
        .returning(ProofTrial.id)
        .execution_options(synchronize_session=False)
    )


def _after(claim: Claim, result: Result) -> dict[str, object]:
    """Return the columns of a run after `result` came of `claim`."""
    again: dict[str, object] = {"stage": ProofStage.QUEUED, "claimed_by": None, "lease_until": None}
    done: dict[str, object] = {"stage": ProofStage.DONE, "lease_until": None}
    if claim.telling:
        return {**done, "told": told_as_text(result.outcome.checks)}
    if result.verdict is Verdict.JUDGE_ERROR and claim.number < MAX_TRIES:
        return again
    found: dict[str, object] = {"outcome": outcome_as_json(result.outcome), "verdict": result.verdict}
    if result.verdict in {Verdict.ACCEPTED, Verdict.JUDGE_ERROR} or not result.outcome.checks:
        return {**done, **found}
    return {**again, **found, "claims": 0}


def _say_and_end(run: ProofRun, now: datetime) -> None:
    """Tell the page that something of `run` is done, and make its card if all is. The caller commits."""
    rows = run.trials
    tell(run.topic, "trial.finished", done=sum(row.stage == ProofStage.DONE for row in rows), total=len(rows))
    if run.stage == ProofStage.DONE or any(row.stage != ProofStage.DONE for row in rows):
        return
    source = source_of_run(run)
    results = [result for result in results_of(source, _with_outcomes(run)) if result is not None]
    card = card_of(source, results, name=run.copy.path, at=now, took=now - run.created_at)
    _end(run, card, now)
    if all(row.verdict != Verdict.JUDGE_ERROR for row in rows):
        services.note_proof(card)


def _with_outcomes(run: ProofRun) -> list[ProofTrial]:
    wanted = select(ProofTrial).where(ProofTrial.run_id == run.id).order_by(ProofTrial.position)
    return list(db.session.scalars(wanted.options(undefer_group("said")).execution_options(populate_existing=True)))


def _end(run: ProofRun, card: ProofCard, now: datetime) -> None:
    """Give `run` its card; what of it still waited is dropped. The caller commits."""
    run.trials = [row for row in run.trials if row.stage == ProofStage.DONE]
    run.stage, run.card, run.finished_at = ProofStage.DONE, card.as_json(), now
    tell(run.topic, "proof.finished", passed=card.passed)
