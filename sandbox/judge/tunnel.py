"""TCP streams to the learner's server, carried by the shim in the box: a network backend for httpcore."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from sandbox.judge.faults import Fault, LimitHit
from sandbox.judge.link import Link
from sandbox.judge.suite import Suite

PIECE = 1 << 20
NEWS_SECONDS = 0.25  # between the end of a connection and news of the end of its server
NUMBERS = 1_000_000  # of servers and streams that one process of the judge may give: see `lanes`


class Shim:
    """Sorts what the shim says: bytes by stream, news by server."""

    def __init__(self, link: Link, suite: Suite, lane: int = 0) -> None:
        self._link, self._suite = link, suite
        self._numbers = itertools.count(lane * NUMBERS + 1)
        self._arrived = threading.Condition()
        self._bytes: dict[int, bytearray] = {}
        self._states: dict[int, str] = {}  # stream → refused, eof
        self._servers: dict[int, str] = {}  # server → starting, listening, exited, stopped
        self._gone = ""
        self._reading = False  # whether one of those who wait reads for all

    def start(self, number: int, command: list[str], env: dict[str, str], *, fresh: bool) -> None:
        """Start server `number`; streams that are opened to it wait until it listens or exits."""
        with self._arrived:
            self._servers[number] = "starting"
        self._link.send({"op": "start", "n": number, "command": command, "env": env, "fresh": fresh})

    def stop(self, number: int) -> None:
        """Stop server `number`; returns once it is gone."""
        with self._arrived:
            self._servers[number] = "stopping"
        self._link.send({"op": "stop", "n": number})
        with self._arrived:
            if not self._wait(lambda: self._servers[number] in {"exited", "stopped"}, 5):
                raise LimitHit("crash", "the server could not be stopped")

    def state(self, number: int) -> str:
        """Return how server `number` is: starting, listening, stopping, exited or stopped."""
        self.hear()
        with self._arrived:
            return self._servers[number]

    def state_after_break(self, number: int) -> str:
        """Return how server `number` is now that a connection to it broke: news of its end may be a little later."""
        with self._arrived:
            self._wait(lambda: self._servers[number] in {"exited", "stopped"}, NEWS_SECONDS)
            return self._servers[number]

    def hear(self) -> None:
        """Take what has come and nobody waited for."""
        with self._arrived:
            while not self._gone and not self._reading and self._link.unsolicited():
                self._listen(0)

    def open(self) -> int:
        """Return the number of a new stream; it is connected by its first `write`."""
        stream = next(self._numbers)
        with self._arrived:
            self._bytes[stream], self._states[stream] = bytearray(), ""
        return stream

    def read(self, stream: int, most: int, seconds: float) -> bytes:
        """Return up to `most` bytes of `stream`, b"" at its end. Raises httpcore.ReadTimeout and ConnectError."""
        with self._arrived:
            data = self._bytes.get(stream)
            if data is None:
                return b""
            if not self._wait(lambda: data or self._states.get(stream) in {"eof", "refused"}, seconds):
                raise httpcore.ReadTimeout("no answer in time")
            if self._states.get(stream) == "refused":
                raise httpcore.ConnectError("the server refused the connection")
            taken = bytes(data[:most])
            del data[:most]
            return taken

    def write(self, stream: int, data: bytes, *, connect_to: int | None) -> None:
        """Send `data` on `stream`, which is first connected to server `connect_to` where one is given."""
        messages = [{"op": "open", "n": connect_to, "s": stream}] if connect_to is not None else []
        for at in range(0, len(data), PIECE):
            messages.append({"op": "send", "s": stream, "d": base64.b64encode(data[at : at + PIECE]).decode()})
        self._link.send(*messages)

    def close(self, stream: int) -> None:
        """Forget `stream`."""
        with self._arrived:
            known = self._bytes.pop(stream, None) is not None
            ended = self._states.pop(stream, None) == "eof"
        if known and not ended:
            self._link.send({"op": "close", "s": stream})

    def _wait(self, ready: Any, seconds: float) -> bool:
        """Wait for `ready()`; the lock is held. Raises LimitHit when the box is gone.

        Whoever waits first reads for all: a thread that did nothing else would have to wake them each time.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self._gone:
                raise LimitHit(self._gone, "the box has ended")
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._reading:
                self._arrived.wait(left)
            else:
                self._listen(left)
        return True

    def _listen(self, seconds: float) -> None:
        """Take the next message, if one comes within `seconds`; the lock is held, but not while waiting."""
        self._reading = True
        self._arrived.release()
        message: dict[str, Any] | None = None
        error: Exception | None = None
        try:
            message = self._link.receive(seconds)
        except Fault as fault:
            error = fault
        finally:
            self._arrived.acquire()
        self._reading = False
        if message is not None:
            self.deliver(message)
        elif error is not None and getattr(error, "limit", "crash") != "time":
            self._lose(error)
        self._arrived.notify_all()

    def deliver(self, message: dict[str, Any]) -> None:
        """Take a message of the box; the lock is held, or nobody waits."""
        try:
            self._take(message)
        except (Fault, KeyError, TypeError, ValueError) as error:
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        self._gone = self._gone or getattr(error, "limit", "crash")
        self._suite.end("too_much_output" if self._gone == "output" else "crashed")

    def _take(self, message: dict[str, Any]) -> None:
        event = message["ev"]
        if event == "out":
            self._suite.printed(str(message["t"]))
        elif event == "flood":
            self._gone = "output"
            raise LimitHit("output", "the server printed without end")
        elif event in {"listening", "exited"}:
            number = int(message["n"])
            stopping = self._servers.get(number) == "stopping"
            if number in self._servers:
                self._servers[number] = "stopped" if stopping and event == "exited" else event
        else:
            self._on_stream(event, int(message["s"]), message)

    def _on_stream(self, event: str, stream: int, message: dict[str, Any]) -> None:
        if stream not in self._bytes:
            return  # closed on our side meanwhile
        if event == "data":
            self._bytes[stream] += base64.b64decode(message["d"], validate=True)
        elif event in {"refused", "eof"}:
            self._states[stream] = event
        else:
            raise ValueError(event)


