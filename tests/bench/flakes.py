"""Whether verdicts are the same again and again while another process takes a core: references, and wrong solutions.

Each shipped exercise's reference is judged in every language, each wrong solution too, two runs side by side, each
with another seed. A run is as meant when the reference is accepted, or when the wrong solution fails what it must and
nothing beyond what it may. A fault of the platform that the usual second try did not mend is not as meant either.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.authoring import gate
from app.authoring.trials import Result, Role, Trial, plan, run_all
from app.catalog.format import Source, load
from app.catalog.sync import folders
from app.submissions.verdict import Verdict
from config import ROOT
from sandbox.docker_box import DockerBox
from tests.bench.contenders import POOL_BYTES
from tests.bench.report import Answer, Goal, Row

REFERENCES, WRONG = 5 / 3, 2 / 3  # runs of each, per round: 50 and 20 in 30 rounds
SPIN = "while True: pass"


def answer(n: int) -> Answer:
    """Return a row per exercise: its runs' times, and what was not as meant."""
    rows, faults = [], 0
    for folder in folders(ROOT / "exercises"):
        source = load(folder)
        # One exercise at a time, as when it is proven: judges of the others would only crowd the pool.
        box = DockerBox(proven=True, pool_bytes=POOL_BYTES)
        try:
            with _load():
                results = run_all(source, _trials(source, n), box, side_by_side=2, job_prefix="flakes", on_result=_said)
        finally:
            box.close()
        wrong = Counter(finding for result in results for finding in _not_as_meant(source, result))
        faults += sum(wrong.values())
        told = "; ".join(f"{count}x {what}" for what, count in wrong.most_common())
        walls = [result.outcome.wall_time.total_seconds() * 1000 for result in results]
        rows.append(Row(what=_name(folder), values=walls, note=f"{len(results)} runs, {told or 'all as meant'}"))
    return Answer(rows=rows, goals=[Goal(what="verdicts not as meant under load", wanted=0, found=faults, unit="runs")])


def _trials(source: Source, n: int) -> list[Trial]:
    """Return the runs, mixed, so that no two of a sort always stand beside each other."""
    drawn = random.Random(n)
    often = {Role.REFERENCE: max(1, round(n * REFERENCES)), Role.WRONG: max(1, round(n * WRONG))}
    trials = [
        replace(trial, seed=drawn.randrange(2**31))
        for trial in plan(source, [0])
        for _ in range(often.get(trial.role, 0))
    ]
    drawn.shuffle(trials)
    return trials


def _not_as_meant(source: Source, result: Result) -> Iterator[str]:
    """Yield what the gate's rules about verdicts say against one run."""
    wanted = {"judged", "references", "wrong"}
    for rule in gate.rules(source, [result]):
        if rule.name in wanted:
            for finding in rule.findings:
                yield f"{finding.where.partition(',')[0]}: {finding.message}"


@contextmanager
def _load() -> Iterator[None]:
    """Let another process take what it gets of a core."""
    spinning = subprocess.Popen([sys.executable, "-c", SPIN])
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def _said(result: Result) -> None:
    if result.verdict is Verdict.JUDGE_ERROR:
        sys.stderr.write(f"{result.trial.name}: {result.outcome.reason[:300]}\n")


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"
