"""Who may see the site as whom, and the entries that say that it began and ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from app.accounts.models import Role, User
from app.audit.services import note
from app.cohorts.access import may_see
from app.db import db
from app.errors import Forbidden, NotFound

LASTS = timedelta(minutes=30)


class Ending(StrEnum):
    """Why it ended."""

    STOPPED = "stopped"
    SIGNED_OUT = "signed out"
    TIME = "time is over"
    RIGHT = "no longer allowed"


def may_act_as(actor: User, learner: User) -> bool:
    """Return whether `actor` may see the site as `learner`: a learner whose work they may read."""
    if not actor.instructs or learner.role != Role.LEARNER or actor.id == learner.id:
        return False
    return may_see(actor, learner.id)


def begin(actor: User, learner_id: int, at: datetime) -> datetime:
    """Note that `actor` sees the site as a learner from now on, and return until when. Raises NotFound, Forbidden.

    Commits.
    """
    person = db.session.get(User, learner_id)
    if person is None or not may_see(actor, learner_id):
        raise NotFound("There is no such learner.")
    if not may_act_as(actor, person):
        raise Forbidden("The site can be seen as a learner only.")
    until = at + LASTS
    note(actor.id, "impersonation.began", f"user:{learner_id}", until=until.isoformat(timespec="seconds"))
    db.session.commit()
    return until


def end(actor_id: int, learner_id: int, ending: Ending) -> None:
    """Note that somebody sees the site as themselves again. Commits."""
    note(actor_id, "impersonation.ended", f"user:{learner_id}", why=ending.value)
    db.session.commit()
