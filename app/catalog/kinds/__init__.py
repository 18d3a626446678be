"""What an author may write for a kind, and how it is shown, one module each: the registry is this folder.

A module defines `KIND`, whose name is the module's. Its twin in `sandbox/kinds/` says how it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.catalog.spec import ExerciseSpec, Language

KeyPath = tuple[str | int, ...]
Complaint = tuple[KeyPath, str]  # where in exercise.yaml, and what was expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """An answer that knows nothing of the exercise; no exercise of the kind may accept it."""

    name: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A sort of exercise."""

    name: str
    label: str  # as the catalogue shows it
    icon: str  # in icons.svg
    answer: str  # what the learner writes
    runtimes: Mapping[str, str]  # language → folder in sandbox/runtimes/
    language_rules: Callable[[Language], Iterator[tuple[str, str]]]  # → key below the language, what was expected
    cheats: Callable[[Language, str], tuple[Cheat, ...]]  # of one of the exercise's languages, by its name
    required_files: tuple[str, ...] = ()
    has_services: bool = False  # whether PostgreSQL, Redis, … may run beside what the learner writes
    folders: frozenset[str] = frozenset()  # that its exercises have beside those of every kind
    file_rules: Callable[[Mapping[str, str]], Iterator[tuple[str, str]]] = lambda _files: iter(())  # → file, message

    def complaints(self, spec: ExerciseSpec) -> Iterator[Complaint]:
        """Yield what an exercise of this kind may not say."""
        for number, check in enumerate(spec.checks):
            if check.waits and (self.name != "http" or check.visible or spec.services):
                yield ("checks", number, "waits"), "is for hidden checks of kind http without services only"
        if spec.services and not self.has_services:
            yield ("services",), "is for kind http only"
        for name, language in spec.languages.items():
            if name not in self.runtimes:
                known = ", ".join(self.runtimes)
                yield ("languages", name), f"is no language of kind {self.name}; expected {known}"
            for key, expected in self.language_rules(language):
                yield ("languages", name, key), expected


@cache
def all_kinds() -> Mapping[str, Kind]:
    """Return every kind by its name."""
    found = (import_module(f"{__name__}.{module.name}").KIND for module in iter_modules(__path__))
    return {kind.name: kind for kind in found}


def find(name: str) -> Kind:
    """Return the kind called `name`. Raises KeyError if there is none."""
    return all_kinds()[name]
