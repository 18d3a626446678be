"""Drafts, submissions (each row is also its own job) and how their checks went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.catalog.models import Exercise, Revision
from app.db import Base, now


class Purpose(StrEnum):
    """RUN: the visible checks, not progress. SUBMIT: all checks, counts. REGRADE: a SUBMIT again, seen by nobody."""

    RUN = "run"
    SUBMIT = "submit"
    REGRADE = "regrade"


LIVE = (Purpose.RUN, Purpose.SUBMIT)  # what people sent and wait for: all that pages, figures and the line may show


class Stage(StrEnum):
    """Where a submission is. How it went is its verdict."""

    QUEUED = "queued"
    JUDGING = "judging"
    JUDGED = "judged"


class Draft(Base):
    """The files that a learner is editing now."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("learner_id", "exercise_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    language: Mapped[str] = mapped_column(String(20))
    files: Mapped[dict[str, str]] = mapped_column(JSON)
    previous: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))  # before a reset, to undo it
    version: Mapped[int] = mapped_column(default=1)  # raised by every save; a save names the one it saw
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Submission(Base):
    """One frozen copy of a draft, judged or to be judged."""

    __tablename__ = "submission"
    __table_args__ = (
        CheckConstraint("stage IN ('queued', 'judging', 'judged')", name="stage_known"),
        CheckConstraint("purpose IN ('run', 'submit', 'regrade')", name="purpose_known"),
        CheckConstraint("(stage = 'judged') = (verdict IS NOT NULL)", name="judged_has_verdict"),
        CheckConstraint("(stage = 'judging') = (lease_until IS NOT NULL)", name="judging_has_lease"),
        CheckConstraint("(purpose = 'regrade') = (original_id IS NOT NULL)", name="regrade_has_original"),
        Index("ix_submission_stage_purpose_id", "stage", "purpose", "id"),
        Index("ix_submission_learner_exercise", "learner_id", "exercise_id"),
        Index("ix_submission_learner_id", "learner_id", "id"),
        Index("ix_submission_original_id", "original_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    language: Mapped[str] = mapped_column(String(20))
    files: Mapped[dict[str, str]] = mapped_column(JSON)
    purpose: Mapped[str] = mapped_column(String(8))
    original_id: Mapped[int | None] = mapped_column(ForeignKey("submission.id"))  # what a REGRADE judges again
    seed: Mapped[int]
    stage: Mapped[str] = mapped_column(String(8), default=Stage.QUEUED)
    verdict: Mapped[str | None] = mapped_column(String(20))
    claimed_by: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    claims: Mapped[int] = mapped_column(default=0)  # how often a worker took it
    detail: Mapped[str] = mapped_column(Text, default="")  # safe for the learner
    output: Mapped[str] = mapped_column(Text, default="")  # safe for the learner
    reason: Mapped[str] = mapped_column(Text, default="")  # for instructors only
    wall_ms: Mapped[int] = mapped_column(default=0)
    cpu_ms: Mapped[int] = mapped_column(default=0)
    max_memory_bytes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    judged_at: Mapped[datetime | None]  # the first time: a regrade leaves it, since the line counts by it
    judged_revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))  # of its results; None: its own
    regraded_at: Mapped[datetime | None]
    regrade_reason: Mapped[str] = mapped_column(Text, default="")  # for the learner
    first_verdict: Mapped[str | None] = mapped_column(String(20))  # before any regrade; None: never regraded

    learner: Mapped[User] = relationship()
    exercise: Mapped[Exercise] = relationship()
    revision: Mapped[Revision] = relationship(foreign_keys=[revision_id])
    judged_revision: Mapped[Revision | None] = relationship(foreign_keys=[judged_revision_id])
    checks: Mapped[list[CheckResult]] = relationship(
        back_populates="submission", order_by="CheckResult.position", cascade="all, delete-orphan"
    )

    @property
    def topic(self) -> str:
        """The topic of its live events."""
        return f"submission:{self.id}"

    @property
    def results_of(self) -> Revision:
        """The revision whose checks its results are of."""
        return self.judged_revision or self.revision


class WorkerRow(Base):
    """What a process that judges said last of itself."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    seen_at: Mapped[datetime]
    pool: Mapped[dict[str, Any]] = mapped_column(JSON)  # sandbox.shelf.PoolStatus as JSON


class CheckResult(Base):
    """How one check went this time. For a hidden check only passed and limit are ever filled."""

    __tablename__ = "check_result"
    __table_args__ = (
        UniqueConstraint("submission_id", "check_id"),
        CheckConstraint(
            "visible OR (message = '' AND steps = '' AND expected = '' AND actual = '' AND output = '')",
            name="hidden_check_tells_nothing",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id", ondelete="CASCADE"))
    position: Mapped[int]
    check_id: Mapped[str] = mapped_column(String(60))
    visible: Mapped[bool]
    passed: Mapped[bool]
    limit_hit: Mapped[str] = mapped_column(String(10), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[str] = mapped_column(Text, default="")
    expected: Mapped[str] = mapped_column(Text, default="")
    actual: Mapped[str] = mapped_column(Text, default="")
    output: Mapped[str] = mapped_column(Text, default="")

    submission: Mapped[Submission] = relationship(back_populates="checks")
