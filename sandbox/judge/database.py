"""Fixture `sql`: throw-away databases on a PostgreSQL of the job's own, reached over a Unix socket.

Three logins, because triggers, rules, policies and index functions run with the rights of whoever
touches the table: `postgres` makes databases and never touches what a learner made; `judge` (no
superuser) looks and fills; `learner` runs the submission. `SET ROLE` would be no boundary.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql as pgsql
from psycopg.pq.abc import PGresult

from sandbox.judge.faults import LimitHit, QueryFault
from sandbox.judge.suite import Suite, clip

PATTERN = "pattern"  # the database that all data sets are copied from
MOST_OPEN = 24  # data sets that are connected to ahead: each connection is a process of the server's
STRATEGY = "file_copy"  # a third less CPU per data set than wal_log, fsync being off
MAX_ROWS = 50_000
MAX_RESULT_BYTES = 8 * 1024 * 1024
UNREADABLE = (
    ValueError,
    ArithmeticError,
    RecursionError,
)  # of psycopg's and json's readers: huge numbers, deep nesting
START_SECONDS = 30.0
FORBIDDEN = {  # what a script may not leave behind: it would run with the rights of whoever touches it
    "functions": "select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
    " where n.nspname not in ('pg_catalog', 'information_schema')",
    "triggers": "select count(*) from pg_trigger where not tgisinternal",
    "rules": "select count(*) from pg_rules where schemaname not in ('pg_catalog', 'information_schema')",
    "policies": "select count(*) from pg_policy",
    "event triggers": "select count(*) from pg_event_trigger",
    "operators": "select count(*) from pg_operator o join pg_namespace n on n.oid = o.oprnamespace"
    " where n.nspname <> 'pg_catalog'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a query gave: column names, and rows as tuples of Python values."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


class Plan:
    """An executed plan: what it touched, never how long it took."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.nodes = list(_walk(root))
        self.types = {node["Node Type"] for node in self.nodes}

    @property
    def pages(self) -> int:
        """Shared pages hit and read by the whole plan."""
        return int(self.root.get("Shared Hit Blocks", 0)) + int(self.root.get("Shared Read Blocks", 0))

    @property
    def rows_flow(self) -> int:
        """The largest rows x loops of any node, rows removed by filters included."""
        removed = ("Rows Removed by Filter", "Rows Removed by Join Filter")
        return max(
            int((n.get("Actual Rows", 0) + sum(n.get(k, 0) for k in removed)) * n.get("Actual Loops", 1))
            for n in self.nodes
        )


