"""Whose work somebody may read: their own, that of the learners in the classes they instruct; an admin everybody's.

Every query that shows somebody's work asks here. A class that is archived can still be read.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from app.accounts.models import Role, User
from app.cohorts.models import CohortInstructor, CohortMember
from app.db import db


def learners_of(instructor_id: int) -> Select[int]:
    """Select the ids of those who are members of a class that this person instructs, archived or not."""
    return (
        select(CohortMember.learner_id)
        .join(CohortInstructor, CohortInstructor.cohort_id == CohortMember.cohort_id)
        .where(CohortInstructor.instructor_id == instructor_id)
    )


def readable_by(reader: User, person: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the condition that `reader` may read the work of `person`, a column of ids of people."""
    if reader.role == Role.ADMIN:
        return true()
    if not reader.instructs:  # who was an instructor once is none now, whatever classes say
        return person == reader.id
    return or_(person == reader.id, person.in_(learners_of(reader.id)))


def may_see(reader: User, learner_id: int) -> bool:
    """Return whether `reader` may read the work of the person with this id; False where there is nobody."""
    return db.session.scalar(select(User.id).where(User.id == learner_id, readable_by(reader, User.id))) is not None
