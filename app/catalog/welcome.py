"""What the first page shows of the catalogue."""

from __future__ import annotations

from flask import url_for
from sqlalchemy import func, select

from app.accounts.landing import TrackCard
from app.catalog import tracks
from app.catalog.models import Exercise
from app.db import db


def track_cards() -> list[TrackCard]:
    """Return each track that has a published exercise, in the catalogue's order."""
    counted = select(Exercise.track, func.count()).where(Exercise.published).group_by(Exercise.track)
    counts = dict(db.session.execute(counted).all())
    return [
        TrackCard(
            title=tracks.find(slug).title,
            summary=tracks.find(slug).summary,
            count=counts[slug],
            url=url_for("catalog.index", track=slug),
        )
        for slug in sorted(counts, key=tracks.order)
    ]
