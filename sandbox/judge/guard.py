"""Deadlines over the learner's statements, and what it means when one of them fails."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import psycopg

from sandbox.judge.faults import Fault, LimitHit, QueryFault
from sandbox.judge.suite import Suite, clip

MAX_RESULT_BYTES = 8 * 1024 * 1024
UNREADABLE = (
    ValueError,
    ArithmeticError,
    RecursionError,
)  # of psycopg's and json's readers: huge numbers, deep nesting


class Watchdog:
    """A thread that cancels what runs too long: the deadline is ours, for the role can change its own.

    One for all statements of a job: starting a thread takes longer than many a statement.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: psycopg.Connection[Any] | None = None
        self._deadline = 0.0
        self.bit = False  # whether the last statement watched was cancelled
        threading.Thread(target=self._watch, daemon=True, name="watchdog").start()

    def begin(self, connection: psycopg.Connection[Any], seconds: float) -> None:
        """Cancel what `connection` runs unless `end` is called within `seconds`."""
        with self._changed:
            self._watched, self._deadline, self.bit = connection, time.monotonic() + seconds, False
            self._changed.notify()

    def end(self) -> None:
        """Watch nothing any more."""
        with self._changed:
            self._watched = None

    def _watch(self) -> None:
        with self._changed:
            while True:
                left = self._deadline - time.monotonic()
                if self._watched is None:
                    self._changed.wait()
                elif left > 0:
                    self._changed.wait(left)
                else:
                    connection, self._watched, self.bit = self._watched, None, True
                    with suppress(psycopg.Error):
                        connection.cancel_safe(timeout=2)


class Guard:
    """One use of the learner's connection: says what it means when that fails."""

    def __init__(self, suite: Suite, watchdog: Watchdog, connection: psycopg.Connection[Any]) -> None:
        self._suite, self._watchdog, self._connection = suite, watchdog, connection

    def __enter__(self) -> None:
        self._watchdog.begin(self._connection, self._suite.wall_seconds / 2)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._watchdog.end()
        if error is not None and (fault := meaning(error, self._suite, self._connection, late=self._watchdog.bit)):
            raise fault from error


def meaning(error: BaseException, suite: Suite, connection: psycopg.Connection[Any], *, late: bool) -> Fault | None:
    """Return which fault of the learner's `error` is, None if it is nothing of PostgreSQL's; `late`: we cancelled."""
    if isinstance(error, MemoryError) or _says_out_of_memory(error):
        return LimitHit("output", f"more than {MAX_RESULT_BYTES >> 20} MiB")
    if isinstance(error, UNREADABLE):
        return QueryFault("the result holds a value that Python cannot read")
    if not isinstance(error, psycopg.Error):
        return None
    if late:
        return LimitHit("time", f"the statement ran longer than {suite.wall_seconds / 2:g} s")
    if connection.broken and not isinstance(error, psycopg.errors.SyntaxErrorOrAccessRuleViolation):
        suite.end("crashed")
        return LimitHit("crash", "PostgreSQL ended the connection")
    return QueryFault(_message(error), error.sqlstate or "")


def _says_out_of_memory(error: BaseException) -> bool:
    """Return whether this side, and not the server, had no room for an answer: libpq gives that no code."""
    return isinstance(error, psycopg.Error) and not error.sqlstate and "memory" in str(error)


def _message(error: psycopg.Error) -> str:
    lines = [error.diag.message_primary or str(error)]
    lines += [
        f"{name}: {text}"
        for name, text in (("Detail", error.diag.message_detail), ("Hint", error.diag.message_hint))
        if text
    ]
    return clip("\n".join(lines), 1500)
