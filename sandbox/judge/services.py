"""Fixtures `postgres`, `redis` and `upstream` (kind http): services beside the learner's server, and how they fail.

They run in one container, whose loopback the learner's box shares; its keeper stands between them and the learner. Both
the services and the keeper are reached over Unix sockets in a folder that the box does not have. The learner's server
comes as `app`, which may work on data and no more; the judge as `judge`, with a password that the keeper has told it.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.judge.faults import LimitHit
from sandbox.judge.stores import Database, Postgres, RedisDb
from sandbox.judge.suite import Suite

CONNECT_SECONDS = 30.0
ANSWER_SECONDS = 60.0  # the longest that a restart may take
MOST_AHEAD = 16  # databases made ahead: each is 8 MB of the container's memory
MOST_STORES = 1000  # logical databases of Redis
NOTHING = object()  # None is an answer in JSON


class Keeper:
    """The line to the keeper. Whoever asks when it is gone ends the suite: whose fault it was is seen from outside."""

    suite: Suite | None = None  # until a job begins

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self.gone = False
        self._line = self._connect(path)
        self._answers = self._line.makefile("rb")

    def ask(self, op: str, **more: Any) -> Any:
        """Return what the keeper answers. Raises LimitHit when it is gone, RuntimeError when it cannot."""
        with self._lock:
            try:
                self._line.sendall(json.dumps({"op": op, **more}).encode() + b"\n")
                said = self._answers.readline()
            except OSError:
                said = b""
        if not said:
            self.gone = True
            if self.suite is not None:
                self.suite.end("crashed")
            raise LimitHit("crash", "the services have ended")
        answer = json.loads(said)
        if "error" in answer:
            raise RuntimeError(f"{op}: {answer['error']}")
        return answer["value"]

    def _connect(self, path: Path) -> socket.socket:
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(path))
            except OSError:
                line.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                line.settimeout(ANSWER_SECONDS)
                return line


class Services:
    """All services of one job."""

    def __init__(self, folder: Path, names: list[str], schema: str) -> None:
        self._names = frozenset(names)
        self._numbers = itertools.count(1)
        self.keeper = Keeper(folder / "keeper")
        self._folder = folder
        self._secret: str = self.keeper.ask("hello")
        self.used = 0  # databases that the learner's servers were given
        self._postgres = Postgres(folder, self._secret, schema) if "postgres" in names else None
        self.upstream = Upstream(self)

    def prepare(self, databases: int) -> None:
        """Make `databases` databases ahead of any job."""
        if self._postgres is not None:
            self._postgres.prepare(min(databases, MOST_AHEAD), lambda: self.keeper.ask("seal"))

    def begin(self, suite: Suite) -> None:
        """Note which suite runs from now on."""
        self.keeper.suite = suite

    def renew(self) -> None:
        """Put every service back to normal, as each check finds it."""
        try:
            self.keeper.ask("reset")
        except LimitHit:
            pass  # the suite has ended: its caller sees that
        except RuntimeError as error:  # a port that is taken, and only a box can take one
            if self.keeper.suite is not None:
                self.keeper.suite.end("crashed", reason=str(error))

    def stores(self) -> Stores:
        """Return a fresh database and a fresh logical database of Redis, where the exercise has these."""
        number = next(self._numbers)
        if number > MOST_STORES:
            raise RuntimeError(f"more than {MOST_STORES} servers were started")
        self.used = number
        variables, postgres, redis = {}, None, None
        if self._postgres is not None:
            postgres = self._postgres.database(number)
            variables["DATABASE_URL"] = f"postgresql://app:app@127.0.0.1:5432/{postgres.name}"
        if "redis" in self._names:
            redis = RedisDb(self._folder / "redis", number, self._secret)
            variables["REDIS_URL"] = f"redis://app:app@127.0.0.1:6379/{number}"
        if "upstream" in self._names:
            variables["UPSTREAM_URL"] = "http://127.0.0.1:8081"
        return Stores(variables=variables, database=postgres, redis_db=redis)

    def gate(self, name: str) -> Gate:
        """Return what authors control the service `name` with. Raises LookupError when the exercise has none."""
        if name not in self._names:
            raise LookupError(f"exercise.yaml names no service {name!r}")
        return self.upstream if name == "upstream" else Store(self, name)

    def restarted(self, name: str) -> None:
        """Drop the judge's own connections to a service that was restarted."""
        if name == "postgres" and self._postgres is not None:
            self._postgres.reconnect()

    def fallen(self) -> str:
        """Return which services ended by themselves, as a text; empty when all is well."""
        try:
            return ", ".join(self.keeper.ask("fallen"))
        except LimitHit:
            return "the keeper of the services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What one server of the learner's was given of the services; those started beside it share it."""

    variables: dict[str, str]  # of its environment
    database: Database | None
    redis_db: RedisDb | None

    @property
    def postgres(self) -> Database:
        """Its database. Raises LookupError when the exercise has no PostgreSQL."""
        if self.database is None:
            raise LookupError("exercise.yaml names no service 'postgres'")
        return self.database

    @property
    def redis(self) -> RedisDb:
        """Its logical database of Redis. Raises LookupError when the exercise has no Redis."""
        if self.redis_db is None:
            raise LookupError("exercise.yaml names no service 'redis'")
        return self.redis_db


