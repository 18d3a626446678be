"""What the sandbox saw: facts, apart from what they mean (see app/submissions/verdict.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Ended(StrEnum):
    """How a job came to its end."""

    COMPLETED = "completed"  # the judge ended cleanly and proved it with its nonce
    NOT_LOADED = "not_loaded"  # the submission does not compile or parse: no check ran
    CRASHED = "crashed"  # the learner's program died or could not be started
    OUT_OF_TIME = "out_of_time"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MUCH_OUTPUT = "too_much_output"
    TOO_MANY_PROCESSES = "too_many_processes"
    BOX_BROKE = "box_broke"  # the platform's fault from here on
    JUDGE_BROKE = "judge_broke"
    ENGINE_BROKE = "engine_broke"


PLATFORM_FAULTS = frozenset({Ended.BOX_BROKE, Ended.JUDGE_BROKE, Ended.ENGINE_BROKE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """How one check went. All but `id`, `passed` and `limit` are empty for hidden checks."""

    id: str
    passed: bool
    limit: str = ""  # "time", "memory", "output" or "crash" when that is why it failed
    message: str = ""
    steps: tuple[str, ...] = ()  # what the check did: calls, requests, statements
    expected: str = ""
    actual: str = ""
    output: str = ""  # what the learner's program printed meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to one job."""

    ended: Ended
    checks: tuple[CheckOutcome, ...] = ()
    detail: str = ""  # safe for the learner: compiler message, crash before any hidden input
    output: str = ""  # safe for the learner: printed before any hidden input
    reason: str = ""  # for operators and instructors only
    wall_time: timedelta = timedelta()
    cpu_time: timedelta = timedelta()
    max_memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Progress while a job runs: `box.starting`, `box.started`, `check.finished`."""

    name: str
    data: Mapping[str, object] = field(default_factory=dict)  # check.finished: id, passed, done, total
