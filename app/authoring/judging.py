"""Any folder judged against any exercise: what `flask exercises judge` says."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from app.authoring.trials import Result, Role, Trial, run_one
from app.catalog.format import Source
from app.submissions.verdict import Verdict
from sandbox.sandbox import Sandbox


def judge_files(source: Source, files: Mapping[str, str], *, language: str, seed: int, box: Sandbox) -> Result:
    """Return how `files` do against all checks of `source`. Raises SandboxError when nothing could be run."""
    trial = Trial(role=Role.REFERENCE, name="files", language=language, files=files, seed=seed)
    return run_one(source, trial, box, job_id=f"judge-{secrets.token_hex(4)}")


def judgement_as_json(source: Source, result: Result | None, *, reason: str = "") -> dict[str, Any]:
    """Return a result as JSON values; without one, the judge error that `reason` explains.

    Every check of the exercise is listed in the author's order; one that never ran did not pass. `reason` is there
    only for a judge error: it is for operators.
    """
    verdict = result.verdict if result else Verdict.JUDGE_ERROR
    failed = result.failed if result else set(source.spec.check_ids)
    checks = [{"id": each.id, "passed": each.id not in failed, "group": each.group} for each in source.spec.checks]
    said: dict[str, Any] = {
        "verdict": verdict,
        "checks": checks,
        "wall_ms": round(result.outcome.wall_time.total_seconds() * 1000) if result else 0,
    }
    if verdict is Verdict.JUDGE_ERROR:
        said["reason"] = (
            reason or (result.outcome.reason if result else "") or "the reported checks are not the manifest"
        )
    return said
