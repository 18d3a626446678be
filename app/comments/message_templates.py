"""The texts that an instructor keeps for comments. They are theirs alone."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from app.comments.models import MAX_TITLE, MessageTemplate
from app.comments.services import checked_body
from app.db import db
from app.errors import Conflict, Invalid, NotFound

MOST = 100  # per instructor


def templates_of(owner_id: int) -> list[MessageTemplate]:
    """Return the templates of an instructor by title."""
    own = select(MessageTemplate).where(MessageTemplate.owner_id == owner_id)
    return list(db.session.scalars(own.order_by(func.lower(MessageTemplate.title), MessageTemplate.id)))


def find_template(owner_id: int, template_id: int) -> MessageTemplate:
    """Return an instructor's own template. Raises NotFound."""
    own = select(MessageTemplate).where(MessageTemplate.id == template_id, MessageTemplate.owner_id == owner_id)
    template: MessageTemplate | None = db.session.scalar(own)
    if template is None:
        raise NotFound("There is no such message template.")
    return template


def add(owner_id: int, *, title: str, body: str) -> None:
    """Keep another template. Raises Invalid naming the field, and Conflict where there are MOST. Commits."""
    template = MessageTemplate(owner_id=owner_id, title=_checked_title(title), body=checked_body(body))
    if len(templates_of(owner_id)) >= MOST:
        raise Conflict(f"{MOST} templates are enough. Remove one that you no longer use.")
    db.session.add(template)
    db.session.commit()


def change(owner_id: int, template_id: int, *, title: str, body: str) -> None:
    """Give a template another title and text. Raises NotFound, and Invalid naming the field. Commits."""
    template = find_template(owner_id, template_id)
    tidy_title, tidy_body = _checked_title(title), checked_body(body)
    template.title, template.body = tidy_title, tidy_body
    db.session.commit()


def remove(owner_id: int, template_id: int) -> None:
    """Forget a template; comments that were made from it stay. Raises NotFound. Commits."""
    own = delete(MessageTemplate).where(MessageTemplate.id == template_id, MessageTemplate.owner_id == owner_id)
    if db.session.scalar(own.returning(MessageTemplate.id)) is None:
        raise NotFound("There is no such message template.")
    db.session.commit()


def _checked_title(title: str) -> str:
    tidy = " ".join(title.split())
    if not 1 <= len(tidy) <= MAX_TITLE:
        raise Invalid(f"Enter a title of 1 to {MAX_TITLE} characters.", "title")
    return tidy
