"""What people do with classes.

An instructor works on the classes they instruct, an admin on all; for everybody else a class that is not theirs is
not there. Whose work may be read follows from membership: see `access`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import joinedload, selectinload

from app.accounts.models import Role, User
from app.accounts.services import tidy_email
from app.audit.services import note
from app.cohorts.models import Cohort, CohortInstructor, CohortMember, Invitation
from app.db import db, insert_once, now
from app.errors import Conflict, Invalid, NotFound
from app.notices.services import notify

MAX_NAME = 80
CODE_LENGTH = 8
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is mistaken for another when read out


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortCard:
    """A class in the list of those who instruct it."""

    cohort: Cohort
    members: int
    invited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody of a class, by name."""

    members: tuple[CohortMember, ...]
    invitations: tuple[Invitation, ...]


def create(instructor: User, name: str) -> Cohort:
    """Return a new class that `instructor` instructs. Raises Invalid. Commits."""
    cohort = Cohort(name=_checked_name(name), join_code=_new_code())
    db.session.add(cohort)
    db.session.flush()
    db.session.add(CohortInstructor(cohort_id=cohort.id, instructor_id=instructor.id))
    note(instructor.id, "cohort.created", subject_of(cohort.id), name=cohort.name)
    db.session.commit()
    return cohort


def rename(reader: User, cohort_id: int, name: str) -> None:
    """Give a class another name. Raises NotFound, Invalid. Commits."""
    cohort, tidy = find_instructed(reader, cohort_id), _checked_name(name)
    note(reader.id, "cohort.renamed", subject_of(cohort_id), before=cohort.name, after=tidy)
    cohort.name = tidy
    db.session.commit()


def archive(reader: User, cohort_id: int) -> None:
    """Close a class to newcomers; what was done in it can still be read. Raises NotFound. Commits."""
    cohort = find_instructed(reader, cohort_id)
    if cohort.archived_at is None:
        cohort.archived_at = now()
        note(reader.id, "cohort.archived", subject_of(cohort_id))
    db.session.commit()


def unarchive(reader: User, cohort_id: int) -> None:
    """Open an archived class again. Raises NotFound. Commits."""
    cohort = find_instructed(reader, cohort_id)
    if cohort.archived_at is not None:
        cohort.archived_at = None
        note(reader.id, "cohort.unarchived", subject_of(cohort_id))
    db.session.commit()


def rotate_code(reader: User, cohort_id: int) -> None:
    """Give a class another join code; the old one opens nothing any more. Raises NotFound. Commits."""
    find_instructed(reader, cohort_id).join_code = _new_code()
    note(reader.id, "cohort.code_changed", subject_of(cohort_id))
    db.session.commit()


def find_by_code(code: str) -> Cohort:
    """Return the class that this code joins. Raises NotFound, alike for wrong codes and for archived classes."""
    tidy = "".join(letter for letter in code.upper() if letter.isalnum())[: 2 * CODE_LENGTH]
    cohort: Cohort | None = db.session.scalar(
        select(Cohort).where(Cohort.join_code == tidy, Cohort.archived_at.is_(None))
    )
    if cohort is None:
        raise NotFound("No class has that code. Check it with your instructor.")
    return cohort


def join(learner: User, code: str) -> Cohort:
    """Make `learner` a member of the class with this code and return it. Raises NotFound, Conflict. Commits."""
    cohort = find_by_code(code)
    if db.session.get(CohortInstructor, (cohort.id, learner.id)) is not None:
        raise Conflict("You instruct this class, so you cannot join it as a learner.")
    if _add_member(cohort.id, learner.id):
        note(learner.id, "cohort.joined", subject_of(cohort.id), learner=learner.id)
    db.session.execute(delete(Invitation).where(Invitation.cohort_id == cohort.id, Invitation.email == learner.email))
    db.session.commit()
    return cohort


def leave(learner: User, cohort_id: int) -> None:
    """End the learner's own membership. Raises NotFound. Commits."""
    _remove_member(cohort_id, learner.id)
    note(learner.id, "cohort.left", subject_of(cohort_id), learner=learner.id)
    db.session.commit()


def remove_member(reader: User, cohort_id: int, learner_id: int) -> None:
    """End somebody's membership. Raises NotFound. Commits."""
    find_instructed(reader, cohort_id)
    _remove_member(cohort_id, learner_id)
    note(reader.id, "cohort.member_removed", subject_of(cohort_id), learner=learner_id)
    db.session.commit()


