"""Outcomes of a proof's runs as JSON, and back; and what the tests themselves said of a run. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from app.submissions.answer import printable
from sandbox.outcome import CheckOutcome, Outcome

LONGEST = 8 * 1024  # characters of one text of a test that are kept
MOST_STEPS = 200

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_CHECKS: TypeAdapter[tuple[CheckOutcome, ...]] = TypeAdapter(tuple[CheckOutcome, ...])


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """Return `outcome` as JSON values. Its texts lose what is not printable, as they do before a learner reads them."""
    clean = replace(
        outcome,
        checks=tuple(_printable(check) for check in outcome.checks),
        detail=printable(outcome.detail),
        output=printable(outcome.output),
        reason=printable(outcome.reason),
    )
    values: dict[str, Any] = _OUTCOME.dump_python(clean, mode="json")
    return values


def outcome_from_json(values: dict[str, Any]) -> Outcome:
    """Return the outcome that `outcome_as_json` made `values` of."""
    return _OUTCOME.validate_python(values)


def told_as_text(checks: Iterable[CheckOutcome]) -> str:
    """Return what the tests said, each in full, as JSON text. It holds values of hidden tests: never for learners."""
    return _CHECKS.dump_json(tuple(_printable(check) for check in checks)).decode()


def told_from_text(text: str) -> tuple[CheckOutcome, ...]:
    """Return what `told_as_text` made `text` of; nothing for an empty text."""
    return _CHECKS.validate_json(text) if text else ()


def _printable(check: CheckOutcome) -> CheckOutcome:
    return replace(
        check,
        id=printable(check.id, LONGEST),
        limit=printable(check.limit, LONGEST),
        message=printable(check.message, LONGEST),
        steps=tuple(printable(step, LONGEST) for step in check.steps[:MOST_STEPS]),
        expected=printable(check.expected, LONGEST),
        actual=printable(check.actual, LONGEST),
        output=printable(check.output, LONGEST),
    )
