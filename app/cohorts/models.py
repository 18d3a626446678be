"""Classes, who instructs them, who learns in them, and who is still to come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, now


class Cohort(Base):
    """People who learn together; pages call it a class. An archived one can be read but no longer joined."""

    __tablename__ = "cohort"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    join_code: Mapped[str] = mapped_column(String(16), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]

    instructors: Mapped[list[User]] = relationship(
        secondary="cohort_instructor", order_by="User.name", viewonly=True, lazy="select"
    )

    @property
    def spoken_code(self) -> str:
        """The join code as people read it out: ABCD-EFGH."""
        return f"{self.join_code[:4]}-{self.join_code[4:]}"


class CohortInstructor(Base):
    """Somebody who instructs a cohort: they read what its members did."""

    __tablename__ = "cohort_instructor"
    __table_args__ = (Index("ix_cohort_instructor_person", "instructor_id"),)

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    instructor_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)


class CohortMember(Base):
    """Somebody who learns in a cohort."""

    __tablename__ = "cohort_member"
    __table_args__ = (Index("ix_cohort_member_learner", "learner_id"),)

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    joined_at: Mapped[datetime] = mapped_column(default=now)

    cohort: Mapped[Cohort] = relationship()
    learner: Mapped[User] = relationship()


class Invitation(Base):
    """Somebody who may become a member: by accepting it, or by registering with this e-mail afterwards."""

    __tablename__ = "invitation"
    __table_args__ = (
        UniqueConstraint("cohort_id", "email"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        Index("ix_invitation_email", "email"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)

    cohort: Mapped[Cohort] = relationship()
