"""Telling pages what happened, and reading it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from app.db import db
from app.live.models import Event


def tell(topic: str, name: str, **data: Any) -> None:
    """Add the event `name` of `topic`. The caller commits: an event is true only together with what it tells of."""
    db.session.add(Event(topic=topic, name=name, data=data))


def after(topic: str, last_id: int) -> list[Event]:
    """Return the events of `topic` with ids above `last_id`, oldest first."""
    newer = select(Event).where(Event.topic == topic, Event.id > last_id).order_by(Event.id)
    return list(db.session.scalars(newer))


def forget(before: datetime) -> None:
    """Delete the events from before `before`: no page waits for them any more. The caller commits."""
    db.session.execute(delete(Event).where(Event.created_at < before), execution_options={"synchronize_session": False})
