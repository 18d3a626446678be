"""What the learner's servers store, as the judge sees it: `srv.postgres`, `srv.redis`, and who asked for what.

The judge's login in PostgreSQL is no superuser: functions and triggers of the learner's run with its rights when it
touches their tables. `postgres` makes databases and counts statements, and never touches what a learner made.
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg.rows import dict_row
from redis.connection import UnixDomainSocketConnection

PATTERN = "pattern"  # the database that all others are copied from
STRATEGY = "file_copy"  # a third less CPU than wal_log, fsync being off
SEAL_SECONDS = 10.0
ANSWER_SECONDS = 10.0  # for what the judge asks: a learner may hold a lock, or keep Redis busy
OPTIONS = f"-c statement_timeout={ANSWER_SECONDS:g}s -c lock_timeout=3s"
MONITOR_BYTES = 64 << 20
SETUP_VERBS = frozenset({"AUTH", "CLIENT", "COMMAND", "ECHO", "HELLO", "PING", "QUIT", "RESET", "SELECT"})
SETUP_STATEMENTS = re.compile(
    r"\s*(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|set|show|reset|deallocate|discard)\b",
    re.IGNORECASE,
)
MONITORED = re.compile(rb"\+\d+\.\d+ \[(\d+) (?!lua\])[^\]]*\] (.*)", re.DOTALL)
ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPED = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


@dataclass(slots=True)
class Statements:
    """What the learner's server had PostgreSQL do; filled when the `with` block ends."""

    statements: list[str] = field(default_factory=list)  # constants replaced by $1, …; in no order

    @property
    def count(self) -> int:
        """How many statements that was."""
        return len(self.statements)


@dataclass(slots=True)
class Commands:
    """What the learner's server sent to Redis; filled when the `with` block ends."""

    commands: list[list[str]] = field(default_factory=list)  # verb in capitals, then the arguments; in order

    def count(self, *verbs: str) -> int:
        """Return how many commands were sent, or how many with one of `verbs`."""
        wanted = {verb.upper() for verb in verbs}
        return sum(not wanted or command[0] in wanted for command in self.commands)


