"""What an open page is told: events are rows, written in the transaction that they tell of."""

from __future__ import annotations

from typing import cast

from flask import Flask

from config import Config

PER_PERSON = 6


def init_app(app: Flask) -> None:
    """Make places for streams; whoever owns a topic streams it (`live.stream`) from views of its own."""
    from app.live.stream import Places  # here, since it imports this package

    threads = cast(Config, app.extensions["greenroom.config"]).threads
    # A quarter of the server's threads is kept for pages that ask and leave.
    app.extensions["greenroom.places"] = Places(per_person=PER_PERSON, in_all=threads * 3 // 4)
