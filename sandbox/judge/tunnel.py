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


class Shim:
    """Sorts what the shim says: bytes by stream, news by server."""

    def __init__(self, link: Link, suite: Suite) -> None:
        self._link, self._suite = link, suite
        self._numbers = itertools.count(1)
        self._arrived = threading.Condition()
        self._bytes: dict[int, bytearray] = {}
        self._states: dict[int, str] = {}  # stream → opened, refused, eof
        self._servers: dict[int, str] = {}  # server → starting, listening, exited, stopped
        self._gone = ""
        threading.Thread(target=self._listen, daemon=True, name="shim").start()

    def start(self, number: int, command: list[str], env: dict[str, str], *, fresh: bool, seconds: float) -> str:
        """Start server `number`; return "listening", "exited" or "starting" (it did neither in time)."""
        with self._arrived:
            self._servers[number] = "starting"
        self._link.send({"op": "start", "n": number, "command": command, "env": env, "fresh": fresh})
        with self._arrived:
            self._wait(lambda: self._servers[number] != "starting", seconds)
            return self._servers[number]

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
        with self._arrived:
            return self._servers[number]

    def open(self, server: int, seconds: float) -> int:
        """Return the number of a new stream to `server`. Raises httpcore.ConnectError when it is refused."""
        stream = next(self._numbers)
        with self._arrived:
            self._bytes[stream], self._states[stream] = bytearray(), ""
        self._link.send({"op": "open", "n": server, "s": stream})
        with self._arrived:
            if not self._wait(lambda: self._states[stream] != "", seconds):
                raise httpcore.ConnectTimeout("no connection in time")
            if self._states[stream] == "refused":
                raise httpcore.ConnectError("the server refused the connection")
        return stream

    def read(self, stream: int, most: int, seconds: float) -> bytes:
        """Return up to `most` bytes of `stream`, b"" at its end. Raises httpcore.ReadTimeout."""
        with self._arrived:
            data = self._bytes.get(stream)
            if data is None:
                return b""
            if not self._wait(lambda: data or self._states.get(stream) == "eof", seconds):
                raise httpcore.ReadTimeout("no answer in time")
            taken = bytes(data[:most])
            del data[:most]
            return taken

    def write(self, stream: int, data: bytes) -> None:
        """Send `data` on `stream`."""
        for at in range(0, len(data), 1 << 20):
            self._link.send({"op": "send", "s": stream, "d": base64.b64encode(data[at : at + (1 << 20)]).decode()})

    def close(self, stream: int) -> None:
        """Forget `stream`."""
        with self._arrived:
            known = self._bytes.pop(stream, None) is not None
            ended = self._states.pop(stream, None) == "eof"
        if known and not ended:
            self._link.send({"op": "close", "s": stream})

    def _wait(self, ready: Any, seconds: float) -> bool:
        """Wait for `ready()`; the lock is held. Raises LimitHit when the box is gone."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._gone:
                raise LimitHit(self._gone, "the box has ended")
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._arrived.wait(left)
        return True

    def _listen(self) -> None:
        while True:
            try:
                message = self._link.receive(3600)
                with self._arrived:
                    self._take(message)
                    self._arrived.notify_all()
            except (Fault, KeyError, TypeError, ValueError):
                with self._arrived:
                    self._gone = self._gone or "crash"
                    self._suite.end("too_much_output" if self._gone == "output" else "crashed")
                    self._arrived.notify_all()
                return

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
        elif event in {"opened", "refused", "eof"}:
            self._states[stream] = event
        else:
            raise ValueError(event)


class TunnelStream(httpcore.NetworkStream):
    """One stream, with what is left of its request's total deadline."""

    def __init__(self, shim: Shim, stream: int) -> None:
        self._shim, self._stream = shim, stream
        self.deadline = time.monotonic() + 10
        self.budget = 0  # bytes that may still come in for this request

    def left(self) -> float:
        """Return the seconds until the deadline. Raises httpcore.ReadTimeout when it has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer took too long")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes; counts them against the budget."""
        data = self._shim.read(self._stream, max_bytes, self.left())
        self.budget -= len(data)
        if self.budget < 0:
            raise httpcore.RemoteProtocolError("the answer is too long")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send `buffer`."""
        self._shim.write(self._stream, buffer)

    def close(self) -> None:
        """Close the stream."""
        self._shim.close(self._stream)

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
        deadline = time.monotonic() + self._seconds
        stream = TunnelStream(self._shim, self._shim.open(self._server, self._seconds))
        stream.deadline, stream.budget = deadline, self._budget
        return stream
