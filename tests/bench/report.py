"""What a benchmark found: rows of numbers, and what they had to reach; as a table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

HEAD = f"  {'':<52}{'n':>5}{'median':>10}{'p95':>10}{'min':>10}{'max':>10} {'':<7}{'CPU/job':>10}{'memory':>10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One variant of a question. Without values it could not be measured, and `note` says why."""

    what: str
    values: Sequence[float] = ()
    unit: str = "ms"
    cpu_ms: float | None = None  # per job
    memory_mb: float | None = None
    note: str = ""

    @property
    def p50(self) -> float:
        """The median; NaN without values."""
        return median(self.values) if self.values else math.nan

    @property
    def p95(self) -> float:
        """The smallest value that 95 of 100 do not exceed; NaN without values."""
        ordered = sorted(self.values)
        return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else math.nan

    def line(self) -> str:
        """Return the row as a line of the table."""
        line = f"  {self.what:<52}"
        if not self.values:
            return f"{line}    –   {self.note}"
        found = (self.p50, self.p95, min(self.values), max(self.values))
        line += f"{len(self.values):>5}" + "".join(f"{value:>10.{_places(value)}f}" for value in found)
        line += f" {self.unit:<7}{_cell(self.cpu_ms, 'ms')}{_cell(self.memory_mb, 'MB')}"
        return f"{line}   {self.note}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """Return the row with all its values."""
        found: dict[str, float] = {}
        if self.values:
            found = {"p50": self.p50, "p95": self.p95, "min": min(self.values), "max": max(self.values)}
        return {
            "what": self.what,
            "unit": self.unit,
            "n": len(self.values),
            **{name: round(value, 3) for name, value in found.items()},
            "cpu_ms_per_job": self.cpu_ms,
            "memory_mb": self.memory_mb,
            "note": self.note,
            "values": [round(value, 3) for value in self.values],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a number has to reach. `found` is None when it was not measured."""

    what: str
    wanted: float
    found: float | None
    unit: str = "ms"
    at_least: bool = False  # else: at most

    @property
    def reached(self) -> bool:
        """Whether the number is what it has to be."""
        if self.found is None or math.isnan(self.found):
            return False
        return self.found >= self.wanted if self.at_least else self.found <= self.wanted

    def line(self) -> str:
        """Return the goal as a line of the table."""
        wanted = f"{'≥' if self.at_least else '≤'} {self.wanted:g} {self.unit}"
        if self.found is None or math.isnan(self.found):
            return f"  {self.what:<52}{wanted:>14}{'–':>14}   not measured"
        found = f"{self.found:.{_places(self.found)}f} {self.unit}"
        return f"  {self.what:<52}{wanted:>14}{found:>14}   {'ok' if self.reached else 'MISSED'}"

    def as_json(self) -> dict[str, Any]:
        """Return the goal and whether it was reached."""
        measured = self.found is not None and not math.isnan(self.found)
        return {
            "what": self.what,
            "unit": self.unit,
            "wanted": self.wanted,
            "at_least": self.at_least,
            "found": round(self.found, 3) if measured and self.found is not None else None,
            "reached": self.reached if measured else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one question found."""

    rows: Sequence[Row]
    goals: Sequence[Goal] = field(default=())

    def table(self) -> str:
        """Return the rows as text."""
        return "\n".join((HEAD, *(row.line() for row in self.rows)))

    def as_json(self) -> dict[str, Any]:
        """Return rows and goals."""
        return {"rows": [row.as_json() for row in self.rows], "goals": [goal.as_json() for goal in self.goals]}


def goals_table(goals: Iterable[Goal]) -> str:
    """Return the goals as text."""
    head = f"  {'':<52}{'wanted':>14}{'found':>14}"
    return "\n".join((head, *(goal.line() for goal in goals)))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(path)


def ratio(dividend: float | None, divisor: float | None) -> float | None:
    """Return `dividend` / `divisor`, or None when one of them is not there."""
    if dividend is None or divisor is None or math.isnan(dividend) or math.isnan(divisor) or not divisor:
        return None
    return dividend / divisor


def _places(value: float) -> int:
    return 0 if value >= 1000 else 1 if value >= 10 else 2


def _cell(value: float | None, unit: str) -> str:
    return f"{value:>7.{_places(value)}f} {unit}" if value is not None else " " * 10