class Postgres:
    """The server of one job: makes databases, and counts what is done in them."""

    def __init__(self, folder: Path, secret: str, schema: str) -> None:
        self._folder, self._secret, self._schema = str(folder), secret, schema
        self._lock = threading.Lock()
        self._made = 0
        self._databases: list[Database] = []
        self._admin: psycopg.Connection[Any] | None = None

    def prepare(self, databases: int, seal: Callable[[], None]) -> None:
        """Set passwords and let `seal` ask for them from then on; make the pattern and `databases` copies of it."""
        with psycopg.connect(host=self._folder, dbname="postgres", user="postgres", autocommit=True) as first:
            for role in ("postgres", "judge"):
                first.execute(f"alter role {role} password '{self._secret}'")
            first.execute(f"create database {PATTERN} strategy {STRATEGY}")
        seal()
        self._await_seal()
        with self.connect(PATTERN, "postgres") as pattern:
            pattern.execute(f"revoke connect on database {PATTERN} from public")
            pattern.execute(f"grant create on database {PATTERN} to app")
            pattern.execute("alter schema public owner to app")
            pattern.execute("set session authorization app")
            pattern.execute(self._schema)
        for _ in range(databases):
            self._copy()

    def _await_seal(self) -> None:
        deadline = time.monotonic() + SEAL_SECONDS
        while True:
            try:
                psycopg.connect(host=self._folder, dbname="postgres", user="postgres", password="-").close()  # noqa: S106 - a wrong one
            except psycopg.OperationalError as error:
                if "password" in str(error):
                    return
                raise
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL still lets in whoever asks")
            time.sleep(0.005)

    def connect(self, database: str, user: str, options: str = "") -> psycopg.Connection[Any]:
        """Return a connection over the Unix socket. Raises psycopg.OperationalError."""
        return psycopg.connect(
            host=self._folder, dbname=database, user=user, password=self._secret, autocommit=True, options=options,
            prepare_threshold=None,
        )  # fmt: skip

    def admin(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement of the superuser's in its own database."""
        with self._lock:
            if self._admin is None or self._admin.closed:
                self._admin = self.connect("postgres", "postgres")
            cursor = self._admin.execute(statement, params or None)
            return cursor.fetchall() if cursor.description is not None else []

    def database(self, number: int) -> Database:
        """Return database `number`, made now unless it was made ahead."""
        while self._made < number:
            self._copy()
        self._databases.append(Database(self, f"app_{number}"))
        return self._databases[-1]

    def _copy(self) -> None:
        self._made += 1
        name = f"app_{self._made}"
        self.admin(f"create database {name} template {PATTERN} owner app strategy {STRATEGY}")
        self.admin(f"revoke connect, temporary on database {name} from public")
        self.admin(f"grant connect on database {name} to judge")

    def reconnect(self) -> None:
        """Forget every connection: the server was restarted."""
        self._admin = None
        for database in self._databases:
            database.reconnect()


class Database:
    """The database of one server of the learner's, looked at as the judge's own role."""

    def __init__(self, server: Postgres, name: str) -> None:
        self._server, self.name = server, name
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()

    def rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Return the rows of `statement`, whose %s are filled with `params`; [] for one that gives none."""
        cursor = self._run(statement, params)
        return cursor.fetchall() if cursor.description is not None else []

    def value(self, statement: str, *params: Any) -> Any:
        """Return the first value of the first row, None where there is no row."""
        rows = self.rows(statement, *params)
        return rows[0][0] if rows else None

    def dicts(self, statement: str, *params: Any) -> list[dict[str, Any]]:
        """Return the rows as dicts by column name."""
        cursor = self._run(statement, params, row_factory=dict_row)
        return cursor.fetchall() if cursor.description is not None else []

    def execute(self, statement: str, *params: Any) -> None:
        """Run `statement`, or several where there are no `params`."""
        self._run(statement, params)

    @contextmanager
    def watched(self) -> Iterator[Statements]:
        """Note the statements that the learner's servers have executed here meanwhile, transaction control left out."""
        seen = Statements()
        oid = self._server.admin("select oid from pg_database where datname = %s", self.name)[0][0]
        self._server.admin("select pg_stat_statements_reset(0, %s, 0)", oid)
        try:
            yield seen
        finally:
            asked = "select query, calls from pg_stat_statements where dbid = %s and userid = 'app'::regrole"
            rows = self._server.admin(asked, oid)
            for text, calls in rows:
                if not SETUP_STATEMENTS.match(text):
                    seen.statements += [text] * calls

    def reconnect(self) -> None:
        """Connect anew for the next statement."""
        self._connection = None

    def _run(self, statement: str, params: tuple[Any, ...], **how: Any) -> psycopg.Cursor[Any]:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = self._server.connect(self.name, "judge", OPTIONS)
            cursor: psycopg.Cursor[Any] = self._connection.cursor(**how)
        return cursor.execute(statement, params or None)


class _Noted(UnixDomainSocketConnection):  # type: ignore[misc] # not installed where types are checked
    """A connection of the judge's that notes what it sends: Redis shows it among everybody's commands."""

    notes: list[tuple[str, ...]]

    def send_command(self, *args: Any, **options: Any) -> None:
        self._note(args)
        super().send_command(*args, **options)

    def pack_commands(self, commands: Any) -> Any:
        commands = list(commands)
        for args in commands:
            self._note(args)
        return super().pack_commands(commands)

    def _note(self, args: tuple[Any, ...]) -> None:
        verb, *more = str(args[0]).split()  # "CONFIG GET" travels as two words
        self.notes.append((verb.upper(), *more, *map(_text, args[1:])))


def _text(arg: Any) -> str:
    return arg.decode("utf-8", "replace") if isinstance(arg, bytes) else str(arg)


class RedisDb:
    """The logical database of one server of the learner's."""

    def __init__(self, path: Path, number: int, secret: str) -> None:
        self._path, self._number, self._secret = str(path), number, secret
        self._notes: list[tuple[str, ...]] = []
        kind = type("Noted", (_Noted,), {"notes": self._notes})
        pool = redis.ConnectionPool(
            connection_class=kind, path=self._path, db=number, username="judge", password=secret,
            decode_responses=True, socket_timeout=ANSWER_SECONDS, lib_name=None, lib_version=None,
        )  # fmt: skip
        self.client: Any = redis.Redis(connection_pool=pool)
        self.client.flushdb()  # an earlier server may have left something here

    @contextmanager
    def watched(self) -> Iterator[Commands]:
        """Note the commands that the learner's servers send to this database meanwhile, in order."""
        seen, mark = Commands(), secrets.token_hex(16)
        self.client.ping()  # connected: what that takes is not noted below
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_SECONDS)
            line.connect(self._path)
            answers = line.makefile("rb")
            for words in (f"AUTH judge {self._secret}", "MONITOR"):
                line.sendall(words.encode() + b"\r\n")
                if answers.readline() != b"+OK\r\n":
                    raise RuntimeError("Redis refused to be watched")
            self._notes.clear()
            yield seen
            self.client.echo(mark)
            seen.commands += self._learners(self._until(mark, answers))

    def _until(self, mark: str, answers: Any) -> Iterator[list[str]]:
        """Give the commands in this database up to the judge's own `mark`."""
        size = 0
        while size < MONITOR_BYTES:
            told = answers.readline()
            if not told:
                break
            size += len(told)
            found = MONITORED.match(told)
            if found is None or int(found[1]) != self._number:
                continue
            verb, *rest = (_unescaped(each) for each in ARGUMENT.findall(found[2]))
            if verb.upper() == "ECHO" and rest == [mark]:
                return
            yield [verb.upper(), *rest]
        raise RuntimeError("Redis stopped telling what it was sent")

    def _learners(self, commands: Iterator[list[str]]) -> Iterator[list[str]]:
        """Give what the learner's servers sent; what the judge sent meanwhile is taken out."""
        own = Counter(self._notes)
        for command in commands:
            if own[tuple(command)]:
                own[tuple(command)] -= 1
            elif command[0] not in SETUP_VERBS:
                yield command


def _unescaped(text: bytes) -> str:
    def plain(found: re.Match[bytes]) -> bytes:
        name = found[1]
        return bytes([int(name[1:], 16)]) if len(name) == 3 else NAMED.get(name, name)

    return ESCAPED.sub(plain, text).decode("utf-8", "replace")
