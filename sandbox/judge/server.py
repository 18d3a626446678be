"""Fixtures `start` and `shared` (kind http): the learner's server, and a client that trusts nothing it says."""

from __future__ import annotations

import itertools
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore
import httpx

from sandbox.judge.faults import LimitHit, ServerFault
from sandbox.judge.link import Link
from sandbox.judge.suite import Suite, clip
from sandbox.judge.tunnel import NUMBERS, Shim, TunnelBackend, TunnelStream

if TYPE_CHECKING:  # imported only by judges of exercises with services
    from sandbox.judge.services import Services, Stores
    from sandbox.judge.stores import Commands, Database

T = TypeVar("T")
MAX_BODY = 8 * 1024 * 1024
MAX_REQUEST_SECONDS = 10.0
START_SECONDS = 15.0
ORIGIN = httpcore.Origin(b"http", b"127.0.0.1", 80)
HEADERS = {
    "Host": "server",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "Mozilla/5.0 (compatible; http client)",
}


def exchange(shim: Shim, server: int, request: httpx.Request, seconds: float) -> httpx.Response:
    """Return the server's answer, wholly read: one request, one connection, one total deadline, capped bodies.

    Raises httpcore's errors. No redirects are followed, no cookies kept, and nothing is taken from the environment.
    """
    return _answer(TunnelBackend(shim, server, seconds, MAX_BODY + 256 * 1024), request)


