"""Tests that are run on right and on wrong variants of a program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from app.catalog.kinds import Cheat, Kind
from app.catalog.spec import Language

FOLDER = "variants"
LEAST_CORRECT, LEAST_BUGS = 2, 3
_NAME = re.compile(r"(correct|bug)_[a-z0-9_]+\.py")
_ANSWERS = {
    "empty": "",
    "always-passes": "def test_nothing():\n    assert True\n",
    "always-fails": "def test_nothing():\n    assert False\n",
    "tosses-a-coin": "import random\n\n\ndef test_nothing():\n    assert random.random() < 0.5\n",
    "ends-well": "import os\n\n\ndef test_nothing():\n    os._exit(0)\n",
    "ends-badly": "import os\n\n\ndef test_nothing():\n    os._exit(1)\n",
    "cannot-be-collected": "assert False\n",
}


def _rules(language: Language) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(r"test_[A-Za-z0-9_]+\.py", PurePosixPath(language.entry).name):
        yield "entry", f"must be a file of tests, test_….py, got {language.entry!r}"
    if language.run:
        yield "run", "is for kind http only: pytest runs the tests"
    if language.mode:
        yield "mode", "is for kind sql only"


def _file_rules(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the variants: their names say which are right."""
    names = [name.partition("/")[2] for name in files if name.startswith(f"{FOLDER}/")]
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"{FOLDER}/{name}", "must be called correct_….py or bug_….py, in small letters, digits and _"
    for prefix, least in (("correct_", LEAST_CORRECT), ("bug_", LEAST_BUGS)):
        if sum(name.startswith(prefix) for name in names) < least:
            yield FOLDER, f"needs at least {least} variants that are called {prefix}….py"


def _cheats(language: Language, _name: str) -> tuple[Cheat, ...]:
    return tuple(Cheat(name=cheat, files={language.entry: text}) for cheat, text in _ANSWERS.items())


KIND = Kind(
    name="mutation",
    label="Tests",
    icon="list-checks",
    answer="tests that pass on right programs and fail on wrong ones",
    runtimes={"python": "pytest"},
    language_rules=_rules,
    cheats=_cheats,
    folders=frozenset({FOLDER}),
    file_rules=_file_rules,
)
