"""Searches for similar submissions, and the pairs that they found."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.catalog.models import Exercise
from app.cohorts.models import Cohort
from app.db import Base, now
from app.submissions.models import Submission


class SearchStage(StrEnum):
    """Where a search is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Judgement(StrEnum):
    """What a person made of a pair."""

    NONE = "none"
    DISMISSED = "dismissed"
    DISCUSSED = "discussed"
    CONFIRMED = "confirmed"


class SimilarityRun(Base):
    """One search among the submissions to an exercise that whoever asked may read."""

    __tablename__ = "similarity_run"
    __table_args__ = (
        CheckConstraint("stage IN ('queued', 'running', 'done', 'failed')", name="stage_known"),
        CheckConstraint("(stage = 'running') = (lease_until IS NOT NULL)", name="running_has_lease"),
        CheckConstraint("threshold BETWEEN 1 AND 100", name="threshold_percent"),
        Index("ix_similarity_run_creator", "created_by_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohort.id"))  # None: all whom the creator may read
    threshold: Mapped[int]  # percent of one of the two
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    stage: Mapped[str] = mapped_column(String(8), default=SearchStage.QUEUED)
    lease_until: Mapped[datetime | None]
    claims: Mapped[int] = mapped_column(default=0)
    compared: Mapped[int] = mapped_column(default=0)  # submissions

    exercise: Mapped[Exercise] = relationship()
    cohort: Mapped[Cohort | None] = relationship()
    created_by: Mapped[User] = relationship()


class SimilarityPair(Base):
    """Two submissions of different learners with code in common, and what a person made of it."""

    __tablename__ = "similarity_pair"
    __table_args__ = (
        UniqueConstraint("run_id", "first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="once"),
        CheckConstraint("first_share BETWEEN 0 AND 1 AND second_share BETWEEN 0 AND 1", name="shares"),
        CheckConstraint("judgement IN ('none', 'dismissed', 'discussed', 'confirmed')", name="judgement_known"),
        CheckConstraint("(judgement = 'none') = (judged_at IS NULL)", name="judged_at_a_time"),
        CheckConstraint("(judged_at IS NULL) = (judged_by_id IS NULL)", name="judged_by_somebody"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("similarity_run.id", ondelete="CASCADE"))
    first_id: Mapped[int] = mapped_column(ForeignKey("submission.id", ondelete="CASCADE"))
    second_id: Mapped[int] = mapped_column(ForeignKey("submission.id", ondelete="CASCADE"))
    first_share: Mapped[float]  # of the code of the first that the second holds too
    second_share: Mapped[float]
    first_lines: Mapped[dict[str, list[list[int]]]] = mapped_column(JSON)  # path → [from, to] …
    second_lines: Mapped[dict[str, list[list[int]]]] = mapped_column(JSON)
    judgement: Mapped[str] = mapped_column(String(10), default=Judgement.NONE)
    note: Mapped[str] = mapped_column(Text, default="")
    judged_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    judged_at: Mapped[datetime | None]

    run: Mapped[SimilarityRun] = relationship()
    first: Mapped[Submission] = relationship(foreign_keys=first_id)
    second: Mapped[Submission] = relationship(foreign_keys=second_id)
    judged_by: Mapped[User | None] = relationship()
