"""A query or a script for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

from app.catalog.kinds import Cheat, Kind
from app.catalog.spec import Language

MODES = ("query", "script", "statements")
_ANSWERS = {
    "empty": "",
    "nothing": "-- nothing\n",
    "one": "select 1;\n",
    "no-rows": "select null where false;\n",
}


def _rules(language: Language) -> Iterator[tuple[str, str]]:
    if language.mode not in MODES:
        yield "mode", f"must be one of {', '.join(MODES)}, got {language.mode!r}"
    if language.run:
        yield "run", "is for kind http only: the judge executes the text"


def _cheats(language: Language, _name: str) -> tuple[Cheat, ...]:
    return tuple(Cheat(name=cheat, files={language.entry: text}) for cheat, text in _ANSWERS.items())


KIND = Kind(
    name="sql",
    label="SQL",
    icon="database",
    answer="a query or a script that runs on PostgreSQL",
    runtimes={"sql": "postgres"},
    language_rules=_rules,
    cheats=_cheats,
    required_files=("data/schema.sql",),
)