class Gate:
    """One service as the learner's servers reach it: paused, slow, cut off, restarted. The judge still reaches it."""

    def __init__(self, services: Services, name: str) -> None:
        self._services, self._name = services, name

    def _ask(self, op: str, **more: Any) -> None:
        keeper = self._services.keeper
        if keeper.suite is not None:
            keeper.suite.step(" ".join([self._name, op, *(f"{value:g} s" for value in more.values())]))
        keeper.ask(op, service=self._name, **more)

    def down(self) -> Until:
        """Cut every connection and refuse new ones, until `up` or the end of a `with` block; data stays."""
        self._ask("down")
        return Until(self.up)

    def up(self) -> None:
        """Accept connections again."""
        self._ask("up")

    def delay(self, seconds: float) -> None:
        """Let every message to the service wait so long; 0 ends it."""
        self._ask("delay", seconds=seconds)


class Store(Gate):
    """PostgreSQL or Redis."""

    def pause(self) -> Until:
        """Let no byte through, until `resume` or the end of a `with` block; connections stay."""
        self._ask("pause")
        return Until(self.resume)

    def resume(self) -> None:
        """Let through what waited."""
        self._ask("resume")

    def restart(self) -> None:
        """End the server and start it again: connections are cut, Redis comes back empty, PostgreSQL keeps its data."""
        self._ask("restart")
        self._services.restarted(self._name)


class Until:
    """Undoes at the end of a `with` block what was done before it."""

    def __init__(self, undo: Callable[[], None]) -> None:
        self._undo = undo

    def __enter__(self) -> None:
        """Nothing is left to do."""

    def __exit__(self, *error: object) -> None:
        self._undo()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that the upstream got."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: str

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)


class Upstream(Gate):
    """The HTTP service that the learner's server depends on."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "upstream")

    def on(
        self,
        method: str,
        path: str,
        *,
        json: Any = NOTHING,
        body: str = "",
        status: int = 200,
        headers: dict[str, str] | None = None,
        delay: float = 0.0,
        times: int | None = None,
    ) -> None:
        """Answer `method` on `path`, which may end with `*`, like this: `times` times, or always. Later rules win."""
        rule = {"method": method, "path": path, "body": body, "status": status, "headers": headers or {}}
        rule |= {"json": None if json is NOTHING else [json], "delay": delay, "times": times}
        self._services.keeper.ask("rule", **rule)

    @property
    def calls(self) -> list[Call]:
        """The requests since the check began, in order."""
        return [Call(**call) for call in self._seen()["calls"]]

    def count(self, method: str, path: str) -> int:
        """Return how many requests came with `method` on `path`, which may end with `*`."""
        wanted = [call.path for call in self.calls if call.method == method]
        return sum(at.startswith(path[:-1]) if path.endswith("*") else at == path for at in wanted)

    @property
    def most_at_once(self) -> int:
        """The highest number of requests that were in progress together."""
        return int(self._seen()["most_at_once"])

    def reset(self) -> None:
        """Forget rules and calls, and be up and quick again."""
        self._ask("renew")

    def _seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = self._services.keeper.ask("seen")
        return seen
