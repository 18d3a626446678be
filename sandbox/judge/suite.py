"""The state of one judging: which check runs, what it did, how each went."""

from __future__ import annotations

import datetime as dt
import pprint
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

TEXT_CAP = 2000  # characters of a value or message that are shown
STEPS_CAP = 30


@dataclass(slots=True)
class CheckRun:
    """One check while it is judged."""

    id: str
    test: str
    visible: bool
    waits: bool = False  # spends its time waiting: judged beside others that do
    passed: bool = True
    cases: int = 0  # test items still to run
    limit: str = ""
    message: str = ""
    steps: list[str] = field(default_factory=list)
    expected: str = ""
    actual: str = ""
    output: str = ""

    def report(self) -> dict[str, Any]:
        """Return what leaves the judge: of a hidden check only id, passed and limit."""
        told: dict[str, Any] = {"id": self.id, "passed": self.passed, "limit": self.limit}
        if self.visible:
            told |= {
                "message": self.message,
                "steps": self.steps,
                "expected": self.expected,
                "actual": self.actual,
                "output": self.output,
            }
        return told


@dataclass(slots=True)
class Suite:
    """All checks of one job, and what ended it early."""

    seed: int
    wall_seconds: float
    output_cap: int
    checks: dict[str, CheckRun]  # by test name
    finished: list[CheckRun] = field(default_factory=list)
    current: CheckRun | None = None
    ended: str = ""  # a value of outcome.Ended once nothing more can be judged
    detail: str = ""
    output: str = ""
    reason: str = ""

    @property
    def untouched(self) -> bool:
        """Whether the box has not seen any check's input yet."""
        return self.current is None and not self.finished

    def step(self, text: str) -> None:
        """Note what the current check did, for the learner to see when it is visible."""
        if self.current is not None and self.current.visible and len(self.current.steps) < STEPS_CAP:
            self.current.steps.append(clip(text, 400))

    def printed(self, text: str) -> None:
        """Note what the learner's program printed: to the current check, or to the time before any check."""
        if self.untouched:
            self.output = (self.output + text)[: self.output_cap]
        elif self.current is not None:
            self.current.output = (self.current.output + text)[: self.output_cap]

    def progress(self, check: CheckRun) -> dict[str, Any]:
        """Return the message to the worker that `check` is finished."""
        data = {"id": check.id, "passed": check.passed, "done": len(self.finished), "total": len(self.checks)}
        return {"type": "event", "name": "check.finished", "data": data}

    def end_by(self, limit: str) -> None:
        """Nothing more can be judged because `limit` bit."""
        self.end({"time": "out_of_time", "output": "too_much_output"}.get(limit, "crashed"))

    def end(self, ended: str, *, detail: str = "", reason: str = "") -> None:
        """Nothing more can be judged; the first call counts."""
        if not self.ended:
            self.ended, self.detail, self.reason = ended, detail, reason


def clip(text: str, cap: int = TEXT_CAP) -> str:
    """Return `text`, shortened to `cap` characters with a mark where it was cut."""
    return text if len(text) <= cap else text[: cap - 1] + "…"


class _Printer(pprint.PrettyPrinter):
    """Writes what a database gives as people read it: 2024-03-01, not datetime.date(2024, 3, 1)."""

    def format(self, value: object, *how: Any) -> tuple[str, bool, bool]:
        """Return the text of `value`, as `pprint` wants it."""
        if isinstance(value, dt.date | dt.time | dt.timedelta | Decimal | UUID):
            return str(value), True, False
        return super().format(value, *how)


_printer = _Printer(width=88, sort_dicts=False)
_row_printer = _Printer(width=sys.maxsize, sort_dicts=False)


def show(value: object) -> str:
    """Return a readable text of a JSON or database value, at most TEXT_CAP characters; of rows each on its line."""
    if isinstance(value, str) and "\n" in value:
        return clip(value)
    if isinstance(value, list) and value and all(isinstance(row, tuple) for row in value):
        return clip("\n".join(_row_printer.pformat(row) for row in value))
    return clip(_printer.pformat(value))
