"""Passwords: hashed with argon2id, checked in the same time whether or not the person exists."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 200  # longer ones are hashed no better, only slower

# OWASP's parameters for argon2id: 19 MiB and one core each, so that signing in slows nobody's judging.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_once = BoundedSemaphore(4)  # a flood of sign-ins costs time, not memory


def hash_password(password: str) -> str:
    """Return the argon2id hash of `password`. Takes tens of milliseconds: hold no transaction meanwhile."""
    with _at_once:
        return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Return whether `password` belongs to the hash `stored`; None (nobody there) takes as long and is False."""
    with _at_once:
        try:
            return _hasher.verify(stored or _nobodys_hash(), password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def needs_rehash(stored: str) -> bool:
    """Return whether `stored` was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody signs in with this")
