"""What the keeper of the services does between the learner's server and them. No engine is needed for this."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sandbox.images import RUNTIMES

PATIENCE = 20.0  # a hang guard, not a speed claim
BRIEF = 0.05  # in which nothing must come
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(scope="module")
def keeper() -> Iterator[dict[str, ModuleType]]:
    """The keeper's modules, as they stand in its image."""
    folder, names = str(RUNTIMES / "services"), ("port", "gate", "upstream")
    sys.path.insert(0, folder)
    try:
        yield {name: __import__(name) for name in names}
    finally:
        sys.path.remove(folder)
        for name in names:
            sys.modules.pop(name, None)


def played(story: Callable[[], Awaitable[None]]) -> None:
    """Run `story` to its end."""
    asyncio.run(asyncio.wait_for(story(), PATIENCE))


async def shouting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that answers in capitals."""
    while data := await reader.read(1 << 16):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


class Stage:
    """A gate before a service that shouts."""

    def __init__(self, keeper: dict[str, ModuleType], folder: Path) -> None:
        self.gate = keeper["gate"].Gate(0, str(folder / "service"), 20)
        self.number = self.gate.port.number
        self._folder = folder

    async def open(self) -> Stage:
        self.service = await asyncio.start_unix_server(shouting, self._folder / "service")
        self.gate.up()
        return self

    async def client(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.number)


async def silent(reader: asyncio.StreamReader) -> bool:
    """Return whether nothing comes for a while."""
    try:
        await asyncio.wait_for(reader.read(1), BRIEF)
    except TimeoutError:
        return True
    return False


def refused(number: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", number)) != 0


def test_bytes_go_through_in_both_directions_whatever_their_number(keeper: Any, tmp_path: Path) -> None:
    async def story() -> None:
        stage = await Stage(keeper, tmp_path).open()
        reader, writer = await stage.client()
        sent = b"abcdefgh" * 500_000
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent.upper()
        writer.close()

    played(story)


def test_more_connections_than_the_service_takes_are_closed_at_once(keeper: Any, tmp_path: Path) -> None:
    async def story() -> None:
        stage = await Stage(keeper, tmp_path).open()
        clients = []
        for _ in range(20):
            clients.append(await stage.client())
            clients[-1][1].write(b"a")
            assert await clients[-1][0].readexactly(1) == b"A"
        with suppress(ConnectionError):
            assert await (await stage.client())[0].read(1) == b""
        clients[0][1].close()
        while stage.gate.ends and len(stage.gate.ends) == 40:
            await asyncio.sleep(0.01)
        reader, writer = await stage.client()
        writer.write(b"b")
        assert await reader.readexactly(1) == b"B"

    played(story)


def test_paused_nothing_comes_and_nobody_is_cut_off(keeper: Any, tmp_path: Path) -> None:
    async def story() -> None:
        stage = await Stage(keeper, tmp_path).open()
        reader, writer = await stage.client()
        writer.write(b"a")
        assert await reader.readexactly(1) == b"A"
        stage.gate.pause()
        writer.write(b"b")
        late_reader, late_writer = await stage.client()  # also connects
        late_writer.write(b"c")
        assert await silent(reader) and await silent(late_reader)
        stage.gate.resume()
        assert (await reader.readexactly(1), await late_reader.readexactly(1)) == (b"B", b"C")

    played(story)


def test_down_cuts_connections_and_refuses_new_ones_and_nobody_else_gets_the_port(keeper: Any, tmp_path: Path) -> None:
    async def story() -> None:
        stage = await Stage(keeper, tmp_path).open()
        reader, writer = await stage.client()
        writer.write(b"a")
        await reader.readexactly(1)
        for _ in range(3):
            stage.gate.down()
            stage.gate.down()
            assert refused(stage.number)
            for address in ("127.0.0.1", "0.0.0.0"):
                with socket.socket() as thief, pytest.raises(OSError, match="in use"):
                    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                    thief.bind((address, stage.number))
            assert await reader.read(1) == b""
            stage.gate.up()
            reader, writer = await stage.client()
            writer.write(b"b")
            assert await reader.readexactly(1) == b"B"

    played(story)


def test_a_delay_holds_each_message_to_the_service_and_keeps_their_order(keeper: Any, tmp_path: Path) -> None:
    async def story() -> None:
        stage = await Stage(keeper, tmp_path).open()
        loop = asyncio.get_running_loop()
        reader, writer = await stage.client()
        stage.gate.slow(0.15)
        started = loop.time()
        writer.write(b"a")
        await asyncio.sleep(0.02)
        stage.gate.slow(0.0)
        writer.write(b"b")
        assert await reader.readexactly(2) == b"AB"
        assert loop.time() - started >= 0.14

    played(story)


def test_a_delay_holds_what_was_sent_before_the_client_closed(keeper: Any, tmp_path: Path) -> None:
    got: list[bytes] = []

    async def story() -> None:
        stage = await Stage(keeper, tmp_path).open()
        stage.service.close()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.append(await reader.read())
            writer.close()

        (tmp_path / "service").unlink(missing_ok=True)
        async with await asyncio.start_unix_server(listen, tmp_path / "service"):
            stage.gate.slow(0.05)
            reader, writer = await stage.client()
            writer.write(b"last words")
            writer.write_eof()
            assert await reader.read() == b""

    played(story)
    assert got == [b"last words"]


def test_a_reset_makes_a_gate_as_it_was(keeper: Any, tmp_path: Path) -> None:
    async def story() -> None:
        stage = await Stage(keeper, tmp_path).open()
        reader, writer = await stage.client()
        stage.gate.slow(60)
        stage.gate.pause()
        stage.gate.reset()
        writer.write(b"a")
        assert await reader.readexactly(1) == b"A"
        stage.gate.down()
        stage.gate.reset()
        reader, writer = await stage.client()
        writer.write(b"b")
        assert await reader.readexactly(1) == b"B"

    played(story)


def test_a_service_that_is_gone_closes_its_clients_and_the_gate_lives_on(keeper: Any, tmp_path: Path) -> None:
    async def story() -> None:
        stage = Stage(keeper, tmp_path)
        stage.gate.up()
        reader, _ = await stage.client()
        assert await reader.read(1) == b""
        await stage.open()
        reader, writer = await stage.client()
        writer.write(b"a")
        assert await reader.readexactly(1) == b"A"

    played(story)


# The upstream


class Web:
    """The upstream, and a client that keeps its connection."""

    def __init__(self, keeper: dict[str, ModuleType]) -> None:
        self._module = keeper["upstream"]
        self.upstream = self._module.Upstream(0)
        self.number = self.upstream.port.number
        self.upstream.up()

    def on(self, method: str, path: str, **more: Any) -> None:
        told: dict[str, Any] = {"body": "", "json": None, "status": 200, "headers": {}, "delay": 0.0, "times": None}
        self.upstream.on(self._module.rule_of({"method": method, "path": path} | told | more))

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.number)

    async def get(self, path: str) -> tuple[int, str]:
        reader, writer = await self.connect()
        answer = await asked(reader, writer, f"GET {path} HTTP/1.1\r\n\r\n".encode())
        writer.close()
        return answer[0], answer[2]


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> tuple[int, str, str]:
    """Return status, head and body of the answer to `raw`."""
    writer.write(raw)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    if head.startswith("HTTP/1.1 100"):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    sizes = [line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("content-length")]
    body = (await reader.readexactly(int(sizes[0] if sizes else 0))).decode()
    return int(head.split()[1]), head, body


def test_an_upstream_answers_as_it_was_told_and_knows_nothing_else(keeper: Any) -> None:
    async def story() -> None:
        web = Web(keeper)
        web.on("GET", "/rates/*", json=[{"rate": 2}])
        web.on("GET", "/rates/EUR", status=503, body="later", headers={"Retry-After": "1"}, times=2)
        web.on("GET", "/nothing", json=[None])
        assert [await web.get("/rates/EUR?at=now") for _ in range(3)] == [
            (503, "later"), (503, "later"), (200, '{"rate": 2}'),
        ]  # fmt: skip
        assert await web.get("/nothing") == (200, "null")
        assert await web.get("/rate") == (404, '{"error": "not found"}')
        calls = web.upstream.seen()["calls"]
        assert [call["path"] for call in calls] == ["/rates/EUR"] * 3 + ["/nothing", "/rate"]
        assert calls[0]["query"] == {"at": "now"}

    played(story)


def test_an_upstream_reads_bodies_of_both_sorts_on_one_connection(keeper: Any) -> None:
    async def story() -> None:
        web = Web(keeper)
        web.on("POST", "/pay", status=204)
        reader, writer = await web.connect()
        for raw in (
            b'POST /pay HTTP/1.1\r\nX-Key: k\r\nContent-Length: 8\r\n\r\n{"a": 1}',
            b"POST /pay HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
            b"POST /pay HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
        ):
            status, head, _ = await asked(reader, writer, raw)
            assert status == 204 and "content-" not in head.lower()
        calls = web.upstream.seen()["calls"]
        assert [call["body"] for call in calls] == ['{"a": 1}', "abcde", "hi"]
        assert calls[0]["headers"]["x-key"] == "k"
        writer.write(b"HEAD /pay HTTP/1.1\r\nConnection: close\r\n\r\n")
        told = await reader.read()
        assert told.startswith(b"HTTP/1.1 404") and told.endswith(b"\r\n\r\n")

    played(story)


def test_an_upstream_knows_how_many_requests_were_in_progress_together(keeper: Any) -> None:
    async def story() -> None:
        web = Web(keeper)
        web.on("GET", "/slow", delay=0.05)
        await asyncio.gather(*(web.get("/slow") for _ in range(3)))
        await web.get("/slow")
        assert web.upstream.seen()["most_at_once"] == 3

    played(story)


def test_an_upstream_that_is_down_refuses_and_a_reset_forgets_all(keeper: Any) -> None:
    async def story() -> None:
        web = Web(keeper)
        web.on("GET", "/x", delay=60)
        waiting = asyncio.ensure_future(web.get("/x"))
        while not web.upstream.seen()["calls"]:
            await asyncio.sleep(0.01)
        web.upstream.down()
        with pytest.raises(asyncio.IncompleteReadError):
            await waiting
        assert refused(web.number)
        web.upstream.reset()
        assert web.upstream.seen() == {"calls": [], "most_at_once": 0}
        assert (await web.get("/x"))[0] == 404

    played(story)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nnonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000,
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_an_upstream_drops_who_speaks_no_http_counts_nothing_and_lives_on(keeper: Any, raw: bytes) -> None:
    async def story() -> None:
        web = Web(keeper)
        reader, writer = await web.connect()
        writer.write(raw)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        assert web.upstream.seen()["calls"] == []
        assert (await web.get("/"))[0] == 404

    played(story)


def test_an_upstream_remembers_no_more_than_it_has_room_for(keeper: Any) -> None:
    state = keeper["upstream"].State()
    call = {"method": "POST", "path": "/x", "query": {}, "headers": {"a": "b"}, "body": "x" * (1 << 20)}
    for _ in range(keeper["upstream"].MOST_CALLS + 5):
        state.note(dict(call))
    assert len(state.calls) == keeper["upstream"].MOST_CALLS
    assert len(json.dumps(state.calls)) < 16 << 20
