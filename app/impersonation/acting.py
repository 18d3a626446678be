"""What a session that acts as a learner sees, and that it changes nothing.

`acting_as` and `acting_until` in the session say whom and how long. Forms from before and after do not mix: the
token that they carry is made anew whenever it begins or ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import flash, g, has_request_context, request, session
from flask_login import current_user
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from app.accounts.models import User
from app.accounts.services import session_owner
from app.db import db, now
from app.errors import Forbidden
from app.impersonation.services import Ending, end, may_act_as

READING = {"GET", "HEAD"}
LEAVING = {"impersonation.stop", "accounts.sign_out"}  # endpoints that may post meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who sees the site as whom in this request."""

    actor_id: int
    learner: User
    until: datetime


def person_of(value: str) -> User | None:
    """Return who the session with `value` shows the site to: the learner it acts as, else its owner, or None."""
    actor = session_owner(value)
    if actor is None or "acting_as" not in session or now() >= _until():
        return actor
    learner = db.session.get(User, session["acting_as"])
    if learner is None or not may_act_as(actor, learner):
        return actor
    g.acting = Acting(actor_id=actor.id, learner=learner, until=_until())
    return learner


def acting_now() -> Acting | None:
    """Return whom this request sees the site as; None for everybody who is themselves."""
    if "acting_as" not in session or not current_user.is_authenticated:  # asking loads the person
        return None
    found: Acting | None = g.get("acting")
    return found


def start(learner_id: int, until: datetime) -> None:
    """Let this session act as a learner from the next request on."""
    session["acting_as"], session["acting_until"] = learner_id, until.timestamp()
    session.pop("csrf_token", None)


def stop(ending: Ending) -> None:
    """Let this session be its owner's again, and note it. Nothing happens to one that does not act. Commits."""
    learner_id = session.pop("acting_as", None)
    session.pop("acting_until", None)
    session.pop("csrf_token", None)
    owner = str(session.get("_user_id", "")).partition(".")[0]
    if learner_id is not None and owner.isdecimal():
        db.session.rollback()  # what was read before must not hold up this write
        end(int(owner), learner_id, ending)


def guard() -> None:
    """Before each request: end what is over, and refuse whatever could change something. Raises Forbidden."""
    if "acting_as" not in session or request.endpoint == "static":
        return
    acting = acting_now()
    if acting is None:
        stop(Ending.TIME if now() >= _until() else Ending.RIGHT)
        if request.method not in READING:
            raise Forbidden("You see the site as yourself again. What you sent was not kept: send it once more.")
        flash("You see the site as yourself again.", "info")
    elif request.endpoint == "accounts.sign_out":
        stop(Ending.SIGNED_OUT)
    elif request.endpoint not in LEAVING:
        if request.method not in READING:
            raise Forbidden(f"You see the site as {acting.learner.name}: nothing can be changed. Stop that first.")
        g.changes_nothing = True


def _until() -> datetime:
    return datetime.fromtimestamp(session.get("acting_until", 0), UTC)


def _refuses() -> bool:
    return has_request_context() and bool(g.get("changes_nothing", False))


@event.listens_for(Session, "before_flush")
def _refuse_rows(orm: Session, *_: object) -> None:
    if _refuses() and (orm.new or orm.deleted or any(orm.is_modified(row) for row in orm.dirty)):
        raise Forbidden("Nothing is kept while you see the site as a learner.")


@event.listens_for(Session, "do_orm_execute")
def _refuse_statements(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and _refuses():
        raise Forbidden("Nothing is kept while you see the site as a learner.")
