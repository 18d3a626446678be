"""Languages have names that people read, and those are in the titles of their runtimes."""

from __future__ import annotations

import tomllib

from app.catalog.kinds import all_kinds
from app.catalog.languages import TITLES, language_title
from config import ROOT


def test_every_language_that_a_kind_offers_is_called_as_its_runtime_is() -> None:
    offered = {pair for kind in all_kinds().values() for pair in kind.runtimes.items()}
    assert {language for language, _ in offered} == set(TITLES)
    for language, runtime in offered:  # "pytest on Python 3.13" is a runtime of the language "Python 3.13"
        title = tomllib.loads((ROOT / "sandbox/runtimes" / runtime / "runtime.toml").read_text())["title"]
        assert title.endswith(TITLES[language])


def test_a_language_of_former_days_keeps_its_name() -> None:
    assert language_title("cobol") == "cobol"


def test_the_same_cheats_are_tried_in_every_language_of_a_kind() -> None:
    from app.catalog.spec import Language

    for kind in all_kinds().values():
        entry = Language(entry="main")
        tried = {language: [cheat.name for cheat in kind.cheats(entry, language)] for language in kind.runtimes}
        assert len({tuple(names) for names in tried.values()}) == 1, tried
