"""Writing the audit log, and reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from app.audit.models import AuditEntry
from app.db import db

PER_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """One page of the log, newest first."""

    entries: tuple[AuditEntry, ...]
    page: int  # from 1
    pages: int
    action: str  # what is looked for; empty: everything
    subject: str
    actions: tuple[str, ...]  # that occur


def note(actor_id: int | None, action: str, subject: str, **data: Any) -> None:
    """Add an entry. The caller commits: it is true only together with the change that it tells of."""
    db.session.add(AuditEntry(actor_id=actor_id, action=action, subject=subject, data=data))


def entries(*, action: str = "", subject: str = "", page: int = 1) -> AuditPage:
    """Return one page of the log; a page outside it gives the nearest one."""
    wanted: list[ColumnElement[bool]] = []
    if action:
        wanted.append(AuditEntry.action == action)
    if subject:
        wanted.append(AuditEntry.subject == subject)
    total = db.session.scalar(select(func.count(AuditEntry.id)).where(*wanted)) or 0
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(page, 1), pages)
    found = select(AuditEntry).where(*wanted).options(joinedload(AuditEntry.actor)).order_by(AuditEntry.id.desc())
    actions = db.session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action))
    return AuditPage(
        entries=tuple(db.session.scalars(found.limit(PER_PAGE).offset((page - 1) * PER_PAGE))),
        page=page,
        pages=pages,
        action=action,
        subject=subject,
        actions=tuple(actions),
    )
