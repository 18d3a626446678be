"""Whether anything that a learner reads holds a value that only the hidden tests know. Pure.

A *hidden literal* is a string or number of at least six characters written in `tests/hidden/` (docstrings apart) that
stands in none of the programs (starter, solutions, wrong), in no visible test and not in `data/schema.sql`. What
a program must say or the visible tests use is the exercise's vocabulary; so are names that everybody knows: header
fields, media types, status phrases, time zones. A plain word in small letters is a value only where quotes or
backticks make it one: prose may say "a spelling of the key" although a test uses that word. A learner who meets
a hidden literal anywhere has been shown an input of the judge: one of the two places should use another value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from mimetypes import types_map
from zoneinfo import available_timezones

from app.catalog.format import Source
from sandbox.outcome import Outcome

SHORTEST = 6
VOCABULARY = ("starter/", "solutions/", "wrong/", "tests/visible/", "data/schema.sql")
_HEADERS = (
    "Accept Accept-Encoding Accept-Language Access-Control-Allow-Origin Age Allow Authorization Bearer Cache-Control "
    "Connection Content-Disposition Content-Encoding Content-Length Content-Location Content-Type Cookie Deprecation "
    "Digest ETag Expect Expires Forwarded Idempotency-Key If-Match If-Modified-Since If-None-Match If-Range "
    "If-Unmodified-Since Last-Modified Location Origin Prefer Range Referer Retry-After Server Set-Cookie Sunset "
    "Transfer-Encoding User-Agent Vary WWW-Authenticate HttpOnly SameSite Secure Max-Age OPTIONS DELETE "
    "application/problem+json application/merge-patch+json application/x-www-form-urlencoded chunked no-cache no-store"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A value of a hidden test, and where it stands."""

    text: str
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A hidden literal where a learner reads it."""

    where: str
    literal: Literal

    def __str__(self) -> str:
        # The author reads this, and has the hidden tests before them.
        return f"holds {self.literal.text!r}, a value of {self.literal.file}:{self.literal.line}"


def hidden_literals(source: Source) -> list[Literal]:
    """Return the values that only the hidden tests know, longest first."""
    vocabulary = "\n".join(text for name, text in source.files.items() if name.startswith(VOCABULARY))
    found: dict[str, Literal] = {}
    for name, text in source.files.items():
        if name.startswith("tests/hidden/") and name.endswith(".py"):
            for literal in _literals(name, text):
                found.setdefault(literal.text, literal)
    known = _well_known()
    hidden = [each for each in found.values() if each.text.lower() not in known and each.text not in vocabulary]
    return sorted(hidden, key=lambda literal: (-len(literal.text), literal.text))


def holds(text: str, value: str) -> bool:
    """Return whether `value` stands in `text` on its own, not as a part of a longer word or number."""
    if value not in text:
        return False
    if re.fullmatch(r"[a-z]+", value):
        return re.search(rf"[\"'`]{value}[\"'`]", text) is not None
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", text) is not None


def in_folder(source: Source, hidden: Iterable[Literal]) -> list[Leak]:
    """Return the hidden literals in what a learner reads before any submission."""
    return _leaks(_shown(source), hidden)


def in_outcome(outcome: Outcome, visible: Iterable[str], hidden: Iterable[Literal], where: str) -> list[Leak]:
    """Return the hidden literals in what a learner is told of a submission; `visible` are the ids of visible checks."""
    shown = dict(_told(outcome, frozenset(visible), where))
    return _leaks(shown, hidden)


def talkative(outcome: Outcome, visible: Iterable[str]) -> list[str]:
    """Return the ids of hidden checks that say more than whether they passed."""
    shown = frozenset(visible)
    return [
        check.id
        for check in outcome.checks
        if check.id not in shown and (check.message or check.steps or check.expected or check.actual or check.output)
    ]


def _leaks(texts: Mapping[str, str], hidden: Iterable[Literal]) -> list[Leak]:
    return [
        Leak(where=where, literal=literal)
        for literal in hidden
        for where, text in texts.items()
        if holds(text, literal.text)
    ]


def _shown(source: Source) -> dict[str, str]:
    """Return every text of the folder that learners read before they submit, by where it stands."""
    spec = source.spec
    texts = {"exercise.yaml: title": spec.title, "README.md": source.statement}
    texts |= {f"exercise.yaml: hints[{number}]": hint for number, hint in enumerate(spec.hints)}
    for number, check in enumerate(spec.checks):
        texts[f"exercise.yaml: checks[{number}].title"] = check.title
        texts[f"exercise.yaml: checks[{number}].hint"] = check.hint
    return texts


def _told(outcome: Outcome, visible: frozenset[str], where: str) -> Iterator[tuple[str, str]]:
    yield f"{where}: message", outcome.detail
    yield f"{where}: output", outcome.output
    for check in outcome.checks:
        if check.id in visible:
            texts = (check.message, *check.steps, check.expected, check.actual, check.output)
            yield f"{where}: check {check.id}", "\n".join(texts)


def _literals(name: str, text: str) -> Iterator[Literal]:
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            for value in _written(node, text):
                if len(value) >= SHORTEST:
                    yield Literal(text=value, file=name, line=node.lineno)


def _written(node: ast.Constant, text: str) -> Iterator[str]:
    """Yield how a learner might read the constant: numbers plainly and as the author wrote them."""
    value = node.value
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from {str(value), ast.get_source_segment(text, node) or ""}


@cache
def _well_known() -> frozenset[str]:
    phrases = (status.phrase for status in HTTPStatus)
    return frozenset(
        name.lower() for name in (*_HEADERS.split(), *types_map.values(), *available_timezones(), *phrases)
    )