def withdraw_invitation(reader: User, cohort_id: int, invitation_id: int) -> None:
    """Take an invitation back. Raises NotFound. Commits."""
    find_instructed(reader, cohort_id)
    gone = delete(Invitation).where(Invitation.id == invitation_id, Invitation.cohort_id == cohort_id)
    if db.session.scalar(gone.returning(Invitation.id)) is None:
        raise NotFound("There is no such invitation.")
    db.session.commit()


def add_instructor(reader: User, cohort_id: int, email: str) -> None:
    """Let the instructor with this e-mail instruct the class too. Raises NotFound, Invalid. Commits."""
    cohort = find_instructed(reader, cohort_id)
    staff = User.role.in_([Role.INSTRUCTOR, Role.ADMIN])
    person: User | None = db.session.scalar(select(User).where(User.email == tidy_email(email), staff))
    if person is None:
        raise Invalid("No instructor has that e-mail.", "email")
    added = insert_once(
        CohortInstructor, ["cohort_id", "instructor_id"], cohort_id=cohort_id, instructor_id=person.id
    ).returning(CohortInstructor.instructor_id)
    if db.session.scalar(added) is not None:
        _remove_member(cohort_id, person.id, missing_ok=True)
        note(reader.id, "cohort.instructor_added", subject_of(cohort_id), instructor=person.id)
        text = f"{reader.name} made you an instructor of the class {cohort.name}."
        notify(person.id, "cohort.instructor_added", text, "/instructor/cohorts")
    db.session.commit()


def remove_instructor(reader: User, cohort_id: int, instructor_id: int) -> None:
    """Take a class from one of its instructors, never from the last. Raises NotFound, Conflict. Commits."""
    find_instructed(reader, cohort_id)
    # Two who leave at once must not both see the other stay: they queue up at the class's row.
    db.session.execute(select(Cohort.id).where(Cohort.id == cohort_id).with_for_update())
    ids = set(db.session.scalars(_instructors_of(cohort_id)))
    if instructor_id not in ids:
        raise NotFound("That person does not instruct this class.")
    if len(ids) == 1:
        raise Conflict("A class keeps at least one instructor. Add another one first.")
    db.session.execute(
        delete(CohortInstructor).where(
            CohortInstructor.cohort_id == cohort_id, CohortInstructor.instructor_id == instructor_id
        )
    )
    note(reader.id, "cohort.instructor_removed", subject_of(cohort_id), instructor=instructor_id)
    db.session.commit()


def find_instructed(reader: User, cohort_id: int) -> Cohort:
    """Return the class if `reader` instructs it or is an admin. Raises NotFound."""
    cohort: Cohort | None = db.session.scalar(_instructed_by(reader).where(Cohort.id == cohort_id))
    if cohort is None:
        raise NotFound("There is no such class.")
    return cohort


def cards(reader: User) -> list[CohortCard]:
    """Return the classes that `reader` instructs, or all for an admin; archived ones last, then by name."""
    cohorts = db.session.scalars(
        _instructed_by(reader)
        .options(selectinload(Cohort.instructors))
        .order_by(Cohort.archived_at.is_not(None), func.lower(Cohort.name), Cohort.id)
    )
    members = _counts(CohortMember.cohort_id)
    invited = _counts(Invitation.cohort_id)
    return [
        CohortCard(cohort=each, members=members.get(each.id, 0), invited=invited.get(each.id, 0)) for each in cohorts
    ]


def people_of(cohort_id: int) -> People:
    """Return the members of a class and who is invited. Whoever asks has found the class before."""
    members = (
        select(CohortMember)
        .join(CohortMember.learner)
        .where(CohortMember.cohort_id == cohort_id)
        .options(joinedload(CohortMember.learner))
        .order_by(func.lower(User.name), User.id)
    )
    invitations = select(Invitation).where(Invitation.cohort_id == cohort_id).order_by(Invitation.email)
    return People(
        members=tuple(db.session.scalars(members)),
        invitations=tuple(db.session.scalars(invitations)),
    )


