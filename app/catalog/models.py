"""Exercises and their revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, now


class Exercise(Base):
    """A thing to practise. The columns beside `current` are copied from it for search and filters."""

    __tablename__ = "exercise"
    __table_args__ = (
        UniqueConstraint("track", "slug"),
        CheckConstraint("difficulty BETWEEN 1 AND 5", name="difficulty_1_to_5"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    track: Mapped[str] = mapped_column(String(40))
    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(20))
    difficulty: Mapped[int]
    minutes: Mapped[int]
    skills: Mapped[list[str]] = mapped_column(JSON)
    languages: Mapped[list[str]] = mapped_column(JSON)
    summary: Mapped[str] = mapped_column(Text, default="")  # first paragraph of the statement, plain text
    published: Mapped[bool] = mapped_column(default=True)
    trial: Mapped[bool] = mapped_column(default=False)  # its author tries it as a learner: nobody else, and no progress
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # None: of the house, from the folder
    synced_digest: Mapped[str | None] = mapped_column(String(64))  # of the folder, when it was last taken over
    current_revision_id: Mapped[int | None] = mapped_column(
        ForeignKey("revision.id", name="fk_exercise_current_revision", use_alter=True)
    )
    current: Mapped[Revision | None] = relationship(foreign_keys=[current_revision_id], post_update=True)

    @property
    def path(self) -> str:
        """`track/slug`, as in the folder and the URL."""
        return f"{self.track}/{self.slug}"


class Revision(Base):
    """One immutable published state of an exercise: every file of its folder."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("exercise_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 over paths and contents
    files: Mapped[dict[str, str]] = mapped_column(JSON, deferred=True)  # relative path → text
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # the proof card; None: not proven here
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # None: the folder was taken over
    note: Mapped[str] = mapped_column(Text, default="")  # what changed, in the author's words
    created_at: Mapped[datetime] = mapped_column(default=now)

    exercise: Mapped[Exercise] = relationship(foreign_keys=[exercise_id])
