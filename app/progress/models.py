"""Attempts, and the help used before them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, now


class Attempt(Base):
    """A submission that counts. One per submission: judging twice cannot count twice."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_learner_exercise", "learner_id", "exercise_id"),
        CheckConstraint("solved OR NOT unaided", name="unaided_is_solved"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(unique=True)  # no foreign key: progress does not know submissions
    learner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    solved: Mapped[bool]
    unaided: Mapped[bool]  # solved before any hint or the solution was opened
    at: Mapped[datetime]  # when the learner submitted


class Help(Base):
    """A hint that a learner opened (position 1…n), or the solution (position 0)."""

    __tablename__ = "help"
    __table_args__ = (UniqueConstraint("learner_id", "exercise_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    position: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=now)
