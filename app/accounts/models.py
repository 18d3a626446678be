"""Who uses the site."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, now


class Role(StrEnum):
    """What a person may do; each role may do what the ones before it may."""

    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class Theme(StrEnum):
    """How pages look; AUTO follows the device."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class User(UserMixin, Base):  # type: ignore[misc]  # flask-login ships no types
    """A person with an account."""

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL
    __table_args__ = (
        CheckConstraint("role IN ('learner', 'instructor', 'admin')", name="role_known"),
        CheckConstraint("theme IN ('auto', 'light', 'dark')", name="theme_known"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(12), default=Role.LEARNER)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")  # IANA name
    theme: Mapped[str] = mapped_column(String(8), default=Theme.AUTO)
    session_epoch: Mapped[int] = mapped_column(default=0)  # raised to end every open session
    created_at: Mapped[datetime] = mapped_column(default=now)

    def get_id(self) -> str:
        """Return what the session cookie holds: id and epoch, so that a new password ends old sessions."""
        return f"{self.id}.{self.session_epoch}"

    @property
    def instructs(self) -> bool:
        """Whether this person may see what instructors see."""
        return self.role in {Role.INSTRUCTOR, Role.ADMIN}
