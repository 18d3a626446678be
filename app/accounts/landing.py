"""What the first page tells visitors of the catalogue, handed in by whoever knows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, current_app


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackCard:
    """A track as the first page shows it."""

    title: str
    summary: str
    count: int  # published exercises
    url: str


def provide_tracks(app: Flask, tracks: Callable[[], Sequence[TrackCard]]) -> None:
    """Let `tracks` say what the first page shows; it is called for each visit."""
    app.extensions["greenroom.tracks"] = tracks


def tracks() -> Sequence[TrackCard]:
    """Return the tracks to show; none before a provider is there."""
    provider = current_app.extensions.get("greenroom.tracks")
    return provider() if provider else ()