def memberships(learner_id: int) -> list[CohortMember]:
    """Return where this person is a member, with the class and its instructors; archived ones last, then by name."""
    own = (
        select(CohortMember)
        .join(CohortMember.cohort)
        .where(CohortMember.learner_id == learner_id)
        .options(joinedload(CohortMember.cohort).selectinload(Cohort.instructors))
        .order_by(Cohort.archived_at.is_not(None), func.lower(Cohort.name), Cohort.id)
    )
    return list(db.session.scalars(own))


def invitations_of(person: User) -> list[Invitation]:
    """Return the invitations that wait for this person, with class and instructors; archived classes have none."""
    waiting = _invitations_to(person).options(joinedload(Invitation.cohort).selectinload(Cohort.instructors))
    return list(db.session.scalars(waiting.order_by(Invitation.id)))


def accept_invitation(person: User, invitation_id: int) -> Cohort:
    """Make whom the invitation is for a member, and return the class. Raises NotFound. Commits."""
    invitation = _invitation(person, invitation_id)
    cohort = invitation.cohort
    _accept(person, invitation)
    db.session.commit()
    return cohort


def decline_invitation(person: User, invitation_id: int) -> None:
    """Do away with an invitation to this person. Raises NotFound. Commits."""
    db.session.delete(_invitation(person, invitation_id))
    db.session.commit()


def on_signed_in(_app: Flask, user: User, **_more: Any) -> None:
    """Make a newcomer a member of the classes that had invited their e-mail. Commits where there are any.

    Who had an account before is asked: joining lets a class's instructors read what they have done so far.
    """
    for invitation in db.session.scalars(_invitations_to(user).where(Invitation.created_at <= user.created_at)).all():
        _accept(user, invitation)
    db.session.commit()


def subject_of(cohort_id: int) -> str:
    """Return what the audit log calls a class."""
    return f"cohort:{cohort_id}"


def _instructed_by(reader: User) -> Select[Cohort]:
    every = select(Cohort)
    if reader.role == Role.ADMIN:
        return every
    own = select(CohortInstructor.cohort_id).where(CohortInstructor.instructor_id == reader.id)
    return every.where(Cohort.id.in_(own))


def _instructors_of(cohort_id: int) -> Select[int]:
    return select(CohortInstructor.instructor_id).where(CohortInstructor.cohort_id == cohort_id)


def _invitations_to(person: User) -> Select[Invitation]:
    own = Invitation.email == person.email
    return select(Invitation).join(Invitation.cohort).where(own, Cohort.archived_at.is_(None))


def _invitation(person: User, invitation_id: int) -> Invitation:
    """Return an invitation to this person. Raises NotFound."""
    invitation = db.session.scalar(_invitations_to(person).where(Invitation.id == invitation_id))
    if invitation is None:
        raise NotFound("There is no such invitation.")
    return invitation


def _accept(person: User, invitation: Invitation) -> None:
    """Make a member of whom an invitation is for. The caller commits."""
    if _add_member(invitation.cohort_id, person.id):
        note(person.id, "cohort.joined", subject_of(invitation.cohort_id), learner=person.id)
    db.session.delete(invitation)


def _add_member(cohort_id: int, learner_id: int) -> bool:
    """Add one member; return False where they are one already. The caller commits."""
    added = insert_once(CohortMember, ["cohort_id", "learner_id"], cohort_id=cohort_id, learner_id=learner_id)
    return db.session.scalar(added.returning(CohortMember.learner_id)) is not None


def _remove_member(cohort_id: int, learner_id: int, *, missing_ok: bool = False) -> None:
    """Remove one member. Raises NotFound unless `missing_ok`. The caller commits."""
    gone = delete(CohortMember).where(CohortMember.cohort_id == cohort_id, CohortMember.learner_id == learner_id)
    if db.session.scalar(gone.returning(CohortMember.learner_id)) is None and not missing_ok:
        raise NotFound("That person is not in this class.")


def _counts(column: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in db.session.execute(select(column, func.count()).group_by(column))}


def _checked_name(name: str) -> str:
    tidy = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if not 1 <= len(tidy) <= MAX_NAME:
        raise Invalid(f"Enter a name of at most {MAX_NAME} characters.", "name")
    return tidy


def _new_code() -> str:
    """Return a code that no class has: one of 8.5e11, guessed at most 100 times an hour."""
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if db.session.scalar(select(Cohort.id).where(Cohort.join_code == code)) is None:
            return code
