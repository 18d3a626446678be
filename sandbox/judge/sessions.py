"""Sessions side by side: the submission statement by statement, and other clients, which are the judge's own.

Nothing here hopes for a moment. libpq says whether a statement has ended, and PostgreSQL's table of locks whether it
waits: both are states, so that the same steps give the same verdict on a busy machine.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

from sandbox.judge.faults import Fault, LimitHit, QueryFault
from sandbox.judge.guard import meaning
from sandbox.judge.suite import Suite, clip

MOST_AT_ONCE = 8  # each is a process of the server's
LOOK_SECONDS = 0.003  # between two looks at a statement that runs
END_SECONDS = 5.0  # for a server process to go; a hang guard
COPIES = {ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH}
RESTING = {TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR}
FAILED = {ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE}


class Lock(NamedTuple):
    """What a session waits for or holds."""

    table: str  # or index; empty for locks on something else, such as another transaction
    mode: str  # as pg_locks spells it: AccessExclusiveLock


class Touched(NamedTuple):
    """Rows of one table that were read and changed so far, by PostgreSQL's own counters."""

    read: int
    changed: int


class Session:
    """The submission in a session of its own, of which nothing has run yet.

    In mode statements each step is one statement, in mode script the whole text. A statement that is refused ends the
    submission there: what its transaction did is rolled back, as if the client had gone.
    """

    def __init__(
        self,
        suite: Suite,
        connection: psycopg.Connection[Any],
        judge: psycopg.Connection[Any],
        statements: Sequence[str],
        refuse: Callable[[], None],
        rested: list[psycopg.Connection[Any]],
    ) -> None:
        self._suite, self._connection, self._judge = suite, connection, judge
        self._left, self._refuse, self._rested = deque(statements), refuse, rested
        self._running, self._over, self._deadline = False, False, 0.0
        self._error: Fault | None = None
        self.pid = connection.info.backend_pid
        self.fault: QueryFault | None = None  # what PostgreSQL refused, if it did

    @property
    def done(self) -> bool:
        """Whether it has come to its end, all its locks given back."""
        return self._over

    @property
    def idle(self) -> bool:
        """Whether it is in no transaction."""
        return self._over or self._status() == TransactionStatus.IDLE

    @property
    def following(self) -> str:
        """The statement that the next step sends; empty when none is left."""
        return self._left[0] if self._left else ""

    def step(self) -> bool:
        """Run the next statement, or go on with the one that waits; return False when it waits for a lock.

        What PostgreSQL refuses stands in `fault` afterwards. Raises LimitHit when a limit bites.
        """
        self.send()
        while not self.look():
            if self._blocked():
                return False
        return True

    def go_on(self) -> bool:
        """Run statement after statement; return whether it came to its end, False when it waits for a lock."""
        while not self._over:
            if not self.step():
                return False
        return True

    def close(self) -> None:
        """End the session where it is, as if the client had gone; return when its locks have gone too."""
        if self._over:
            return
        self._over = True
        with suppress(psycopg.Error):
            if self._running:
                self._connection.cancel_safe(timeout=2)
            deadline = time.monotonic() + END_SECONDS
            while self._running and time.monotonic() < deadline:
                self._receive(LOOK_SECONDS)
            if self._forget():
                self._rested.append(self._connection)
                return
        self._connection.close()
        deadline = time.monotonic() + END_SECONDS
        # Before it leaves this list its locks are freed and its counters added up.
        while self._judge.execute("select from pg_stat_activity where pid = %s", [self.pid]).rowcount:
            if time.monotonic() > deadline:
                raise LimitHit("time", "the session does not end")
            time.sleep(LOOK_SECONDS)

    def _forget(self) -> bool:
        """Return whether the connection is as new: beginning another one takes longer than most statements."""
        if self._running or self._status() not in RESTING:
            return False
        self._connection.rollback()
        self._connection.execute("discard all")
        self._connection.execute("select pg_catalog.pg_stat_force_next_flush()")
        return True

    @property
    def waits(self) -> Lock | None:
        """The lock that its statement waits for."""
        return next(iter(self._locks(granted=False)), None)

    @property
    def holds(self) -> set[Lock]:
        """The locks that it holds now."""
        return set(self._locks(granted=True))

    def setting(self, name: str) -> str:
        """Return a setting of the session in its base unit (lock_timeout: milliseconds); empty when it cannot be asked.

        That is while a statement runs, and after the end.
        """
        if self._over or self._running:
            return ""
        row = self._connection.execute(
            "select setting from pg_catalog.pg_settings where name operator(pg_catalog.=) %s", [name]
        ).fetchone()
        return str(row[0]) if row else ""

    def touched(self, table: str) -> Touched:
        """Return what all ended transactions of the learner's have read and changed of `table`."""
        if self.idle and not self._over and not self._running:
            self._connection.execute("select pg_catalog.pg_stat_force_next_flush()")
        row = self._judge.execute(
            "select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0), n_tup_ins + n_tup_upd + n_tup_del"
            " from pg_stat_user_tables where schemaname = 'public' and relname = %s",
            [table],
        ).fetchone()
        return Touched(*row) if row else Touched(0, 0)

    # What sessions that run together need

    def send(self) -> None:
        """Send the next statement unless one runs or none is left."""
        if self._running or self._over:
            return
        if not self._left:
            self._end()
            return
        self._deadline = time.monotonic() + self._suite.wall_seconds / 2
        self._running = True
        pgconn, statement = self._connection.pgconn, self._left.popleft()
        self._suite.step(f"send: {clip(statement, 200)}")
        try:
            pgconn.send_query(statement.encode())
            while pgconn.flush():
                select.select([], [pgconn.socket], [], 1)
        except psycopg.Error as error:
            self._note(error)

    def look(self) -> bool:
        """Return whether the statement has ended, and see to what follows from its end. Raises LimitHit."""
        if self._running:
            try:
                self._receive(LOOK_SECONDS)
            except psycopg.Error as error:
                self._note(error)
        if self._running:
            if time.monotonic() > self._deadline:
                self.close()
                raise LimitHit("time", f"the statement ran longer than {self._suite.wall_seconds / 2:g} s")
            return False
        if not self._over:
            self._see_to_the_end()
        return True

    def _see_to_the_end(self) -> None:
        if self._error is None and self.idle:
            try:
                self._refuse()
            except QueryFault as fault:
                self._error = fault
        if self._error is not None or not self._left:
            self._end()

    def _end(self) -> None:
        """End the session; a transaction left open is committed first."""
        if self._error is None and self._status() == TransactionStatus.INTRANS:
            self._left.append("commit")
            return
        self.close()
        if isinstance(self._error, LimitHit):
            raise self._error
        if isinstance(self._error, QueryFault):
            self.fault = self._error

    def _receive(self, patience: float) -> None:
        """Take in what the server has sent, waiting at most `patience` seconds for it."""
        pgconn = self._connection.pgconn
        select.select([pgconn.socket], [], [], patience)
        pgconn.consume_input()
        while self._running and not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                self._running = False
            elif result.status in COPIES:  # the connection cannot be used any more
                self._error, self._running = QueryFault("COPY cannot be used here"), False
            elif result.status in FAILED:
                self._note(psycopg.errors.error_from_result(result), running=True)

    def _note(self, error: psycopg.Error, *, running: bool = False) -> None:
        """Note what went wrong; the first error counts."""
        self._running = running
        self._error = self._error or meaning(error, self._suite, self._connection, late=False)

    def _status(self) -> TransactionStatus:
        return TransactionStatus(self._connection.pgconn.transaction_status)

    def _blocked(self) -> bool:
        row = self._judge.execute("select cardinality(pg_blocking_pids(%s)) > 0", [self.pid]).fetchone()
        return row == (True,)

    def _locks(self, *, granted: bool) -> list[Lock]:
        if self._over:
            return []
        rows = self._judge.execute(
            "select coalesce(c.relname::text, ''), l.mode from pg_locks l left join pg_class c on c.oid = l.relation"
            " where l.pid = %s and l.granted = %s order by 1 desc, 2",
            [self.pid, granted],
        ).fetchall()
        return [Lock(*row) for row in rows]


def run_together(sessions: Sequence[Session]) -> list[QueryFault | None]:
    """Run the sessions to their ends at the same time; return what each was refused. Raises LimitHit."""
    if len(sessions) > MOST_AT_ONCE:
        raise ValueError(f"at most {MOST_AT_ONCE} sessions at once, not {len(sessions)}")
    while not all(session.done for session in sessions):
        for session in sessions:
            session.send()
        for session in sessions:
            session.look()
    return [session.fault for session in sessions]


class Client:
    """Another client of the database: the judge's, in a transaction of its own that ends with the block."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(psycopg.Error):
            self.rollback()
        self._connection.close()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of an author's statement. Raises psycopg.errors.LockNotAvailable if it has to wait."""
        cursor = self._connection.execute(statement)
        return cursor.fetchall() if cursor.description is not None else []

    def commit(self) -> None:
        """Commit; the next query begins another transaction."""
        self._connection.commit()

    def rollback(self) -> None:
        """Roll back; the next query begins another transaction."""
        self._connection.rollback()
