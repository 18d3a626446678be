"""What an open page is told: events are rows, written in the transaction that they tell of."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Nothing to register: whoever owns a topic streams it (`live.stream`) from views of its own."""
