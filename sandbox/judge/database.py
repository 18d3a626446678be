"""Fixture `sql`: throw-away databases on a PostgreSQL of the job's own, reached over a Unix socket.

Three logins, because triggers, rules, policies and index functions run with the rights of whoever
touches the table: `postgres` makes databases and never touches what a learner made; `judge` (no
superuser) looks and fills; `learner` runs the submission. `SET ROLE` would be no boundary.
"""

from __future__ import annotations

import itertools
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
from sandbox.judge.guard import MAX_RESULT_BYTES, Guard, Watchdog
from sandbox.judge.sessions import Client, Session, run_together
from sandbox.judge.statements import split
from sandbox.judge.suite import Suite

PATTERN = "pattern"  # the database that all data sets are copied from
MOST_OPEN = 24  # data sets that are connected to ahead: each connection is a process of the server's
STRATEGY = "file_copy"  # a third less CPU per data set than wal_log, fsync being off
MAX_ROWS = 50_000
START_SECONDS = 30.0
CLIENT_PATIENCE = "500ms"  # of the judge's clients: whoever makes them wait does not end while they do
# What a script may not leave behind: it would run with the rights of whoever touches it.
# Whatever is not PostgreSQL's own has an oid of 16384 (FirstNormalObjectId) or more.
FORBIDDEN = {
    "functions": "select count(*) from pg_proc where oid >= 16384",
    "triggers": "select count(*) from pg_trigger where not tgisinternal",
    "rules": "select count(*) from pg_rewrite where oid >= 16384 and rulename <> '_RETURN'",
    "policies": "select count(*) from pg_policy",
    "event triggers": "select count(*) from pg_event_trigger",
    "operators": "select count(*) from pg_operator where oid >= 16384",
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
    statements: list[str]  # as they are sent: in mode script the text is one message, and so one transaction

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
            if self.mode != "query":
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
        self.statements = split(text) if self.mode == "statements" else [self.text]
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
        self._rested: list[psycopg.Connection[Any]] = []  # the learner's, of sessions that have ended

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
            for statement in self._cluster.statements:
                connection.execute(statement)
            connection.commit()  # of a transaction left open: what was deferred is checked under the deadline
        self._refuse()

    def session(self, *, user: object = 0) -> Session:
        """Return a session of the learner's in which nothing of the script has run; `user` is its app.user_id."""
        connection = self._rested.pop() if self._rested else self._spare or self._connect_learner()
        if connection is self._spare:
            self._spare = None
        self._cluster.opened.append(connection)
        connection.autocommit = True
        connection.prepare_threshold = None
        connection.execute(
            "select set_config('default_transaction_read_only', 'off', false), set_config('lock_timeout', '0', false),"
            " set_config('app.user_id', %s, false)",
            (str(user),),
        )
        return Session(
            self._cluster.suite, connection, self._judge, self._cluster.statements, self._refuse, self._rested
        )

    def parallel(self, sessions: int | Sequence[Session] = 2) -> list[QueryFault | None]:
        """Run the script in so many sessions, or in those given, at once; return what each was refused, or None.

        Raises LimitHit when one of them takes too long.
        """
        given = [self.session() for _ in range(sessions)] if isinstance(sessions, int) else sessions
        self._cluster.suite.step(f"run the submission in {len(given)} sessions at once")
        return run_together(given)

    def client(self) -> Client:
        """Return another client of the judge's role, in a transaction of its own; for `with`."""
        options = f"-c lock_timeout={CLIENT_PATIENCE}"
        return Client(self._cluster.connect(self._name, "judge", autocommit=False, options=options))

    def _refuse(self) -> None:
        """Raise QueryFault if the script has left something that would run with others' rights."""
        counts = self.query(f"select {', '.join(f'({count})' for count in FORBIDDEN.values())}")[0]
        for what, count in zip(FORBIDDEN, counts, strict=True):
            if count:
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
        with Guard(self._cluster.suite, self._cluster.watchdog, connection):
            try:
                yield connection
            finally:
                with suppress(psycopg.Error):
                    connection.rollback()
                    if not read_only:
                        connection.close()

    def _connect_learner(self) -> psycopg.Connection[Any]:
        options = "-c timezone=UTC -c default_transaction_read_only=on -c lock_timeout=3s -c app.user_id=0"
        return self._cluster.connect(self._name, "learner", autocommit=False, options=options)


def schema_of(data: Path) -> str:
    """Return the text of data/schema.sql, or nothing."""
    path = data / "schema.sql"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _size(held: PGresult | None) -> int:
    """Return the bytes of all values in a result."""
    if held is None:
        return 0
    return sum(len(held.get_value(r, c) or b"") for r in range(held.ntuples) for c in range(held.nfields))


def _plan(row: tuple[Any, ...] | None) -> Plan:
    assert row is not None  # EXPLAIN always gives one row
    return Plan(row[0][0]["Plan"])


def _walk(node: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)
