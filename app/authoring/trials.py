"""The runs of a proof: what is sent to the sandbox, and how each went."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from app.catalog import kinds
from app.catalog.format import Source, WrongSpec
from app.submissions.judge import job_for
from app.submissions.models import Purpose
from app.submissions.verdict import Verdict, decide, has_passed
from sandbox.job import Job
from sandbox.outcome import Event, Outcome
from sandbox.sandbox import Sandbox


class Role(StrEnum):
    """What a run is to show."""

    REFERENCE = "reference"
    STARTER = "starter"
    WRONG = "wrong"
    CHEAT = "cheat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run: these files, with this seed."""

    role: Role
    name: str  # where the files stand, e.g. wrong/off-by-one; for a cheat its name
    language: str
    files: Mapping[str, str]
    seed: int
    wrong: WrongSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run went."""

    trial: Trial
    outcome: Outcome
    verdict: Verdict
    failed: frozenset[str]  # ids of the checks that were not passed, those that never ran included


def plan(source: Source, seeds: Sequence[int]) -> list[Trial]:
    """Return every run of the proof: each reference once per seed, everything else once, the seeds in turn."""
    spec = source.spec
    trials: list[Trial] = []

    def add(role: Role, name: str, language: str, files: Mapping[str, str], wrong: WrongSpec | None = None) -> None:
        seed = seeds[len(trials) % len(seeds)]
        trials.append(Trial(role=role, name=name, language=language, files=files, seed=seed, wrong=wrong))

    for language, how in spec.languages.items():
        for seed in seeds:
            trials.append(
                Trial(
                    role=Role.REFERENCE,
                    name=f"solutions/{language}",
                    language=language,
                    files=source.solution(language),
                    seed=seed,
                )
            )
        starter = source.starter(language)
        add(Role.STARTER, f"starter/{language}", language, starter)
        for cheat in kinds.find(spec.kind).cheats(how, language):
            add(Role.CHEAT, f"cheat {cheat.name} ({language})", language, {**starter, **cheat.files})
    for wrong in spec.wrong:
        add(Role.WRONG, f"wrong/{wrong.dir}", wrong.language, source.wrong(wrong.dir), wrong)
    return trials


def run_all(
    source: Source,
    trials: Sequence[Trial],
    box: Sandbox,
    *,
    side_by_side: int,
    job_prefix: str,
    on_result: Callable[[Result], None],
) -> list[Result]:
    """Return the result of each trial, in their order. `on_result` is told of each, one at a time."""
    telling = threading.Lock()

    def run(numbered: tuple[int, Trial]) -> Result:
        result = run_one(source, numbered[1], box, job_id=f"{job_prefix}-{numbered[0]}")
        with telling:
            on_result(result)
        return result

    with ThreadPoolExecutor(max_workers=side_by_side) as pool:
        return list(pool.map(run, enumerate(trials, start=1)))


def run_one(source: Source, trial: Trial, box: Sandbox, *, job_id: str) -> Result:
    """Return how `trial` went. A fault of the platform is tried once more.

    Raises SandboxError when nothing could be started.
    """
    result = _run(source, trial, box, job_id)
    return result if result.verdict is not Verdict.JUDGE_ERROR else _run(source, trial, box, f"{job_id}-again")


def job_of(source: Source, trial: Trial, *, job_id: str) -> Job:
    """Return what the sandbox is asked for `trial`: all checks of the exercise."""
    return job_for(
        source,
        language=trial.language,
        files=trial.files,
        purpose=Purpose.SUBMIT,
        seed=trial.seed,
        job_id=job_id,
    )


def result_of(source: Source, trial: Trial, outcome: Outcome) -> Result:
    """Return what `outcome` says of `trial`."""
    ids = source.spec.check_ids
    passed = {check.id for check in outcome.checks if has_passed(check)}
    return Result(trial=trial, outcome=outcome, verdict=decide(outcome, ids), failed=frozenset(ids) - passed)


def _run(source: Source, trial: Trial, box: Sandbox, job_id: str) -> Result:
    return result_of(source, trial, box.run(job_of(source, trial, job_id=job_id), _ignore))


def _ignore(_event: Event) -> None:
    """Nobody watches a proof check by check."""