class Cluster:
    """The job's PostgreSQL: made ready before there is a submission, then told of it."""

    suite: Suite
    text: str

    def __init__(self, socket: Path, mode: str, schema: str) -> None:
        self._socket, self.mode, self._schema = str(socket), mode, schema
        self._numbers = itertools.count(1)
        self._ready: deque[Database] = deque()  # that nobody has used yet
        self.used = 0  # data sets handed out
        self.watchdog = Watchdog()
        self.opened: list[psycopg.Connection[Any]] = []  # keeps them from being closed
        self._admin = self._connect_first()

    def prepare(self, databases: int) -> None:
        """Make the roles, the pattern of the data sets, and `databases` of these ahead."""
        for role in ("learner", "judge"):
            self._admin.execute(f"create role {role} login nosuperuser nocreatedb nocreaterole")
        self._admin.execute("grant pg_read_all_data, pg_write_all_data, pg_maintain to judge")
        self._admin.execute("revoke connect, temporary on database postgres, template1 from public")
        self._admin.execute(f"create database {PATTERN} strategy {STRATEGY}")
        self._prepare_pattern()
        tables = [row[0] for row in self._tables()]
        for number in range(databases):
            made = Database(self, self._copy())
            if number < MOST_OPEN:
                made.warm_up(tables)
            self._ready.append(made)

    def _prepare_pattern(self) -> None:
        """Put the schema and its grants into the database that all data sets are copied from."""
        pattern = self.connect(PATTERN, "postgres")
        with pattern:
            pattern.execute("revoke usage on language plpgsql, sql from public")
            pattern.execute("revoke execute on function pg_sleep(double precision), lo_create(oid) from public")
            if self.mode == "script":
                pattern.execute("alter schema public owner to learner")
                pattern.execute("set role learner")
            pattern.execute(self._schema)
            pattern.execute("reset role")
            pattern.execute("grant usage on schema public to learner, judge")
            pattern.execute("grant select on all tables in schema public to learner")

    def _tables(self) -> list[tuple[str]]:
        with self.connect(PATTERN, "judge") as connection:
            return connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()

    def _connect_first(self) -> psycopg.Connection[Any]:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.connect("postgres", "postgres")
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def connect(
        self, database: str, user: str, *, autocommit: bool = True, options: str = ""
    ) -> psycopg.Connection[Any]:
        """Return a connection over the job's Unix socket. Raises psycopg.OperationalError."""
        return psycopg.connect(dbname=database, user=user, host=self._socket, autocommit=autocommit, options=options)

    def _copy(self) -> str:
        """Return the name of a new copy of the pattern, open to the learner and the judge alone."""
        name = f"d{next(self._numbers)}"
        self._admin.execute(f"create database {name} template {PATTERN} strategy {STRATEGY}")
        self._admin.execute(f"revoke connect, temporary on database {name} from public")
        self._admin.execute(f"grant connect on database {name} to learner, judge")
        return name

    def begin(self, suite: Suite, text: str) -> None:
        """Judge `text` from now on: try it on empty tables, and end the suite as not loaded when it is refused.

        There is no hidden row yet, so PostgreSQL's own message is safe to show.
        """
        self.suite, self.text = suite, text.strip().rstrip(";")
        database = self.database()
        try:
            if self.mode == "query":
                database.run()
            else:
                database.script()
        except LimitHit as hit:
            self.suite.end_by(hit.limit)
        except QueryFault as fault:
            self.suite.end("not_loaded", detail=str(fault))

    def database(self, *statements: str) -> Database:
        """Return a fresh database with the schema and `statements` in it."""
        if self.suite.ended:
            raise LimitHit("crash", "the database has ended")
        self.used += 1
        made = self._ready.popleft() if self._ready else Database(self, self._copy())
        for statement in statements:
            made.fill_with(statement)
        return made


