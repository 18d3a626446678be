"""What the page of a proof shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.authoring.advice import Advice, advise
from app.authoring.models import ProofRun, ProofStage, ProofTrial, WorkingCopy
from app.authoring.outcomes import told_from_text
from app.authoring.prover import planned, results_of, source_of_run
from app.authoring.trials import Result, Role, Trial
from app.catalog.format import Source, digest_of
from app.db import db
from app.errors import NotFound
from app.submissions.verdict import Verdict, has_passed
from sandbox.outcome import CheckOutcome

ROLES = {
    Role.REFERENCE: "Reference solutions",
    Role.STARTER: "Starters",
    Role.WRONG: "Wrong solutions",
    Role.CHEAT: "Cheats",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTrial:
    """One run of a proof."""

    name: str
    seed: int
    is_seeded: bool  # it runs once per seed: what tells its runs apart
    reason: str  # what is wrong with a wrong solution
    state: str  # "waiting", "running", "telling" (it has its verdict) or "done"
    verdict: str
    as_meant: bool | None  # None: not known yet, or spoilt by the platform
    failed: tuple[str, ...]
    said: str  # how it ended, when that was not by its checks
    told: tuple[CheckOutcome, ...]  # what the tests said, hidden ones too, of the checks that failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The runs of one role."""

    title: str
    trials: tuple[ShownTrial, ...]

    @property
    def done(self) -> int:
        """How many have their verdict."""
        return sum(bool(trial.verdict) for trial in self.trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPage:
    """A proof as its owner sees it."""

    run: ProofRun
    copy: WorkingCopy
    card: Mapping[str, Any] | None  # None: under way
    groups: tuple[Group, ...]
    done: int  # runs that are over, of
    total: int
    fresh: bool  # the copy still holds exactly these files
    titles: Mapping[str, str]  # of the checks, by id
    advice: Advice | None

    @property
    def passed(self) -> bool:
        """Whether every rule holds."""
        return bool(self.card and self.card["passed"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofState:
    """What is known of the files as they are now: the bar above the editor."""

    newest: ProofRun | None
    fresh: bool  # `newest` is of these very files

    @property
    def word(self) -> str:
        """`unproven`, `running`, `proven`, `refuted`, or `outdated`: of earlier files."""
        if self.newest is None:
            return "unproven"
        if self.newest.stage != ProofStage.DONE:
            return "running" if self.fresh else "outdated"
        if not self.fresh:
            return "outdated"
        return "proven" if self.newest.card and self.newest.card["passed"] else "refuted"


def find_run(copy: WorkingCopy, run_id: int) -> ProofRun:
    """Return that proof of `copy`, with its runs. Raises NotFound."""
    wanted = select(ProofRun).where(ProofRun.id == run_id, ProofRun.copy_id == copy.id)
    run = db.session.scalar(wanted.options(selectinload(ProofRun.trials).undefer_group("said")))
    if run is None:
        raise NotFound("There is no such proof.")
    return run


def runs_of(copy: WorkingCopy, limit: int = 10) -> list[ProofRun]:
    """Return the latest proofs of `copy`, newest first."""
    wanted = select(ProofRun).where(ProofRun.copy_id == copy.id).order_by(ProofRun.id.desc())
    return list(db.session.scalars(wanted.limit(limit)))


def newest_finished(copy: WorkingCopy) -> ProofRun:
    """Return the latest proof of `copy` that is over. Raises NotFound if there is none."""
    finished = select(ProofRun).where(ProofRun.copy_id == copy.id, ProofRun.stage == ProofStage.DONE)
    run = db.session.scalar(finished.order_by(ProofRun.id.desc()).limit(1))
    if run is None:
        raise NotFound("There is no proof of these files yet.")
    return run


def state_of(copy: WorkingCopy) -> ProofState:
    """Return what is known of the files of `copy` as they are now."""
    newest = next(iter(runs_of(copy, limit=1)), None)
    return ProofState(newest=newest, fresh=newest is not None and newest.digest == digest_of(copy.files))


def page_of(copy: WorkingCopy, run_id: int) -> ProofPage:
    """Return what the page of that proof shows. Raises NotFound."""
    run = find_run(copy, run_id)
    source = source_of_run(run) if run.trials else None
    trials = (planned(source, run.trials) if source else None) or []
    results = results_of(source, run.trials) if source else []
    return ProofPage(
        run=run,
        copy=copy,
        card=run.card,
        groups=tuple(_groups(source, trials, results, run.trials)) if source else (),
        done=sum(row.stage == ProofStage.DONE for row in run.trials),
        total=len(run.trials),
        fresh=run.digest == digest_of(copy.files),
        titles={check.id: check.title for check in source.spec.checks} if source else {},
        advice=advise(source, [each for each in results if each]) if source and trials and run.card else None,
    )


def _groups(
    source: Source, trials: Sequence[Trial], results: Sequence[Result | None], rows: Sequence[ProofTrial]
) -> Iterator[Group]:
    together = list(zip(trials, results, rows, strict=False))
    for role, title in ROLES.items():
        shown = [_shown(source, *each) for each in together if each[0].role is role]
        if shown:
            yield Group(title=title, trials=tuple(shown))


def _shown(source: Source, trial: Trial, result: Result | None, row: ProofTrial) -> ShownTrial:
    states = {ProofStage.DONE: "done", ProofStage.QUEUED: "waiting", ProofStage.RUNNING: "running"}
    return ShownTrial(
        name=row.name,
        seed=row.seed,
        is_seeded=trial.role is Role.REFERENCE,
        reason=trial.wrong.reason if trial.wrong else "",
        state="telling" if result and row.stage != ProofStage.DONE else states[ProofStage(row.stage)],
        verdict=row.verdict or "",
        as_meant=_as_meant(result) if result else None,
        failed=tuple(check_id for check_id in source.spec.check_ids if result and check_id in result.failed),
        said=(result.outcome.detail or result.outcome.reason) if result else "",
        told=tuple(check for check in told_from_text(row.told) if not has_passed(check)),
    )


def _as_meant(result: Result) -> bool | None:
    """Return whether a run went as the gate wants it; None when the platform spoilt it."""
    if result.verdict is Verdict.JUDGE_ERROR:
        return None
    accepted = result.verdict is Verdict.ACCEPTED
    wrong = result.trial.wrong
    if wrong is not None:
        return set(wrong.must_fail) <= result.failed <= {*wrong.must_fail, *wrong.may_fail}
    return accepted if result.trial.role is Role.REFERENCE else not accepted
