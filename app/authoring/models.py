"""What instructors are writing, and the proofs of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.authoring.folder import title_of
from app.catalog.models import Exercise, Revision
from app.db import Base, now


class ProofStage(StrEnum):
    """Where a proof, or one run of it, is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class WorkingCopy(Base):
    """The files of an exercise that an instructor is editing: a new one, a fork, or the next revision of one."""

    __tablename__ = "working_copy"
    __table_args__ = (Index("ix_working_copy_owner", "owner_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    exercise_id: Mapped[int | None] = mapped_column(ForeignKey("exercise.id"))  # None: not published yet
    base_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))  # the revision that it began from
    track: Mapped[str] = mapped_column(String(40))
    slug: Mapped[str] = mapped_column(String(80))
    files: Mapped[dict[str, str]] = mapped_column(JSON)  # relative path → text; need not be well-formed
    version: Mapped[int] = mapped_column(default=1)  # raised by every save; a save names the one it saw
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    owner: Mapped[User] = relationship()
    exercise: Mapped[Exercise | None] = relationship()
    base: Mapped[Revision | None] = relationship()

    @property
    def path(self) -> str:
        """`track/slug`, where it is or will be published."""
        return f"{self.track}/{self.slug}"

    @property
    def title(self) -> str:
        """What its `exercise.yaml` calls it, or its slug."""
        return title_of(self.files, self.slug)


class ProofRun(Base):
    """One proof of one frozen state of a working copy, run trial by trial by the workers."""

    __tablename__ = "proof_run"
    __table_args__ = (
        CheckConstraint("stage IN ('queued', 'running', 'done')", name="stage_known"),
        CheckConstraint("(stage = 'done') = (card IS NOT NULL)", name="done_has_card"),
        Index("ix_proof_run_copy", "copy_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    copy_id: Mapped[int] = mapped_column(ForeignKey("working_copy.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))  # of `files`
    files: Mapped[dict[str, str]] = mapped_column(JSON, deferred=True)
    stage: Mapped[str] = mapped_column(String(8), default=ProofStage.QUEUED)
    card: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # proof.ProofCard as JSON
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]

    copy: Mapped[WorkingCopy] = relationship()
    trials: Mapped[list[ProofTrial]] = relationship(
        back_populates="run", order_by="ProofTrial.position", cascade="all, delete-orphan"
    )

    @property
    def topic(self) -> str:
        """The topic of its live events."""
        return f"proof:{self.id}"


class ProofTrial(Base):
    """One run of a proof: a reference, a starter, a wrong solution or a cheat. It is also its own job.

    One that has its outcome and is queued again waits to be told: run once more, every check speaking.
    """

    __tablename__ = "proof_trial"
    __table_args__ = (
        UniqueConstraint("run_id", "position"),
        CheckConstraint("stage IN ('queued', 'running', 'done')", name="stage_known"),
        CheckConstraint("(stage = 'running') = (lease_until IS NOT NULL)", name="running_has_lease"),
        CheckConstraint("stage <> 'done' OR outcome IS NOT NULL", name="done_has_outcome"),
        Index("ix_proof_trial_stage", "stage", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("proof_run.id", ondelete="CASCADE"))
    position: Mapped[int]  # in the plan of the proof, from 0
    name: Mapped[str] = mapped_column(String(120))
    seed: Mapped[int]
    stage: Mapped[str] = mapped_column(String(8), default=ProofStage.QUEUED)
    claimed_by: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    claims: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str | None] = mapped_column(String(20))
    # sandbox.outcome.Outcome, and the tests' own output, which is for the author only.
    outcome: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), deferred=True, deferred_group="said"
    )
    told: Mapped[str] = mapped_column(Text, default="", deferred=True, deferred_group="said")

    run: Mapped[ProofRun] = relationship(back_populates="trials")
