"""Functions or classes that the judge calls."""

from __future__ import annotations

from collections.abc import Iterator

from app.catalog.kinds import Cheat, Kind
from app.catalog.spec import Language

# Every name is there: a class whose methods all answer alike, which is also a function that does.
_ANYTHING = """\
class Anything:
    def __init__(self, *args):
        self.args = args

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return answer


def answer(*args):
    {answer}


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Anything if name[:1].isupper() else answer
"""
_ANSWERS = {
    "returns-none": "return None",
    "echoes": "return args[0] if args else None",
    "raises": 'raise ValueError("no")',
    "returns-true": "return True",
}


def _rules(language: Language) -> Iterator[tuple[str, str]]:
    if language.run:
        yield "run", "is for kind http only: a driver loads the entry"
    if language.mode:
        yield "mode", "is for kind sql only"


def _cheats(language: Language, name: str) -> tuple[Cheat, ...]:
    empty = Cheat(name="empty", files={language.entry: ""})
    if name != "python":
        return (empty,)
    answers = _ANSWERS.items()
    return (empty, *(Cheat(name=cheat, files={language.entry: _ANYTHING.format(answer=a)}) for cheat, a in answers))


KIND = Kind(
    name="calls",
    label="Functions",
    icon="file-code",
    answer="functions or classes that the tests call",
    runtimes={"python": "python"},
    language_rules=_rules,
    cheats=_cheats,
)
