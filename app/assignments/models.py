"""What a class is to solve by when, and who has more time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.assignments.rules import Schedule
from app.catalog.models import Exercise
from app.cohorts.models import Cohort
from app.db import Base, now


class Assignment(Base):
    """Exercises that a cohort is to solve by a date."""

    __tablename__ = "assignment"
    __table_args__ = (
        CheckConstraint("opens_at < due_at", name="opens_before_due"),
        CheckConstraint("closes_at IS NULL OR closes_at > due_at", name="closes_after_due"),
        CheckConstraint("late_percent BETWEEN 0 AND 100", name="late_percent_0_to_100"),
        Index("ix_assignment_cohort", "cohort_id", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    title: Mapped[str] = mapped_column(String(120))
    opens_at: Mapped[datetime]
    due_at: Mapped[datetime]
    closes_at: Mapped[datetime | None]  # late solutions are taken until then; None: none are
    late_percent: Mapped[int] = mapped_column(default=50)  # of the points, for a late solution
    hints_closed: Mapped[bool] = mapped_column(default=False)  # until due
    solutions_closed: Mapped[bool] = mapped_column(default=True)  # until due
    created_at: Mapped[datetime] = mapped_column(default=now)

    cohort: Mapped[Cohort] = relationship()
    exercises: Mapped[list[AssignmentExercise]] = relationship(
        back_populates="assignment", order_by="AssignmentExercise.position", cascade="all, delete-orphan"
    )
    extensions: Mapped[list[Extension]] = relationship(back_populates="assignment", cascade="all, delete-orphan")

    @property
    def schedule(self) -> Schedule:
        """Its times for those without an extension."""
        return Schedule(
            opens_at=self.opens_at, due_at=self.due_at, closes_at=self.closes_at, late_percent=self.late_percent
        )

    @property
    def worth(self) -> int:
        """All points that can be had."""
        return sum(each.points for each in self.exercises)


class AssignmentExercise(Base):
    """One exercise of an assignment."""

    __tablename__ = "assignment_exercise"
    __table_args__ = (
        UniqueConstraint("assignment_id", "exercise_id"),
        CheckConstraint("points BETWEEN 0 AND 1000", name="points_0_to_1000"),
        Index("ix_assignment_exercise_exercise", "exercise_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id", ondelete="CASCADE"))
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    position: Mapped[int]  # from 0
    points: Mapped[int]

    assignment: Mapped[Assignment] = relationship(back_populates="exercises")
    exercise: Mapped[Exercise] = relationship()


class Extension(Base):
    """More time for one learner."""

    __tablename__ = "extension"
    __table_args__ = (UniqueConstraint("assignment_id", "learner_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id", ondelete="CASCADE"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    due_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text, default="")  # for instructors
    created_at: Mapped[datetime] = mapped_column(default=now)

    assignment: Mapped[Assignment] = relationship(back_populates="extensions")
    learner: Mapped[User] = relationship()
