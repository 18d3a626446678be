"""Registering, signing in, passwords and roles, without pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import argon2
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from app.accounts import services
from app.accounts.models import Role, User
from app.accounts.passwords import hash_password, needs_rehash
from app.db import db
from app.errors import Invalid, NotFound
from tests.conftest import Cast
from tests.factories import PASSWORD, make_person

pytestmark = pytest.mark.both_databases

NINA = services.Registration(email="nina@example.com", name="Nina", password=PASSWORD, time_zone="Europe/Berlin")


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Services are called directly here."""
    with app.app_context():
        yield


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a transaction was open, for each time that argon2 worked."""
    seen: list[bool] = []

    def spied(real: Any) -> Any:
        def work(*args: Any) -> Any:
            seen.append(db.session.registry().in_transaction())
            return real(*args)

        return work

    for name in ("hash", "verify"):
        monkeypatch.setattr(argon2.PasswordHasher, name, spied(getattr(argon2.PasswordHasher, name)))
    return seen


def changed(**more: Any) -> services.Registration:
    """Return what Nina registers with, in parts different."""
    return services.Registration(**{"email": NINA.email, "name": NINA.name, "password": NINA.password, **more})


def test_whoever_registers_can_sign_in() -> None:
    assert services.register(NINA)
    person = services.sign_in("nina@example.com", PASSWORD)
    assert person is not None
    assert (person.name, person.role, person.time_zone) == ("Nina", Role.LEARNER, "Europe/Berlin")


def test_an_email_is_the_same_in_any_case_and_with_blanks_around() -> None:
    assert services.register(changed(email=" Nina@Example.com "))
    assert services.sign_in("NINA@example.COM ", PASSWORD) is not None


def test_a_second_account_with_the_same_email_is_not_made_and_changes_nothing() -> None:
    services.register(NINA)
    assert not services.register(changed(email="NINA@example.com", name="Impostor", password="another few words"))
    assert db.session.scalar(select(func.count(User.id))) == 1
    assert services.find_by_email(NINA.email).name == "Nina"
    assert services.sign_in(NINA.email, "another few words") is None


def test_the_database_itself_refuses_an_email_in_upper_case() -> None:
    with pytest.raises(IntegrityError):
        make_person(email="Nina@example.com")


def test_an_unknown_time_zone_becomes_utc() -> None:
    services.register(changed(time_zone="Mars/Olympus"))
    assert services.find_by_email(NINA.email).time_zone == "UTC"


def test_the_password_is_kept_as_argon2id_only() -> None:
    services.register(NINA)
    assert services.find_by_email(NINA.email).password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "a b@example.com"),
        ("email", "a\x00b@example.com"),
        ("email", f"{'x' * 250}@example.com"),
        ("name", " \t "),
        ("name", "n" * 81),
        ("password", "too short"),
        ("password", "w" * 201),
        ("password", "aaaaaaaaaaaa"),
        ("password", "nina@example.com"),
    ],
)
def test_what_no_account_can_have_is_refused_naming_the_field(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        services.register(changed(**{field: value}))
    assert refused.value.field == field
    assert db.session.scalar(select(func.count(User.id))) == 0


def test_characters_that_turn_text_around_do_not_stay_in_a_name() -> None:
    services.register(changed(name="Ni\u202ena\x07  Last"))
    assert services.find_by_email(NINA.email).name == "Ni na Last"


@pytest.mark.parametrize("email", ["nina@example.com", "nobody@example.com", "no\x00body@example.com", "", "x" * 5000])
def test_a_wrong_password_and_an_unknown_email_cost_the_same_hashing(email: str, hashing: list[bool]) -> None:
    services.register(NINA)
    services.sign_in("nobody@example.com", "first, so that the stand-in hash is made")
    hashing.clear()
    assert services.sign_in(email, "not the password") is None
    assert len(hashing) == 1


def test_registering_a_taken_email_costs_the_same_hashing(hashing: list[bool]) -> None:
    services.register(NINA)
    assert len(hashing) == 1
    services.register(NINA)
    assert len(hashing) == 2


def test_no_transaction_is_open_while_argon2_works(hashing: list[bool]) -> None:
    services.register(NINA)
    person = services.sign_in(NINA.email, PASSWORD)
    assert person is not None
    services.change_password(person.id, current=PASSWORD, new="some other words")
    services.reset_password(NINA.email, "and other words again")
    services.sign_in("nobody@example.com", PASSWORD)
    assert len(hashing) >= 6
    assert not any(hashing)


def test_an_old_hash_is_renewed_when_its_owner_signs_in() -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    person = make_person(password_hash=weak)
    assert services.sign_in(person.email, "not the password") is None
    assert db.session.scalar(select(User.password_hash)) == weak
    assert services.sign_in(person.email, PASSWORD) is not None
    renewed = db.session.scalar(select(User.password_hash))
    assert renewed is not None and not needs_rehash(renewed)
    assert services.sign_in(person.email, PASSWORD) is not None


def test_a_broken_hash_refuses_instead_of_failing() -> None:
    person = make_person(password_hash="not a hash")
    assert services.sign_in(person.email, PASSWORD) is None


def test_a_new_password_ends_every_session(cast: Cast) -> None:
    assert services.session_owner(f"{cast.lena}.0") is not None
    services.change_password(cast.lena, current=PASSWORD, new="some other words")
    assert services.session_owner(f"{cast.lena}.0") is None
    assert services.session_owner(f"{cast.lena}.1") is not None
    assert services.session_owner(f"{cast.olaf}.0") is not None


def test_the_current_password_is_asked_before_a_new_one_is_set(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        services.change_password(cast.lena, current="a guess of mine", new="some other words")
    assert refused.value.field == "current"
    assert services.sign_in("lena@example.com", PASSWORD) is not None


@pytest.mark.parametrize(
    "value", ["", ".", "1", "1.", ".0", "x.0", "1.x", "1.0.0", "-1.0", "9" * 40 + ".0", "٣.0", "999.0"]
)
def test_a_made_up_session_belongs_to_nobody(value: str) -> None:
    assert services.session_owner(value) is None


def test_settings_keep_name_zone_and_theme(cast: Cast) -> None:
    services.change_settings(cast.lena, name="Lena L", time_zone="Asia/Tokyo", theme="dark")
    person = services.find_by_email("lena@example.com")
    assert (person.name, person.time_zone, person.theme) == ("Lena L", "Asia/Tokyo", "dark")


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "../../etc/passwd"), ("theme", "neon"), ("name", ""), ("time_zone", "right/UTC")]
)
def test_settings_outside_the_lists_are_refused(cast: Cast, field: str, value: str) -> None:
    wanted = {"name": "Lena", "time_zone": "UTC", "theme": "auto", field: value}
    with pytest.raises(Invalid) as refused:
        services.change_settings(cast.lena, **wanted)
    assert refused.value.field == field


def test_each_role_may_do_what_the_ones_before_it_may(cast: Cast) -> None:
    people = {person.name: person.instructs for person in db.session.scalars(select(User))}
    assert people == {"Lena": False, "Olaf": False, "Ivan": True, "Inge": True, "Ada": True}
    assert services.set_role("lena@example.com", Role.INSTRUCTOR).instructs


def test_nobody_is_found_under_an_unknown_email() -> None:
    with pytest.raises(NotFound):
        services.find_by_email("nobody@example.com")


def test_the_database_refuses_an_unknown_role(cast: Cast) -> None:
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE user_account SET role = 'emperor'"))


def test_each_hash_has_a_salt_of_its_own() -> None:
    assert hash_password(PASSWORD) != hash_password(PASSWORD)
