"""What an outcome means. Pure: facts in, meaning out."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from sandbox.outcome import CheckOutcome, Ended, Outcome


class Verdict(StrEnum):
    """How a submission went."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong answer"
    COMPILE_ERROR = "compile error"
    RUNTIME_ERROR = "runtime error"
    TIME_LIMIT = "time limit"
    MEMORY_LIMIT = "memory limit"
    OUTPUT_LIMIT = "output limit"
    JUDGE_ERROR = "judge error"  # the platform's fault: never an attempt


# COMPLETED alone needs a look at the checks. What is not named here is the platform's fault.
_MEANING = {
    Ended.NOT_LOADED: Verdict.COMPILE_ERROR,
    Ended.CRASHED: Verdict.RUNTIME_ERROR,
    Ended.TOO_MANY_PROCESSES: Verdict.RUNTIME_ERROR,
    Ended.OUT_OF_TIME: Verdict.TIME_LIMIT,
    Ended.OUT_OF_MEMORY: Verdict.MEMORY_LIMIT,
    Ended.TOO_MUCH_OUTPUT: Verdict.OUTPUT_LIMIT,
}
LIMITS = {
    "time": Verdict.TIME_LIMIT,
    "memory": Verdict.MEMORY_LIMIT,
    "output": Verdict.OUTPUT_LIMIT,
    "crash": Verdict.RUNTIME_ERROR,
}


def decide(outcome: Outcome, manifest: Collection[str]) -> Verdict:
    """Return the verdict on a job that was to run exactly the checks whose ids are in `manifest`.

    ACCEPTED only if the judge ended cleanly, reported each id of the manifest exactly once and nothing else,
    and every check passed without touching a limit. Reports that do not match the manifest are the judge's fault.
    """
    if outcome.ended is not Ended.COMPLETED:
        return _MEANING.get(outcome.ended, Verdict.JUDGE_ERROR)
    if not manifest or sorted(check.id for check in outcome.checks) != sorted(manifest):
        return Verdict.JUDGE_ERROR
    failed = [check for check in outcome.checks if not has_passed(check)]
    if not failed:
        return Verdict.ACCEPTED
    limits = {check.limit for check in failed}
    return LIMITS.get(limits.pop(), Verdict.WRONG_ANSWER) if len(limits) == 1 else Verdict.WRONG_ANSWER


def has_passed(check: CheckOutcome) -> bool:
    """Return whether `check` counts as passed: reported as passed, and no limit was hit."""
    return check.passed and not check.limit
