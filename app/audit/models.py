"""Entries of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, now


class AuditEntry(Base):
    """One change that somebody made. Entries are neither changed nor deleted."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # None: the command line
    action: Mapped[str] = mapped_column(String(60))  # past tense, product words: exercise.published
    subject: Mapped[str] = mapped_column(String(80))  # e.g. "exercise:12", "user:3", "cohort:7"
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # before and after; never code, never tests

    actor: Mapped[User | None] = relationship()
