"""What the catalogue is asked to show: query string ⇄ Filters, and whether an exercise fits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode

from app.catalog.status import Status

MAX_VALUES = 20  # of one filter
MAX_TEXT = 100


class Arguments(Protocol):
    """The arguments of a query string, as werkzeug's MultiDict gives them."""

    def getlist(self, key: str) -> list[str]:
        """Return every value of `key`."""
        ...


class Sort(StrEnum):
    """The order of a list."""

    TRACK = "track"
    TITLE = "title"
    EASIEST = "easiest"
    HARDEST = "hardest"
    SHORTEST = "shortest"
    ACCEPTANCE = "acceptance"


class Standing(StrEnum):
    """What can be asked of a learner's status; NOT_SOLVED is both that are not solved."""

    NOT_STARTED = "not-started"
    TRIED = "tried"
    SOLVED = "solved"
    NOT_SOLVED = "not-solved"

    @property
    def statuses(self) -> frozenset[Status]:
        """The statuses that fit."""
        if self is Standing.NOT_SOLVED:
            return frozenset({Status.NOT_STARTED, Status.TRIED})
        return frozenset({Status[self.name]})


class Facts(Protocol):
    """What a filter looks at."""

    @property
    def track(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def difficulty(self) -> int: ...
    @property
    def skills(self) -> Iterable[str]: ...
    @property
    def languages(self) -> Iterable[str]: ...
    @property
    def summary(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Values of one filter are alternatives; the filters together must all fit. An empty one fits everything."""

    q: str = ""
    track: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    difficulty: tuple[str, ...] = ()
    skill: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    status: tuple[Standing, ...] = ()
    sort: Sort = Sort.TRACK

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return replace(self, sort=Sort.TRACK) != Filters()

    def query(self, **changes: object) -> str:
        """Return the query string that asks for this with `changes`; empty for the whole list in its usual order."""
        wanted = replace(self, **changes)  # type: ignore[arg-type]  # names of fields, from our templates
        pairs: list[tuple[str, str]] = []
        for each in fields(wanted):
            value = getattr(wanted, each.name)
            if value == each.default:
                continue
            pairs += [(each.name, str(item)) for item in ((value,) if isinstance(value, str) else value)]
        return urlencode(pairs)


def parse(arguments: Arguments) -> Filters:
    """Return what a query string asks for; values that mean nothing are left out rather than refused."""

    def values(name: str) -> tuple[str, ...]:
        given = [value.strip() for value in arguments.getlist(name)[:MAX_VALUES]]
        return tuple(dict.fromkeys(value[:MAX_TEXT] for value in given if value))

    sorts = [value for value in values("sort") if value in set(Sort)]
    return Filters(
        q=" ".join(" ".join(values("q")).split())[:MAX_TEXT],
        track=values("track"),
        kind=values("kind"),
        difficulty=values("difficulty"),
        skill=values("skill"),
        language=values("language"),
        status=tuple(Standing(value) for value in values("status") if value in set(Standing)),
        sort=Sort(sorts[0]) if sorts else Sort.TRACK,
    )


def fits(filters: Filters, exercise: Facts, status: Status) -> bool:
    """Return whether `exercise`, with which the visitor is at `status`, is one of those asked for."""
    rules: tuple[tuple[tuple[str, ...], Callable[[str], bool]], ...] = (
        (filters.track, lambda value: exercise.track == value),
        (filters.kind, lambda value: exercise.kind == value),
        (filters.difficulty, lambda value: str(exercise.difficulty) == value),
        (filters.skill, lambda value: value in exercise.skills),
        (filters.language, lambda value: value in exercise.languages),
        (filters.status, lambda value: status in Standing(value).statuses),
    )
    if not all(any(rule(value) for value in wanted) for wanted, rule in rules if wanted):
        return False
    if not filters.q:
        return True
    text = " ".join((exercise.title, exercise.track, exercise.kind, exercise.summary, *exercise.skills)).casefold()
    return all(word in text for word in filters.q.casefold().split())