def warm_up() -> None:
    """Exchange with nobody, so that what libraries import and compile at their first use is there for every child."""
    backend = httpcore.MockBackend(
        [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"]
    )
    request = httpx.Request("POST", "http://server/", headers=HEADERS, json={})
    _answer(backend, request).json()


def _answer(backend: httpcore.NetworkBackend, request: httpx.Request) -> httpx.Response:
    url = httpcore.URL(scheme="http", host=b"127.0.0.1", port=80, target=request.url.raw_path)
    core = httpcore.Request(request.method, url, headers=request.headers.raw, content=request.stream)
    with httpcore.HTTPConnection(origin=ORIGIN, network_backend=backend) as connection:
        answer = connection.handle_request(core)
        body = b"".join(answer.iter_stream())
    _refuse_bomb(answer.headers, body)
    return httpx.Response(answer.status, headers=answer.headers, content=body, request=request)


def _refuse_bomb(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    coding = b",".join(v for k, v in headers if k.lower() == b"content-encoding").strip().lower()
    if coding in {b"", b"identity"}:
        return
    if coding not in {b"gzip", b"deflate"}:
        raise httpcore.RemoteProtocolError("a content coding that was not asked for")
    try:
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise httpcore.RemoteProtocolError("the compressed body is broken") from error
    if len(unpacked) > MAX_BODY:
        raise httpcore.RemoteProtocolError("the answer is too long once unpacked")


class Server:
    """One server of the learner's in its box, and the client that talks to it."""

    def __init__(self, servers: Servers, number: int, env: dict[str, str], stores: Stores | None = None) -> None:
        self._servers, self._number, self._env = servers, number, env
        self._stores = stores

    def request(
        self, method: str, path: str, *, token: str | None = None, quiet: bool = False, **options: Any
    ) -> httpx.Response:
        """Return the answer. Takes httpx's json, content, data, params, headers, timeout (s), and `token` (Bearer).

        A `quiet` request is no step of the check. Raises LimitHit or ServerFault when no sound answer comes.
        """
        seconds = min(MAX_REQUEST_SECONDS, options.pop("timeout", MAX_REQUEST_SECONDS))
        headers = httpx.Headers(HEADERS)
        headers.update(options.pop("headers", None))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = httpx.Request(method, f"http://server{path}", headers=headers, **options)
        try:
            answer = exchange(self._servers.shim, self._number, request, seconds)
        except httpcore.TimeoutException as error:
            self._servers.suite.step(f"{method} {path} → no answer in time")
            raise LimitHit("time", f"{method} {path} was not answered in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
            self._servers.suite.step(f"{method} {path} → {error}")
            if self._servers.shim.state_after_break(self._number) == "exited":
                raise LimitHit("crash", f"the server ended during {method} {path}") from error
            raise ServerFault(f"{method} {path}: {error}") from error
        if not quiet:
            self._servers.suite.step(_told(method, path, options, answer))
        return answer

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET `path`."""
        return self.request("GET", path, **options)

    def head(self, path: str, **options: Any) -> httpx.Response:
        """HEAD `path`."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Any) -> httpx.Response:
        """OPTIONS `path`."""
        return self.request("OPTIONS", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST to `path`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        """PUT to `path`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        """PATCH `path`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        """DELETE `path`."""
        return self.request("DELETE", path, **options)

    def raw(self, data: bytes, *, timeout: float = 5.0) -> bytes:
        """Send `data` as it is; return what comes back until the server closes or `timeout` seconds pass."""
        stream = TunnelStream(self._servers.shim, self._number, timeout, MAX_BODY)
        answer = bytearray()
        try:
            stream.write(data)
            while part := stream.read(65536):
                answer += part
        except httpcore.TimeoutException:
            pass
        finally:
            stream.close()
        return bytes(answer)

    def parallel(self, n: int, call: Callable[[int], T]) -> list[T]:
        """Return [call(0) … call(n-1)], run on n threads released together; the first exception is raised."""
        gate, results, errors = threading.Barrier(n), [None] * n, []

        def one(i: int) -> None:
            gate.wait()
            try:
                results[i] = call(i)  # type: ignore[call-overload] # a list of None till now
            except BaseException as error:  # handed on to the check's own thread
                errors.append(error)

        threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results  # type: ignore[return-value] # every None was replaced

    def restart(self, **env: Any) -> None:
        """Kill the process and start it again on the same STATE_DIR; `env` changes its environment."""
        self._env |= _texts(env)
        self.stop()
        self._servers.suite.step("restart")
        self._servers.boot(self._number, self._env, fresh=False)

    def stop(self) -> None:
        """Kill the server's processes."""
        if self._servers.shim.state(self._number) not in {"exited", "stopped"}:
            self._servers.shim.stop(self._number)

    @property
    def stores(self) -> Stores:
        """What it was given of the services. Raises LookupError when the exercise has none."""
        if self._stores is None:
            raise LookupError("exercise.yaml names no services")
        return self._stores

    @property
    def postgres(self) -> Database:
        """Its database, as the judge sees it."""
        return self.stores.postgres

    @property
    def redis(self) -> Any:
        """A client of redis-py's for its logical database, as the judge sees it."""
        return self.stores.redis.client

    def redis_watched(self) -> AbstractContextManager[Commands]:
        """Note the commands that reach its logical database while a `with` block lasts."""
        return self.stores.redis.watched()

    @property
    def running(self) -> bool:
        """Whether the process is up."""
        return self._servers.shim.state(self._number) == "listening"

    @property
    def output(self) -> str:
        """What the learner's servers printed during this check."""
        time.sleep(0.02)  # what it printed before its answer may be a line behind the answer
        self._servers.shim.hear()
        current = self._servers.suite.current
        return current.output if current is not None else ""


class Servers:
    """Starts servers for checks: `start` gives each its own, `shared` one per environment."""

    def __init__(
        self,
        shim: Shim,
        suite: Suite,
        command: list[str],
        ready: str,
        lane: int = 0,
        services: Services | None = None,
    ) -> None:
        self.shim, self.suite, self._services = shim, suite, services
        self._command, self._ready = command, ready
        self._numbers = itertools.count(lane * NUMBERS + 1)
        self._shared: dict[tuple[tuple[str, str], ...], Server] = {}

    @property
    def services(self) -> Services:
        """What runs beside the servers. Raises LookupError when the exercise has none."""
        if self._services is None:
            raise LookupError("exercise.yaml names no services")
        return self._services

    def renew(self) -> None:
        """Put the services back to normal, as each check finds them."""
        if self._services is not None:
            self._services.renew()

    def start(self, *, beside: Server | None = None, **env: Any) -> Server:
        """Return a fresh server with an empty STATE_DIR, and stores of its own or those of the server `beside`.

        Raises Fault when it does not come up.
        """
        if self.suite.ended:
            raise LimitHit("crash", "the box has ended")
        number, texts, stores = next(self._numbers), _texts(env), None
        if self._services is not None:
            stores = beside.stores if beside is not None else self._services.stores()
            texts = stores.variables | texts
        self.suite.step("start " + " ".join(f"{k}={v}" for k, v in env.items()))
        self.boot(number, texts, fresh=True)
        return Server(self, number, texts, stores)

    def shared(self, **env: Any) -> Server:
        """Return the server that all checks with this environment share; a dead one is started anew."""
        key = tuple(sorted(_texts(env).items()))
        server = self._shared.get(key)
        if server is None or not server.running:
            server = self._shared[key] = self.start(**env)
        return server

    def beside(self, link: Link, lane: int) -> Servers:
        """Return what starts servers for a lane, over its own `link`; none is shared with it."""
        return Servers(Shim(link, self.suite, lane), self.suite, self._command, self._ready, lane)

    def boot(self, number: int, env: dict[str, str], *, fresh: bool) -> None:
        """Start server `number` and wait until `ready` answers 200. Raises LimitHit or ServerFault."""
        self.shim.start(number, self._command, env, fresh=fresh)
        deadline = time.monotonic() + START_SECONDS
        request = httpx.Request("GET", f"http://server{self._ready}", headers=HEADERS)
        while self._status(number, request, deadline - time.monotonic()) != 200:
            if time.monotonic() > deadline:
                raise ServerFault(f"GET {self._ready} does not answer 200")
            time.sleep(0.02)

    def _status(self, number: int, request: httpx.Request, seconds: float) -> int:
        """Return what a starting server answers; its first connection waits until it listens."""
        try:
            return exchange(self.shim, number, request, max(0.0, seconds)).status_code
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
            timed_out = isinstance(error, httpcore.TimeoutException)
            state = self.shim.state(number) if timed_out else self.shim.state_after_break(number)
            if state == "exited":
                raise LimitHit("crash", "the server ended before it answered") from error
            if state == "starting":
                raise LimitHit("time", f"the server did not listen on $PORT within {START_SECONDS:g} s") from error
            if timed_out:
                raise LimitHit("time", f"GET {self._ready} was not answered in time") from error
            raise ServerFault(f"GET {self._ready}: {error}") from error


def _texts(env: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in env.items()}


def _told(method: str, path: str, options: dict[str, Any], answer: httpx.Response) -> str:
    sent = next((options[key] for key in ("json", "content", "data") if options.get(key) is not None), None)
    body = clip(answer.text, 200).replace("\n", " ")
    return f"{method} {path}{'' if sent is None else f' {clip(repr(sent), 120)}'} → {answer.status_code} {body}"
