"""Exercises from the folder into the database, and back out for every page that shows one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import joinedload

from app.catalog import filters, tracks
from app.catalog.filters import Filters, Sort
from app.catalog.format import Source, restore
from app.catalog.kinds import Kind, all_kinds
from app.catalog.languages import language_title
from app.catalog.markdown import render
from app.catalog.models import Exercise, Revision
from app.catalog.status import Status
from app.catalog.sync import SyncReport as SyncReport
from app.catalog.sync import sync as sync
from app.db import db
from app.errors import NotFound

KEPT_SOURCES = 128

Statuses = Callable[[int], Mapping[int, Status]]  # learner id → exercise id → status
_providers: dict[str, Callable[..., Mapping[int, object]]] = {}
_sources: OrderedDict[str, Source] = OrderedDict()
_sources_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """How many submissions counted, and how many of those were accepted."""

    accepted: int
    judged: int

    @property
    def percent(self) -> int:
        """The share of accepted ones, 0–100."""
        return round(100 * self.accepted / self.judged) if self.judged else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An exercise as the catalogue shows it to one visitor."""

    exercise: Exercise
    kind: Kind
    status: Status
    acceptance: Acceptance | None  # None: nothing judged yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A track and those of its exercises that were asked for; `solved` and `total` count all of it."""

    track: tracks.Track
    cards: tuple[Card, ...]
    solved: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What the catalogue page shows."""

    shelves: tuple[Shelf, ...]  # in one shelf without a track when the order is not by track
    found: int
    total: int
    choices: Mapping[str, Sequence[tuple[str, str]]]  # filter → (value, label), of what there is


def provide_statuses(statuses: Statuses) -> None:
    """Let `statuses` say how far a learner is; progress hands it in, which the catalogue does not know."""
    _providers["statuses"] = statuses


def provide_acceptance(acceptance: Callable[[], Mapping[int, Acceptance]]) -> None:
    """Let `acceptance` say how often each exercise was accepted; exercise id → Acceptance."""
    _providers["acceptance"] = acceptance


def find(track: str, slug: str, viewer_id: int | None = None) -> Exercise:
    """Return the published exercise there, or the one that `viewer_id` is trying. Raises NotFound."""
    open_to_viewer: ColumnElement[bool] = Exercise.published.is_(True)
    if viewer_id is not None:
        open_to_viewer = or_(open_to_viewer, and_(Exercise.trial, Exercise.owner_id == viewer_id))
    wanted = select(Exercise).where(Exercise.track == track, Exercise.slug == slug, open_to_viewer)
    exercise = db.session.scalar(wanted.options(joinedload(Exercise.current)))
    if exercise is None:
        raise NotFound("There is no such exercise.")
    return exercise


def source_of(revision: Revision) -> Source:
    """Return the exercise as it was at `revision`. Cached by content: a page costs no parsing."""
    return source_with(revision.digest, lambda: revision.files)


def source_with(digest: str, files: Callable[[], Mapping[str, str]]) -> Source:
    """Return the well-formed exercise whose files have `digest`; they are asked for only if it is not at hand."""
    with _sources_lock:
        if digest in _sources:
            _sources.move_to_end(digest)
            return _sources[digest]
    source = restore(files())
    with _sources_lock:
        _sources[digest] = source
        while len(_sources) > KEPT_SOURCES:
            _sources.popitem(last=False)
    return source


def statement_html(revision: Revision) -> Markup:
    """Return the statement of `revision` as safe HTML, without its title."""
    return markdown_html(source_of(revision).statement)


@lru_cache(maxsize=256)
def markdown_html(text: str) -> Markup:
    """Return Markdown of an exercise as safe HTML."""
    return Markup(render(text))  # noqa: S704 - render() escapes and sanitises


def search(wanted: Filters, learner_id: int | None = None) -> Catalogue:
    """Return the published exercises that fit, with the learner's status; for visitors all are not started."""
    every = _cards(learner_id)
    fitting = [card for card in every if filters.fits(wanted, card.exercise, card.status)]
    return Catalogue(
        shelves=_shelves(fitting, every) if wanted.sort is Sort.TRACK else _one_shelf(_ordered(fitting, wanted.sort)),
        found=len(fitting),
        total=len(every),
        choices=_choices(every),
    )


