"""Telling people, and what they have read."""

from __future__ import annotations

from sqlalchemy import func, select, update

from app.db import db, now
from app.errors import NotFound
from app.notices.models import Notice

SHOWN = 200


def notify(person_id: int, name: str, text: str, path: str) -> None:
    """Add a notice. The caller commits: it is true only together with what it tells of."""
    db.session.add(Notice(person_id=person_id, name=name, text=text, path=path))


def count_unread(person_id: int) -> int:
    """Return how many notices this person has not read."""
    unread = select(func.count(Notice.id)).where(Notice.person_id == person_id, Notice.read_at.is_(None))
    return db.session.scalar(unread) or 0


def latest(person_id: int) -> list[Notice]:
    """Return this person's latest notices, newest first."""
    own = select(Notice).where(Notice.person_id == person_id).order_by(Notice.id.desc())
    return list(db.session.scalars(own.limit(SHOWN)))


def open_notice(person_id: int, notice_id: int) -> str:
    """Note that this person has read their notice, and return where it leads. Raises NotFound. Commits."""
    own = update(Notice).where(Notice.id == notice_id, Notice.person_id == person_id)
    path: str | None = db.session.scalar(
        own.values(read_at=func.coalesce(Notice.read_at, now())).returning(Notice.path)
    )
    db.session.commit()
    if path is None:
        raise NotFound("There is no such notice.")
    return path


def read_all(person_id: int) -> None:
    """Note that this person has read everything. Commits."""
    unread = update(Notice).where(Notice.person_id == person_id, Notice.read_at.is_(None))
    db.session.execute(unread.values(read_at=now()))
    db.session.commit()
