"""What the processes that judge say of themselves, and which were heard of lately."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from app.db import db
from app.submissions.models import WorkerRow

SILENT_WORKER = timedelta(minutes=10)


def report_worker(name: str, pool: Mapping[str, Any], now: datetime) -> None:
    """Note that the worker `name` is alive and what its pool holds; forget workers long unheard of. Commits."""
    db.session.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - SILENT_WORKER))
    db.session.merge(WorkerRow(name=name, seen_at=now, pool=dict(pool)))
    db.session.commit()


def dismiss_worker(name: str) -> None:
    """Forget the worker `name`: it has left. Commits."""
    db.session.execute(delete(WorkerRow).where(WorkerRow.name == name))
    db.session.commit()


def workers() -> list[WorkerRow]:
    """Return the workers that were heard of lately, by name."""
    return list(db.session.scalars(select(WorkerRow).order_by(WorkerRow.name)))
