"""What people do with their accounts.

Hashing takes tens of milliseconds, so it never happens inside a transaction: SQLite has one writer at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.clock import time_zones
from app.accounts.models import Role, Theme, User
from app.accounts.passwords import MAX_LENGTH, MIN_LENGTH, hash_password, needs_rehash, verify_password
from app.db import db
from app.errors import Invalid, NotFound

log = structlog.get_logger("greenroom")

# Whether mail arrives is not ours to know: nothing is sent. It must be something one can type twice alike.
EMAIL = re.compile(r"\s*[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\s*\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What somebody asks an account with."""

    email: str
    name: str
    password: str
    time_zone: str = "UTC"
    role: Role = Role.LEARNER


def tidy_email(email: str) -> str:
    """Return `email` as accounts keep it: trimmed, in lower case."""
    return email.strip().lower()


def register(wanted: Registration) -> bool:
    """Create the account and return True; return False, having changed nothing, where the e-mail has one already.

    Takes as long either way. Raises Invalid for a name, e-mail or password that no account can have.
    """
    email = _checked_email(wanted.email)
    name = _checked_name(wanted.name)
    hashed = hash_password(_checked_password(wanted.password, email))
    zone = wanted.time_zone if wanted.time_zone in time_zones() else "UTC"
    person = User(email=email, name=name, password_hash=hashed, role=wanted.role, time_zone=zone)
    db.session.add(person)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return False
    log.info("account.registered", user_id=person.id, role=person.role)
    return True


def sign_in(email: str, password: str) -> User | None:
    """Return the person whose e-mail and password these are, else None after the same time."""
    query = select(User.id, User.password_hash).where(User.email == tidy_email(email))
    row = db.session.execute(query).first() if EMAIL.fullmatch(tidy_email(email)) else None
    db.session.rollback()
    stored = row.password_hash if row else None
    if not verify_password(stored, password[: MAX_LENGTH + 1]) or row is None or stored is None:
        log.info("account.sign_in_refused", user_id=row.id if row else None)
        return None
    if needs_rehash(stored):
        renewed = hash_password(password)
        same = update(User).where(User.id == row.id, User.password_hash == stored)
        db.session.execute(same.values(password_hash=renewed))
        db.session.commit()
    log.info("account.signed_in", user_id=row.id)
    return db.session.get(User, row.id)


def opens(email: str, password: str) -> bool:
    """Return whether `password` is the one of the account `email`. For the command line: nobody is signed in."""
    stored = find_by_email(email).password_hash
    db.session.rollback()
    return verify_password(stored, password)


def session_owner(value: str) -> User | None:
    """Return whose session cookie holds `value` (`id.epoch`); None if it was ended or never was."""
    number, _, epoch = value.partition(".")
    if not (number.isdecimal() and epoch.isdecimal() and len(number) < 19):
        return None
    person = db.session.get(User, int(number))
    return person if person is not None and str(person.session_epoch) == epoch else None


def change_settings(user_id: int, *, name: str, time_zone: str, theme: str) -> None:
    """Keep what a person chose. Raises Invalid naming the field."""
    if time_zone not in time_zones():
        raise Invalid("Choose a time zone from the list.", "time_zone")
    if theme not in set(Theme):
        raise Invalid("Choose a theme from the list.", "theme")
    person = _existing(user_id)
    person.name = _checked_name(name)
    person.time_zone = time_zone
    person.theme = theme
    db.session.commit()


def change_password(user_id: int, *, current: str, new: str) -> User:
    """Set a new password, end every session of this person, and return them. Raises Invalid naming the field."""
    person = _existing(user_id)
    stored, email = person.password_hash, person.email
    db.session.rollback()
    if not verify_password(stored, current[: MAX_LENGTH + 1]):
        raise Invalid("That is not your current password.", "current")
    return _set_password(user_id, hash_password(_checked_password(new, email, field="new")))


def reset_password(email: str, password: str) -> User:
    """Set the password of the account `email` without the old one, and end its sessions. For the command line."""
    person = find_by_email(email)
    user_id, address = person.id, person.email
    db.session.rollback()
    return _set_password(user_id, hash_password(_checked_password(password, address)))


def end_sessions(user_id: int) -> User:
    """Sign this person out everywhere, and return them."""
    person = _existing(user_id)
    person.session_epoch = User.session_epoch + 1
    db.session.commit()
    log.info("account.sessions_ended", user_id=user_id)
    return person


def set_role(email: str, role: Role) -> User:
    """Give the account `email` another role and return it. Raises NotFound."""
    person = find_by_email(email)
    person.role = role
    db.session.commit()
    log.info("account.role_changed", user_id=person.id, role=role)
    return person


def find_by_email(email: str) -> User:
    """Return the account with this e-mail. Raises NotFound."""
    person: User | None = db.session.scalar(select(User).where(User.email == tidy_email(email)))
    if person is None:
        raise NotFound("No account has that e-mail.")
    return person


def _existing(user_id: int) -> User:
    person = db.session.get(User, user_id)
    if person is None:
        raise NotFound("That account is gone.")
    return person


def _set_password(user_id: int, hashed: str) -> User:
    person = _existing(user_id)
    person.password_hash = hashed
    person.session_epoch = User.session_epoch + 1
    db.session.commit()
    log.info("account.password_changed", user_id=user_id)
    return person


def _checked_email(email: str) -> str:
    tidy = tidy_email(email)
    if len(tidy) > 254 or not EMAIL.fullmatch(tidy):
        raise Invalid("Enter an e-mail address like name@example.com.", "email")
    return tidy


def _checked_name(name: str) -> str:
    tidy = " ".join(_UNPRINTABLE.sub(" ", name).split())
    if not 1 <= len(tidy) <= 80:
        raise Invalid("Enter a name of at most 80 characters.", "name")
    return tidy


def _checked_password(password: str, email: str, *, field: str = "password") -> str:
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid(f"Choose a password of {MIN_LENGTH} to {MAX_LENGTH} characters.", field)
    if len(set(password)) < 4 or password.lower() in {email, email.partition("@")[0], "greenroom"}:
        raise Invalid("That password is too easy to guess.", field)
    return password
