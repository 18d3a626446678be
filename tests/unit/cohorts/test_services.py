"""Classes: who is in them, who may work on them, and whose work may be read."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import Role, User
from app.audit.models import AuditEntry
from app.cohorts import services
from app.cohorts.access import learners_of, may_see
from app.cohorts.importing import import_members
from app.cohorts.models import CohortInstructor, CohortMember, Invitation
from app.db import db
from app.errors import Conflict, Invalid, NotFound
from app.notices.services import latest
from tests.conftest import Cast
from tests.factories import make_cohort, make_person

pytestmark = pytest.mark.both_databases


def person(user_id: int) -> User:
    return db.session.get_one(User, user_id)


def members(cohort_id: int) -> set[int]:
    return set(db.session.scalars(select(CohortMember.learner_id).where(CohortMember.cohort_id == cohort_id)))


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_whose_work_may_be_read_follows_from_classes(app: Flask, cast: Cast) -> None:
    with app.app_context():
        sees = {
            (reader, about): may_see(person(getattr(cast, reader)), getattr(cast, about))
            for reader in ("lena", "ivan", "inge", "ada")
            for about in ("lena", "olaf")
        }
        assert {pair for pair, seen in sees.items() if seen} == {
            ("lena", "lena"),
            ("ivan", "lena"),
            ("ada", "lena"),
            ("ada", "olaf"),
        }
        assert not may_see(person(cast.ada), 987654)


def test_an_archived_class_can_still_be_read_and_a_removed_member_not(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        services.archive(person(cast.ivan), cohort_id)
        assert may_see(person(cast.ivan), cast.lena)
        services.unarchive(person(cast.ivan), cohort_id)
        services.remove_member(person(cast.ivan), cohort_id, cast.lena)
        assert not may_see(person(cast.ivan), cast.lena)
        assert actions() == ["cohort.archived", "cohort.unarchived", "cohort.member_removed"]


def test_who_instructs_no_more_reads_nobody(app: Flask, cast: Cast) -> None:
    with app.app_context():
        ivan = person(cast.ivan)
        ivan.role = Role.LEARNER
        db.session.commit()
        assert not may_see(ivan, cast.lena)
        assert list(db.session.scalars(learners_of(cast.ivan))) == [cast.lena]  # the class is as it was


def test_whoever_creates_a_class_instructs_it(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cohort = services.create(person(cast.inge), "  Night   school ")
        assert (cohort.name, [each.name for each in cohort.instructors]) == ("Night school", ["Inge"])
        assert services.find_instructed(person(cast.inge), cohort.id) is cohort
        assert services.find_instructed(person(cast.ada), cohort.id) is cohort
        with pytest.raises(NotFound):
            services.find_instructed(person(cast.ivan), cohort.id)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "\u0000"])
def test_a_class_needs_a_name(app: Flask, cast: Cast, name: str) -> None:
    with app.app_context(), pytest.raises(Invalid):
        services.create(person(cast.inge), name)


def test_a_code_joins_however_it_is_typed_and_a_second_time_changes_nothing(
    app: Flask, cast: Cast, cohort_id: int
) -> None:
    with app.app_context():
        code = services.find_instructed(person(cast.ivan), cohort_id).spoken_code
        for typed in (code, code.lower(), f" {code.replace('-', ' ')} "):
            assert services.join(person(cast.olaf), typed).id == cohort_id
        assert members(cohort_id) == {cast.lena, cast.olaf}
        assert actions() == ["cohort.joined"]


def test_wrong_old_and_archived_codes_are_refused_alike(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        old = services.find_instructed(person(cast.ivan), cohort_id).join_code
        services.rotate_code(person(cast.ivan), cohort_id)
        closed = make_cohort(instructor=person(cast.inge))
        services.archive(person(cast.inge), closed.id)
        said = set()
        for code in (old, closed.join_code, "ABCDEFGH", "", "x" * 500):
            with pytest.raises(NotFound) as refused:
                services.join(person(cast.olaf), code)
            said.add(str(refused.value))
        assert len(said) == 1
        assert members(cohort_id) == {cast.lena}


def test_an_instructor_does_not_join_their_own_class(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        code = services.find_instructed(person(cast.ivan), cohort_id).join_code
        with pytest.raises(Conflict):
            services.join(person(cast.ivan), code)


def test_the_last_instructor_stays(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        ivan = person(cast.ivan)
        with pytest.raises(Conflict):
            services.remove_instructor(ivan, cohort_id, cast.ivan)
        services.add_instructor(ivan, cohort_id, " INGE@example.com")
        services.add_instructor(ivan, cohort_id, "inge@example.com")
        assert may_see(person(cast.inge), cast.lena)
        services.remove_instructor(ivan, cohort_id, cast.ivan)
        assert not may_see(ivan, cast.lena)
        with pytest.raises(Conflict):
            services.remove_instructor(person(cast.inge), cohort_id, cast.inge)
        assert actions() == ["cohort.instructor_added", "cohort.instructor_removed"]
        assert "made you an instructor" in latest(cast.inge)[0].text


@pytest.mark.parametrize("email", ["olaf@example.com", "nobody@example.com", ""])
def test_only_instructors_can_be_made_instructors_of_a_class(
    app: Flask, cast: Cast, cohort_id: int, email: str
) -> None:
    with app.app_context(), pytest.raises(Invalid, match="No instructor has that e-mail"):
        services.add_instructor(person(cast.ivan), cohort_id, email)


def test_a_member_who_becomes_an_instructor_of_the_class_is_no_member_any_more(
    app: Flask, cast: Cast, cohort_id: int
) -> None:
    with app.app_context():
        code = services.find_instructed(person(cast.ivan), cohort_id).join_code
        services.join(person(cast.inge), code)
        services.add_instructor(person(cast.ivan), cohort_id, "inge@example.com")
        assert members(cohort_id) == {cast.lena}


def test_a_member_may_leave_and_nobody_leaves_for_them(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        with pytest.raises(NotFound):
            services.leave(person(cast.olaf), cohort_id)
        services.leave(person(cast.lena), cohort_id)
        assert members(cohort_id) == set()


def test_a_list_invites_and_refuses_line_by_line(app: Flask, cast: Cast, cohort_id: int) -> None:
    raw = b"lena@example.com\nolaf@example.com\nNina@example.com,Nina\nnonsense\nivan@example.com\n"
    with app.app_context():
        report = import_members(person(cast.ivan), cohort_id, raw)
        assert [each.result for each in report.lines] == ["already there", "invited", "invited", "refused", "refused"]
        assert report.lines[4].reason == "instructs this class"
        assert members(cohort_id) == {cast.lena}  # a list opens nobody's work
        assert [each.text for each in latest(cast.olaf)] == ["Ivan invites you to the class Ivan's class."]
        assert latest(cast.lena) == []
        again = import_members(person(cast.ivan), cohort_id, raw)
        assert [each.result for each in again.lines][:3] == ["already there"] * 3
        assert len(db.session.scalars(select(Invitation)).all()) == 2
        assert len(latest(cast.olaf)) == 1


def test_an_invitation_is_accepted_or_declined_by_whom_it_is_for(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        import_members(person(cast.ivan), cohort_id, b"olaf@example.com\n")
        services.on_signed_in(app, person(cast.olaf))
        assert members(cohort_id) == {cast.lena}  # signing in is no consent
        [invitation] = services.invitations_of(person(cast.olaf))
        assert services.invitations_of(person(cast.lena)) == []
        for act in (services.accept_invitation, services.decline_invitation):
            with pytest.raises(NotFound):
                act(person(cast.lena), invitation.id)
        services.decline_invitation(person(cast.olaf), invitation.id)
        assert (members(cohort_id), services.invitations_of(person(cast.olaf))) == ({cast.lena}, [])
        import_members(person(cast.ivan), cohort_id, b"olaf@example.com\n")
        [invitation] = services.invitations_of(person(cast.olaf))
        assert services.accept_invitation(person(cast.olaf), invitation.id).id == cohort_id
        assert members(cohort_id) == {cast.lena, cast.olaf}
        assert services.invitations_of(person(cast.olaf)) == []


def test_an_archived_class_invites_nobody(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        import_members(person(cast.ivan), cohort_id, b"olaf@example.com\n")
        number = services.invitations_of(person(cast.olaf))[0].id
        services.archive(person(cast.ivan), cohort_id)
        assert services.invitations_of(person(cast.olaf)) == []
        with pytest.raises(NotFound):
            services.accept_invitation(person(cast.olaf), number)


def test_a_list_that_cannot_be_read_changes_nothing(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        with pytest.raises(Invalid) as refused:
            import_members(person(cast.ivan), cohort_id, b"olaf@example.com\n" * 1001)
        assert refused.value.field == "file"
        services.archive(person(cast.ivan), cohort_id)
        with pytest.raises(Conflict):
            import_members(person(cast.ivan), cohort_id, b"olaf@example.com\n")
        with pytest.raises(NotFound):
            import_members(person(cast.inge), cohort_id, b"olaf@example.com\n")
        assert members(cohort_id) == {cast.lena}


def test_who_was_invited_is_a_member_once_they_sign_in(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        closed = make_cohort(instructor=person(cast.inge)).id
        db.session.add_all(Invitation(cohort_id=each, email="nina@example.com") for each in (cohort_id, closed))
        services.archive(person(cast.inge), closed)
        nina = make_person("Nina", email="nina@example.com")
        services.on_signed_in(app, nina)
        services.on_signed_in(app, nina)
        assert members(cohort_id) == {cast.lena, nina.id}
        assert members(closed) == set()  # until it is opened again
        assert db.session.scalars(select(Invitation.cohort_id)).all() == [closed]


def test_the_list_of_classes_counts_and_puts_archived_ones_last(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        ivan = person(cast.ivan)
        make_cohort(instructor=ivan, name="A second")
        services.archive(ivan, make_cohort(instructor=ivan, name="A first, over").id)
        make_cohort(instructor=person(cast.inge), name="Of others")
        import_members(ivan, cohort_id, b"nina@example.com")
        cards = services.cards(ivan)
        assert [(card.cohort.name, card.members, card.invited) for card in cards] == [
            ("A second", 0, 0),
            ("Ivan's class", 1, 1),
            ("A first, over", 0, 0),
        ]
        assert len(services.cards(person(cast.ada))) == 4


def test_a_deleted_person_is_in_no_class(app: Flask, cast: Cast, cohort_id: int) -> None:
    with app.app_context():
        db.session.delete(person(cast.lena))
        db.session.commit()
        assert members(cohort_id) == set()
        assert db.session.scalars(select(CohortInstructor.instructor_id)).all() == [cast.ivan]
