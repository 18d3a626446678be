"""How far a learner is with an exercise."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """NOT_STARTED: no attempt. TRIED: attempts, none of them accepted. SOLVED: at least one accepted."""

    NOT_STARTED = "not started"
    TRIED = "tried"
    SOLVED = "solved"