def pick(wanted: Filters, learner_id: int | None, choose: Callable[[Sequence[Exercise]], Exercise]) -> Exercise | None:
    """Return one that fits and is not solved yet, or a solved one if all are; None if nothing fits."""
    fitting = [card for card in _cards(learner_id) if filters.fits(wanted, card.exercise, card.status)]
    fresh = [card.exercise for card in fitting if card.status is not Status.SOLVED]
    candidates = fresh or [card.exercise for card in fitting]
    return choose(candidates) if candidates else None


def _cards(learner_id: int | None) -> list[Card]:
    exercises = db.session.scalars(select(Exercise).where(Exercise.published)).all()
    statuses: Mapping[int, object] = {}
    if learner_id is not None and "statuses" in _providers:
        statuses = _providers["statuses"](learner_id)
    acceptance = _providers["acceptance"]() if "acceptance" in _providers else {}
    cards = [
        Card(
            exercise=exercise,
            kind=all_kinds()[exercise.kind],
            status=Status(str(statuses.get(exercise.id, Status.NOT_STARTED))),
            acceptance=_judged(acceptance.get(exercise.id)),
        )
        for exercise in exercises
    ]
    return sorted(cards, key=_by_track)


def _judged(figure: object) -> Acceptance | None:
    return figure if isinstance(figure, Acceptance) and figure.judged else None


def _by_track(card: Card) -> tuple[object, ...]:
    return (*tracks.order(card.exercise.track), card.exercise.difficulty, card.exercise.minutes, card.exercise.slug)


def _ordered(cards: Iterable[Card], sort: Sort) -> list[Card]:
    """Return `cards`, which come by track, in another order; equal ones stay by track."""
    keys: Mapping[Sort, Callable[[Card], object]] = {
        Sort.TITLE: lambda card: card.exercise.title.casefold(),
        Sort.EASIEST: lambda card: card.exercise.difficulty,
        Sort.HARDEST: lambda card: -card.exercise.difficulty,
        Sort.SHORTEST: lambda card: card.exercise.minutes,
        Sort.ACCEPTANCE: lambda card: -card.acceptance.percent if card.acceptance else 1,
    }
    return sorted(cards, key=keys[sort])  # type: ignore[arg-type]  # each key gives values of one sort


def _shelves(fitting: Iterable[Card], every: Iterable[Card]) -> tuple[Shelf, ...]:
    by_track: dict[str, list[Card]] = {}
    for card in fitting:
        by_track.setdefault(card.exercise.track, []).append(card)
    all_of: dict[str, list[Status]] = {}
    for card in every:
        all_of.setdefault(card.exercise.track, []).append(card.status)
    return tuple(
        Shelf(
            track=tracks.find(slug),
            cards=tuple(cards),
            solved=all_of[slug].count(Status.SOLVED),
            total=len(all_of[slug]),
        )
        for slug, cards in by_track.items()
    )


def _one_shelf(cards: Sequence[Card]) -> tuple[Shelf, ...]:
    solved = sum(card.status is Status.SOLVED for card in cards)
    everything = tracks.Track(slug="", title="Exercises")
    return (Shelf(track=everything, cards=tuple(cards), solved=solved, total=len(cards)),) if cards else ()


def _choices(every: Iterable[Card]) -> dict[str, list[tuple[str, str]]]:
    """Return what can be chosen in each filter: only what would find something."""
    exercises = [card.exercise for card in every]
    found = {exercise.track: tracks.find(exercise.track).title for exercise in exercises}
    kinds = {card.kind.name: card.kind.label for card in every}
    return {
        "track": list(found.items()),
        "kind": sorted(kinds.items(), key=lambda choice: choice[1]),
        "difficulty": [(str(level), str(level)) for level in sorted({exercise.difficulty for exercise in exercises})],
        "skill": [(skill, skill) for skill in sorted({skill for each in exercises for skill in each.skills})],
        "language": [
            (name, language_title(name)) for name in sorted({name for each in exercises for name in each.languages})
        ],
    }
