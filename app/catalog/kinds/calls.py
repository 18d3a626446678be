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
_ANYTHING_IN_NODE = """\
"use strict";

const answer = (...args) => {{
  {answer}
}};

class Anything {{
  constructor() {{
    return new Proxy(this, {{ get: () => answer }});
  }}
}}

module.exports = new Proxy({{}}, {{
  get: (_, name) => (/^[A-Z]/.test(String(name)) ? Anything : answer),
}});
"""
_ANSWERS = {
    "returns-none": "return None",
    "echoes": "return args[0] if args else None",
    "raises": 'raise ValueError("no")',
    "returns-true": "return True",
}
_ANSWERS_IN_NODE = {
    "returns-none": "return null;",
    "echoes": "return args[0];",
    "raises": 'throw new RangeError("no");',
    "returns-true": "return true;",
}
_PROGRAMS = {"python": (_ANYTHING, _ANSWERS), "node": (_ANYTHING_IN_NODE, _ANSWERS_IN_NODE)}


def _rules(language: Language) -> Iterator[tuple[str, str]]:
    if language.run:
        yield "run", "is for kind http only: a driver loads the entry"
    if language.mode:
        yield "mode", "is for kind sql only"


def _cheats(language: Language, name: str) -> tuple[Cheat, ...]:
    program, answers = _PROGRAMS.get(name, ("", {}))
    texts = {"empty": ""} | {cheat: program.format(answer=answer) for cheat, answer in answers.items()}
    return tuple(Cheat(name=cheat, files={language.entry: text}) for cheat, text in texts.items())


KIND = Kind(
    name="calls",
    label="Functions",
    icon="file-code",
    answer="functions or classes that the tests call",
    runtimes={"python": "python", "node": "node"},
    language_rules=_rules,
    cheats=_cheats,
)