class TunnelStream(httpcore.NetworkStream):
    """One stream to `server`, with what is left of its request's total deadline and budget.

    What is written waits for the next read: head and body then travel together, and with the connecting.
    """

    def __init__(self, shim: Shim, server: int, seconds: float, budget: int) -> None:
        self._shim, self._stream = shim, shim.open()
        self._connect_to: int | None = server
        self._unsent = bytearray()
        self._deadline = time.monotonic() + seconds
        self._budget = budget  # bytes that may still come in for this request

    def left(self) -> float:
        """Return the seconds until the deadline. Raises httpcore.ReadTimeout when it has passed."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer took too long")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes; counts them against the budget."""
        self._flush()
        data = self._shim.read(self._stream, max_bytes, self.left())
        self._budget -= len(data)
        if self._budget < 0:
            raise httpcore.RemoteProtocolError("the answer is too long")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send `buffer` with the next read, or now when it has grown."""
        self._unsent += buffer
        if len(self._unsent) >= PIECE:
            self._flush()

    def close(self) -> None:
        """Close the stream."""
        self._flush()
        self._shim.close(self._stream)

    def _flush(self) -> None:
        if self._unsent or self._connect_to is not None:
            self._shim.write(self._stream, bytes(self._unsent), connect_to=self._connect_to)
            self._unsent.clear()
            self._connect_to = None

    def get_extra_info(self, info: str) -> Any:
        """Return None: there is no socket to tell of, and a stream is readable only when it has ended."""
        return None


class TunnelBackend(httpcore.NetworkBackend):
    """Opens every connection to one server of the box, whatever host is asked for."""

    def __init__(self, shim: Shim, server: int, seconds: float, budget: int) -> None:
        self._shim, self._server = shim, server
        self._seconds, self._budget = seconds, budget

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a new stream to the server."""
        return TunnelStream(self._shim, self._server, self._seconds, self._budget)
