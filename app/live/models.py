"""Events as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, now


class Event(Base):
    """One thing that happened to one topic; its id is the id of the server-sent event."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_topic_id", "topic", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(80))  # e.g. "submission:42"
    name: Mapped[str] = mapped_column(String(40))  # past tense, product words: submission.judged
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)
