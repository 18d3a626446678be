"""How long each shipped exercise's reference takes to be judged, cold; the bound is 3 s on two quiet cores."""

from __future__ import annotations

from app.catalog.format import load
from app.catalog.sync import folders
from app.submissions.judge import job_for
from app.submissions.models import Purpose
from config import ROOT
from sandbox.docker_box import DockerBox
from tests.bench.judging import judged

ROUNDS = 3


def rows(box: DockerBox) -> list[tuple[str, float, str]]:
    """Return (exercise, median milliseconds, beside what) per shipped exercise."""
    taken: dict[str, list[float]] = {}
    for seed in range(ROUNDS):
        for folder in folders(ROOT / "exercises"):
            source = load(folder)
            language = next(iter(source.spec.languages))
            job = job_for(
                source,
                language=language,
                files=source.solution(language),
                purpose=Purpose.SUBMIT,
                seed=seed,
                job_id=f"bench-{folder.name}",
            )
            taken.setdefault(f"{folder.parent.name}/{folder.name}", []).append(judged(box, job))
    return [
        (name, sorted(times)[ROUNDS // 2], f"{min(times):.0f}-{max(times):.0f} ms over {ROUNDS} rounds")
        for name, times in taken.items()
    ]
