"""Adding many people at once: a list as CSV, and what became of each of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from app.accounts.models import User
from app.audit.services import note
from app.cohorts.models import CohortInstructor, CohortMember, Invitation
from app.cohorts.roster import Line, RosterError, parse
from app.cohorts.services import find_instructed, subject_of
from app.db import db, insert_once
from app.errors import Conflict, Invalid
from app.notices.services import notify


class Result(StrEnum):
    """What became of a line."""

    THERE = "already there"  # as a member, or invited before
    INVITED = "invited"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLine:
    """A line of the file and what became of it."""

    line: Line
    result: Result
    reason: str = ""  # why it was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Every line of the file, in its order."""

    lines: tuple[ImportedLine, ...]

    def count(self, result: str) -> int:
        """Return how many lines ended so; `result` is a Result or its text."""
        return sum(each.result == result for each in self.lines)


def import_members(reader: User, cohort_id: int, raw: bytes) -> ImportReport:
    """Invite the people of the file and return what became of each line. Commits.

    Nothing in the report tells who has an account: those find a notice and decide, others join by registering. A line
    that cannot be used changes nothing. Raises NotFound, Conflict for an archived class, and Invalid for a file
    that cannot be read at all.
    """
    cohort = find_instructed(reader, cohort_id)
    if cohort.archived_at is not None:
        raise Conflict("This class is archived. Open it again to add people.")
    try:
        lines = parse(raw)
    except RosterError as error:
        raise Invalid(str(error), "file") from error
    emails = [line.email for line in lines if not line.problem]
    known = {person.email: person for person in db.session.scalars(select(User).where(User.email.in_(emails)))}
    staff, members = (
        set(db.session.scalars(select(person).where(cohort == cohort_id)))
        for person, cohort in (
            (CohortInstructor.instructor_id, CohortInstructor.cohort_id),
            (CohortMember.learner_id, CohortMember.cohort_id),
        )
    )

    def done(line: Line) -> ImportedLine:
        person = known.get(line.email)
        if line.problem:
            return ImportedLine(line=line, result=Result.REFUSED, reason=line.problem)
        if person is not None and person.id in staff:
            return ImportedLine(line=line, result=Result.REFUSED, reason="instructs this class")
        if (person is not None and person.id in members) or not _invite(cohort_id, line):
            return ImportedLine(line=line, result=Result.THERE)
        if person is not None:
            notify(person.id, "cohort.invited", f"{reader.name} invites you to the class {cohort.name}.", "/cohorts")
        return ImportedLine(line=line, result=Result.INVITED)

    report = ImportReport(lines=tuple(done(line) for line in lines))
    counts = {result.name.lower(): report.count(result) for result in Result}
    note(reader.id, "cohort.members_imported", subject_of(cohort_id), **counts)
    db.session.commit()
    return report


def _invite(cohort_id: int, line: Line) -> bool:
    """Invite an e-mail; return False where it was invited before. The caller commits."""
    invitation = insert_once(
        Invitation, ["cohort_id", "email"], cohort_id=cohort_id, email=line.email, name=line.name
    ).returning(Invitation.id)
    return db.session.scalar(invitation) is not None
