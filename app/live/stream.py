"""Server-sent events: the rows of one topic, as they are written, to one open page.

A stream holds a thread of the server but neither a transaction nor a database connection between its polls.
It ends by itself, after its last event or a minute; the browser then connects again and names the last id it saw.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import cast

from flask import Response, current_app, request, stream_with_context

from app.db import db
from app.errors import TooMany
from app.live.models import Event
from app.live.services import after

RECONNECT_MS = 500
BIGGEST_ID = 2**31 - 1  # ids are 32-bit integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a stream looks and speaks, in seconds."""

    first_poll: float = 0.02  # most verdicts come soon after the page connects
    longest_poll: float = 0.15
    heartbeat: float = 10.0  # of silence, after which a comment shows that the line is open
    max_life: float = 60.0
    wait: Callable[[float], object] = time.sleep


@dataclass(slots=True)
class Places:
    """How many streams are open, per person and in all: each holds a thread that others need too."""

    per_person: int
    in_all: int
    _open: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, person_id: int) -> None:
        """Count one more stream of this person. Raises TooMany when there is no place."""
        with self._lock:
            if self._open[person_id] >= self.per_person or self._open.total() >= self.in_all:
                raise TooMany("Too many pages of yours are listening. Close some of them.")
            self._open[person_id] += 1

    def give_back(self, person_id: int) -> None:
        """Count one stream of this person less."""
        with self._lock:
            self._open[person_id] -= 1
            if self._open[person_id] <= 0:
                del self._open[person_id]


def last_seen() -> int:
    """Return the id of the last event that the asking page has: `Last-Event-ID`, else `?after=`, else 0."""
    raw = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    return min(int(raw), BIGGEST_ID) if raw.isascii() and raw.isdigit() and len(raw) <= 12 else 0


def stream(
    topic: str,
    *,
    person_id: int,
    last_id: int,
    until: Collection[str],
    pace: Pace = Pace(),
    places: Places | None = None,
) -> Response:
    """Return the response that streams `topic` from after `last_id` and ends after an event named in `until`.

    The caller has checked that this person may listen. Raises TooMany when all `places`, by default the site's,
    are taken.
    """
    places = places or cast(Places, current_app.extensions["greenroom.places"])
    places.take(person_id)
    db.session.remove()  # the caller's connection is not held while the page listens
    response = Response(stream_with_context(_frames(topic, last_id, until, pace)), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: places.give_back(person_id))
    return response


def frame(event: Event) -> str:
    """Return `event` as it goes over the line."""
    return f"id: {event.id}\nevent: {event.name}\ndata: {json.dumps(event.data)}\n\n"


def _frames(topic: str, last_id: int, until: Collection[str], pace: Pace) -> Iterator[str]:
    yield f"retry: {RECONNECT_MS}\n\n"
    born = spoke = time.monotonic()
    pause = pace.first_poll
    while time.monotonic() - born < pace.max_life:
        events = after(topic, last_id)
        frames = [frame(event) for event in events]
        over = any(event.name in until for event in events)
        last_id = events[-1].id if events else last_id
        db.session.remove()
        if frames:
            yield "".join(frames)
            spoke, pause = time.monotonic(), pace.first_poll
        elif time.monotonic() - spoke >= pace.heartbeat:
            yield ": still here\n\n"
            spoke = time.monotonic()
        if over:
            return
        pace.wait(pause)
        pause = min(pause * 1.3, pace.longest_poll)
