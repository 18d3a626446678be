"""Finding people, and giving them another role."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select

from app.accounts.models import Role, User
from app.audit.services import note
from app.db import db
from app.errors import Conflict, Invalid, NotFound

PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """One page of people, by name."""

    people: tuple[User, ...]
    total: int  # over all pages
    page: int  # from 1
    pages: int
    query: str
    role: str  # empty: every role


def find_people(*, query: str = "", role: str = "", page: int = 1) -> PeoplePage:
    """Return one page of those whose name or e-mail holds `query`; a page outside gives the nearest. Two queries."""
    wanted: list[ColumnElement[bool]] = []
    if query:
        wanted.append(or_(User.name.icontains(query, autoescape=True), User.email.icontains(query, autoescape=True)))
    role = role if role in set(Role) else ""
    if role:
        wanted.append(User.role == role)
    total = db.session.scalar(select(func.count(User.id)).where(*wanted)) or 0
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(page, 1), pages)
    found = select(User).where(*wanted).order_by(func.lower(User.name), User.id)
    people = tuple(db.session.scalars(found.limit(PER_PAGE).offset((page - 1) * PER_PAGE)))
    return PeoplePage(people=people, total=total, page=page, pages=pages, query=query, role=role)


def change_role(admin: User, person_id: int, role: str) -> User:
    """Give somebody another role and return them. Raises NotFound, Invalid, Conflict for one's own. Commits.

    Nobody changes their own: so an admin always remains.
    """
    if role not in set(Role):
        raise Invalid("Choose learner, instructor or admin.", "role")
    if person_id == admin.id:
        raise Conflict("Nobody changes their own role. Another admin can change yours.")
    person = db.session.get(User, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    if person.role != role:
        note(admin.id, "role.changed", f"user:{person.id}", before=str(person.role), after=role)
        person.role = Role(role)
    db.session.commit()
    return person
