"""How long each shipped exercise's reference takes to be judged, warm and cold, in turn.

Cold, the bound for an exercise is 3 s on two quiet cores.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

from app.catalog.format import load
from app.catalog.sync import folders
from app.submissions.judge import job_for
from app.submissions.models import Purpose
from config import ROOT
from sandbox.docker_box import DockerBox
from sandbox.job import Job
from tests.bench.contenders import FILL_SECONDS, PAUSE, POOL_BYTES, accepted
from tests.bench.report import Answer, Row


def answer(n: int) -> Answer:
    """Return two rows per exercise and language; `n` // 6 rounds."""
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    rounds = max(1, n // 6)
    for folder, language in _references():
        # A pool for one at a time: what is held for the others must not decide what this one gets.
        warm, cold = DockerBox(proven=True, pool_bytes=POOL_BYTES), DockerBox(proven=True)
        try:
            warm.expect(reference_job(folder, language, seed=0))
            for seed in range(rounds):
                job = reference_job(folder, language, seed=seed)
                for how, box in (("warm", warm), ("cold", cold)):
                    taken[f"{folder.parent.name}/{folder.name} in {language}", how].append(_judged(box, job))
        finally:
            warm.close()
            cold.close()
    return Answer(rows=[Row(what=f"{path}, {how}", values=times) for (path, how), times in taken.items()])


def _references() -> list[tuple[Path, str]]:
    shipped = folders(ROOT / "exercises")
    return [(folder, language) for folder in shipped for language in load(folder).spec.languages]


def reference_job(folder: Path, language: str, *, seed: int) -> Job:
    """Return the job that judges the reference solution of the exercise in `folder`."""
    source = load(folder)
    return job_for(
        source,
        language=language,
        files=source.solution(language),
        purpose=Purpose.SUBMIT,
        seed=seed,
        job_id=f"bench-{folder.name}-{seed}",
    )


def _judged(box: DockerBox, job: Job) -> float:
    """Return the milliseconds to the verdict, once the pool of `box` is full and nothing else is under way."""
    assert box.pool.fill(FILL_SECONDS)
    time.sleep(PAUSE)
    started = time.perf_counter()
    accepted(box.run(job, lambda _: None))
    milliseconds = (time.perf_counter() - started) * 1000
    assert box.pool.settle(FILL_SECONDS)
    return milliseconds
