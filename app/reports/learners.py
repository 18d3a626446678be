"""The learners of an instructor, all of them for an admin, with what they have tried and solved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask import render_template, request
from sqlalchemy import ColumnElement, Select, UnaryExpression, case, distinct, func, or_, select

from app.accounts.models import Role, User
from app.cohorts.access import readable_by
from app.db import db
from app.progress.models import Attempt
from app.reports.blueprint import blueprint
from app.security import instructor_required, me

PER_PAGE = 50


class Order(StrEnum):
    """How the list is sorted."""

    NAME = "name"
    ACTIVE = "active"
    SOLVED = "solved"


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerRow:
    """One learner: exercises tried, solved, solved unaided, and the time of the latest attempt."""

    id: int
    name: str
    email: str
    tried: int
    solved: int
    unaided: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerList:
    """One page of the list."""

    rows: list[LearnerRow]
    total: int  # over all pages
    page: int  # from 1
    pages: int
    query: str
    order: Order


@blueprint.get("/instructor/learners")
@instructor_required
def learners() -> str:
    """Show the learners whose name or address holds the query."""
    found = find_learners(
        reader=me(),
        query=request.args.get("q", "").strip(),
        order=_order(request.args.get("sort", "")),
        page=request.args.get("page", default=1, type=int),
    )
    return render_template("reports/learners.html", found=found)


def find_learners(*, reader: User, query: str = "", order: Order = Order.NAME, page: int = 1) -> LearnerList:
    """Return one page of the learners `reader` may read about; a page outside gives the nearest one. Two queries."""
    matching = _matching(reader, query)
    total = db.session.scalar(select(func.count(User.id)).where(*matching)) or 0
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(page, 1), pages)
    found = db.session.execute(_counted(matching, order).limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    rows = [LearnerRow(**row._mapping) for row in found]
    return LearnerList(rows=rows, total=total, page=page, pages=pages, query=query, order=order)


def _counted(
    matching: list[ColumnElement[bool]], order: Order
) -> Select[int, str, str, int, int, int, datetime | None]:
    solved = func.count(distinct(case((Attempt.solved, Attempt.exercise_id))))
    last_at = func.max(Attempt.at)
    columns = select(
        User.id,
        User.name,
        User.email,
        func.count(distinct(Attempt.exercise_id)).label("tried"),
        solved.label("solved"),
        func.count(distinct(case((Attempt.unaided, Attempt.exercise_id)))).label("unaided"),
        last_at.label("last_at"),
    )
    by: dict[Order, list[UnaryExpression[Any]]] = {
        Order.NAME: [],
        Order.ACTIVE: [last_at.desc().nulls_last()],
        Order.SOLVED: [solved.desc()],
    }
    return (
        columns.outerjoin(Attempt, Attempt.learner_id == User.id)
        .where(*matching)
        .group_by(User.id, User.name, User.email)
        .order_by(*by[order], func.lower(User.name), User.id)
    )


def _matching(reader: User, query: str) -> list[ColumnElement[bool]]:
    conditions = [User.role == Role.LEARNER, readable_by(reader, User.id)]
    if query:
        conditions.append(
            or_(User.name.icontains(query, autoescape=True), User.email.icontains(query, autoescape=True))
        )
    return conditions


def _order(raw: str) -> Order:
    return Order(raw) if raw in set(Order) else Order.NAME
