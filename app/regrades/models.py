"""Regrades, and what each would change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.catalog.models import Exercise, Revision
from app.db import Base, now


class RegradeStage(StrEnum):
    """What was decided. While OPEN it is a dry run: running until every shadow is judged, then ready."""

    OPEN = "open"
    APPLIED = "applied"
    DISCARDED = "discarded"


class Regrade(Base):
    """Submissions of one exercise judged again with one of its revisions, to see what would change, then change it."""

    __tablename__ = "regrade"
    __table_args__ = (
        CheckConstraint("stage IN ('open', 'applied', 'discarded')", name="stage_known"),
        CheckConstraint("(stage = 'open') = (decided_at IS NULL)", name="decided_has_time"),
        Index("ix_regrade_exercise", "exercise_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))  # to judge with
    reason: Mapped[str] = mapped_column(Text)  # for the learners
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    stage: Mapped[str] = mapped_column(String(9), default=RegradeStage.OPEN)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]

    exercise: Mapped[Exercise] = relationship()
    revision: Mapped[Revision] = relationship()
    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])


class RegradeItem(Base):
    """One submission of a regrade: judged again by its shadow, or why it is not."""

    __tablename__ = "regrade_item"
    __table_args__ = (
        UniqueConstraint("regrade_id", "submission_id"),
        UniqueConstraint("shadow_id"),
        CheckConstraint("shadow_id IS NULL OR why_not = ''", name="unfit_has_no_shadow"),
        Index("ix_regrade_item_submission", "submission_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    regrade_id: Mapped[int] = mapped_column(ForeignKey("regrade.id", ondelete="CASCADE"))
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    # None: it cannot be judged, or the regrade is decided and its shadows are gone.
    shadow_id: Mapped[int | None] = mapped_column(ForeignKey("submission.id", ondelete="SET NULL"))
    why_not: Mapped[str] = mapped_column(Text, default="")
    old_verdict: Mapped[str] = mapped_column(String(20))
    regraded_before: Mapped[datetime | None]  # when the submission was regraded last, as the dry run saw it
    new_verdict: Mapped[str | None] = mapped_column(String(20))  # kept once decided
    checks: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))  # likewise: CheckChange
