"""The gate before publishing: an exercise is proven by running everything in its folder.

`prove` runs each reference several times with different seeds (the seed also shuffles the checks), the starter, every
wrong solution and the kind's generic cheats, and returns the proof card. What must hold is in `gate`.
"""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.authoring import gate
from app.authoring.gate import Finding, Rule
from app.authoring.trials import Result, Role, plan, run_all
from app.catalog.format import FormatError, Source, load
from sandbox.sandbox import Sandbox

SEEDS = 3
FORMAT = "format"
FORMAT_TITLE = "The folder is well-formed"
STOPPED = "stopped"
STOPPED_TITLE = "The proof was run to its end"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofCard:
    """What a proof found. `as_json` is what is stored and shown."""

    exercise: str  # track/slug, or the folder as it was named
    title: str
    digest: str  # of the files that were proven; empty if they are not well-formed
    rules: tuple[Rule, ...]
    results: tuple[Result, ...] = ()
    only_starter: tuple[str, ...] = ()
    at: datetime
    took: timedelta = timedelta()

    @property
    def passed(self) -> bool:
        """Whether every rule holds."""
        return all(rule.passed for rule in self.rules)

    def reference_wall_times(self) -> list[timedelta]:
        """Return the wall time of each run of a reference."""
        return [result.outcome.wall_time for result in self.results if result.trial.role is Role.REFERENCE]

    def as_json(self) -> dict[str, Any]:
        """Return the card as JSON values."""
        walls = [_ms(wall) for wall in self.reference_wall_times()]
        references = [result.outcome for result in self.results if result.trial.role is Role.REFERENCE]
        return {
            "exercise": self.exercise,
            "title": self.title,
            "digest": self.digest,
            "passed": self.passed,
            "at": self.at.isoformat(),
            "took_ms": _ms(self.took),
            "rules": [
                {
                    "name": rule.name,
                    "title": rule.title,
                    "passed": rule.passed,
                    "findings": [asdict(finding) for finding in rule.findings],
                }
                for rule in self.rules
            ],
            "reference_p50_ms": round(statistics.median(walls)) if walls else 0,
            "reference_max_ms": max(walls, default=0),
            "reference_max_memory_bytes": max((outcome.max_memory_bytes for outcome in references), default=0),
            "only_starter_fails": list(self.only_starter),
            "runs": [_run_as_json(result) for result in self.results],
        }


def prove_folder(folder: Path, box: Sandbox, *, at: datetime, **how: Any) -> ProofCard:
    """Return the proof card of the exercise in `folder`; one rule and no run if it is not well-formed.

    `how` goes to `prove`. Raises SandboxError when the sandbox cannot run anything.
    """
    name = "/".join(folder.resolve().parts[-2:])
    try:
        source = load(folder)
    except FormatError as error:
        return malformed(error, name=name, title=folder.name, at=at)
    return prove(source, box, name=name, at=at, **how)


def prove(
    source: Source,
    box: Sandbox,
    *,
    name: str,
    at: datetime,
    seeds: Sequence[int] = (),
    side_by_side: int = 2,
    on_result: Callable[[Result], None] = lambda _result: None,
) -> ProofCard:
    """Return the proof card of `source` after running everything in it; takes seconds to minutes.

    Without `seeds`, three are drawn. Raises SandboxError when the sandbox cannot run anything.
    """
    started = time.monotonic()
    seeds = seeds or draw_seeds()
    prefix = f"proof-{secrets.token_hex(4)}"
    results = run_all(
        source, plan(source, seeds), box, side_by_side=side_by_side, job_prefix=prefix, on_result=on_result
    )
    took = timedelta(seconds=time.monotonic() - started)
    return card_of(source, results, name=name, at=at, took=took)


def draw_seeds() -> list[int]:
    """Return the seeds of one proof."""
    return [secrets.randbelow(2**31) for _ in range(SEEDS)]


def malformed(error: FormatError, *, name: str, title: str, at: datetime) -> ProofCard:
    """Return the card of an exercise that is not well-formed: one rule, which does not hold, and no run."""
    findings = tuple(
        Finding(where=f"{problem.file}:{problem.line}" if problem.line else problem.file, message=problem.said)
        for problem in error.problems
    )
    rule = Rule(name=FORMAT, title=FORMAT_TITLE, findings=findings)
    return ProofCard(exercise=name, title=title, digest="", rules=(rule,), at=at)


def stopped(*, name: str, at: datetime, why: str) -> ProofCard:
    """Return the card of a proof that was not run to its end."""
    rule = Rule(name=STOPPED, title=STOPPED_TITLE, findings=(Finding(where=name, message=why),))
    return ProofCard(exercise=name, title=name, digest="", rules=(rule,), at=at)


def card_of(source: Source, results: Sequence[Result], *, name: str, at: datetime, took: timedelta) -> ProofCard:
    """Return what `results`, those of every run of the plan, say of `source`."""
    well_formed = Rule(name=FORMAT, title=FORMAT_TITLE, findings=())
    return ProofCard(
        exercise=name,
        title=source.spec.title,
        digest=source.digest,
        rules=(well_formed, *gate.rules(source, results)),
        results=tuple(results),
        only_starter=tuple(gate.only_starter(source, results)),
        at=at,
        took=took,
    )


def _run_as_json(result: Result) -> dict[str, Any]:
    outcome, trial = result.outcome, result.trial
    return {
        "role": trial.role,
        "name": trial.name,
        "language": trial.language,
        "seed": trial.seed,
        "verdict": result.verdict,
        "failed": sorted(result.failed),
        "must_fail": list(trial.wrong.must_fail) if trial.wrong else [],
        "may_fail": list(trial.wrong.may_fail) if trial.wrong else [],
        "reason": trial.wrong.reason if trial.wrong else "",
        "wall_ms": _ms(outcome.wall_time),
        "cpu_ms": _ms(outcome.cpu_time),
        "max_memory_bytes": outcome.max_memory_bytes,
    }


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
