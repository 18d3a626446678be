"""Notices as rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, now


class Notice(Base):
    """One thing that one person is told."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_person", "person_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(String(40))  # past tense, product words: submission.regraded
    text: Mapped[str] = mapped_column(Text)  # one sentence, plain
    path: Mapped[str] = mapped_column(String(300))  # where on this site it leads
    created_at: Mapped[datetime] = mapped_column(default=now)
    read_at: Mapped[datetime | None]