class Database:
    """One data set: the schema, the rows a check put there, and the submission run on them."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster, self._name = cluster, name
        self._judge = cluster.connect(name, "judge")
        cluster.opened.append(self._judge)
        self._spare: psycopg.Connection[Any] | None = None  # the learner's, not used yet

    def warm_up(self, tables: Iterable[str]) -> None:
        """Connect as the learner too, and let both servers read what they need to know of the tables."""
        self._spare = self._connect_learner()
        for table in tables:
            for connection in (self._judge, self._spare):
                connection.execute(pgsql.SQL("select from {} limit 0").format(pgsql.Identifier(table)))
        self._spare.rollback()

    def fill_with(self, statement: str) -> None:
        """Run an author's statement as the judge's role."""
        self._judge.execute(statement)

    def fill(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """COPY `rows` into `table`, then ANALYZE it."""
        statement = pgsql.SQL("copy {} from stdin").format(pgsql.Identifier(table))
        with self._judge.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        self._judge.execute(pgsql.SQL("analyze {}").format(pgsql.Identifier(table)))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of an author's statement, run as the judge's role (no superuser)."""
        cursor = self._judge.execute(statement)
        return cursor.fetchall() if cursor.description is not None else []

    def run(self, *, time_zone: str = "UTC") -> Result:
        """Run the submission as the learner's role: a query's rows, or a script (whose Result is empty).

        Raises QueryFault when PostgreSQL refuses it, LimitHit when it takes too long or gives too much.
        """
        self._cluster.suite.step(f"run the submission, session time zone {time_zone}")
        if self._cluster.mode != "query":
            self.script(time_zone=time_zone)
            return Result(columns=[], rows=[])
        with self._learner(time_zone, read_only=True) as connection:
            # binary=True forces the extended protocol, which takes exactly one statement.
            connection.execute(f"declare submission no scroll cursor for {self._cluster.text}", binary=True)
            cursor = connection.execute(f"fetch {MAX_ROWS + 1} from submission")
            columns = [column.name for column in cursor.description or ()]
            size = _size(cursor.pgresult)
            if cursor.rowcount > MAX_ROWS or size > MAX_RESULT_BYTES:
                raise LimitHit("output", f"more than {MAX_ROWS} rows or {MAX_RESULT_BYTES >> 20} MiB")
            return Result(columns=columns, rows=cursor.fetchall())

    def script(self, *, time_zone: str = "UTC") -> None:
        """Run the submission's statements as the role that owns the schema, once per database."""
        with self._learner(time_zone, read_only=False) as connection:
            connection.autocommit = True
            connection.execute(self._cluster.text)
            connection.commit()  # of a transaction left open: what was deferred is checked under the deadline
        for what, count in FORBIDDEN.items():
            if self.query(count) != [(0,)]:
                raise QueryFault(f"{what} are not allowed in this exercise")

    def plan(self, statement: str = "", *, time_zone: str = "UTC") -> Plan:
        """Return the executed plan of `statement` (as the judge), or of the submission (as the learner)."""
        options = "explain (analyze, buffers, timing off, format json)"
        if statement:
            return _plan(self._judge.execute(f"{options} {statement}").fetchone())
        with self._learner(time_zone, read_only=True) as connection:
            return _plan(connection.execute(f"{options} {self._cluster.text}", binary=True).fetchone())

    @contextmanager
    def _learner(self, time_zone: str, *, read_only: bool) -> Iterator[psycopg.Connection[Any]]:
        """Give a session of the learner's that has run nothing of theirs, under the deadline.

        After a query it is left open, in no transaction: a server process that ends takes time from the check.
        """
        connection, self._spare = self._spare or self._connect_learner(), None
        self._cluster.opened.append(connection)
        if time_zone != "UTC" or not read_only:
            connection.autocommit = True
            connection.execute(
                "select set_config('timezone', %s, false), set_config('default_transaction_read_only', %s, false)",
                (time_zone, "on" if read_only else "off"),
            )
            connection.autocommit = False
        with Guard(self._cluster, connection):
            try:
                yield connection
            finally:
                with suppress(psycopg.Error):
                    connection.rollback()
                    if not read_only:
                        connection.close()

    def _connect_learner(self) -> psycopg.Connection[Any]:
        options = "-c timezone=UTC -c default_transaction_read_only=on -c lock_timeout=3s"
        return self._cluster.connect(self._name, "learner", autocommit=False, options=options)


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

    def __init__(self, cluster: Cluster, connection: psycopg.Connection[Any]) -> None:
        self._suite, self._watchdog, self._connection = cluster.suite, cluster.watchdog, connection

    def __enter__(self) -> None:
        self._watchdog.begin(self._connection, self._suite.wall_seconds / 2)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._watchdog.end()
        if isinstance(error, MemoryError) or _says_out_of_memory(error):
            raise LimitHit("output", f"more than {MAX_RESULT_BYTES >> 20} MiB") from error
        if isinstance(error, UNREADABLE):
            raise QueryFault("the result holds a value that Python cannot read") from error
        if not isinstance(error, psycopg.Error):
            return
        if self._watchdog.bit:
            raise LimitHit("time", f"the statement ran longer than {self._suite.wall_seconds / 2:g} s") from error
        if self._connection.broken and not isinstance(error, psycopg.errors.SyntaxErrorOrAccessRuleViolation):
            self._suite.end("crashed")
            raise LimitHit("crash", "PostgreSQL ended the connection") from error
        raise QueryFault(_message(error), error.sqlstate or "") from error


def schema_of(data: Path) -> str:
    """Return the text of data/schema.sql, or nothing."""
    path = data / "schema.sql"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _size(held: PGresult | None) -> int:
    """Return the bytes of all values in a result."""
    if held is None:
        return 0
    return sum(len(held.get_value(r, c) or b"") for r in range(held.ntuples) for c in range(held.nfields))


def _says_out_of_memory(error: BaseException | None) -> bool:
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


def _plan(row: tuple[Any, ...] | None) -> Plan:
    assert row is not None  # EXPLAIN always gives one row
    return Plan(row[0][0]["Plan"])


def _walk(node: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)
