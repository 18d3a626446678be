"""The judge's two lines: control to and from the worker, and the byte stream of the box."""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from sandbox import wire
from sandbox.errors import WireError
from sandbox.judge.faults import LimitHit

MAX_UNREAD_BYTES = 32 * 1024 * 1024  # of the box, that nobody has asked for yet
MAX_UNREAD_LINES = 100_000
CHUNK = 1 << 18
PIECE = select.PIPE_BUF  # what a pipe that is writable takes without blocking


class Link:
    """Frames on two descriptors. One thread reads, when it waits for something; everybody may write.

    The bytes of the box travel in frames too, unless its own line was handed over (`take_line`).
    """

    def __init__(self, fd_in: int, fd_out: int) -> None:
        self._fd_in, self._fd_out = fd_in, fd_out
        self._write_lock = threading.Lock()
        self._frames = wire.FrameReader()
        self._lines: deque[bytes] = deque()  # parsed when asked for: as objects they are far larger
        self._unread = 0
        self._controls: deque[dict[str, Any]] = deque()
        self._partial = bytearray()
        self._unsent = bytearray()  # queued by `pass_on`
        self._line: int | None = None
        self._received = 0  # bytes of the box in all
        self.box_open = True
        self.flooded = False
        self.garbled = ""  # why the box's stream is not believed any more

    def tell(self, message: dict[str, Any]) -> None:
        """Send one control message to the worker."""
        data = wire.control(message)
        if self._unsent and self._line is None:
            self._unsent += data  # not into the middle of a frame
        else:
            self._write(data, self._fd_out)

    def take_line(self, line: int) -> None:
        """Speak with the box over descriptor `line` from now on."""
        self._line = line

    def send(self, *messages: dict[str, Any]) -> None:
        """Send lines to the box, together."""
        data = b"".join(map(wire.line, messages))
        if self._line is None:
            self._write(wire.frame(wire.BOX, data), self._fd_out)
            return
        try:
            self._write(data, self._line)
        except OSError:
            self.box_open = False

    def pass_on(self, lines: bytes) -> None:
        """Queue whole lines for the box, to be sent by `push`: whoever also reads for others must not block here."""
        self._unsent += lines if self._line is not None else wire.frame(wire.BOX, lines)

    def sinks(self) -> list[int]:
        """Return the descriptor that `push` would write to, if anything is queued."""
        return [self._fd_out if self._line is None else self._line] if self._unsent else []

    def push(self) -> None:
        """Send of what is queued as much as is taken without waiting."""
        with suppress(OSError):  # a box that is gone is noticed by whoever reads
            if self._line is None:
                while self._unsent and select.select([], [self._fd_out], [], 0)[1]:
                    del self._unsent[: os.write(self._fd_out, self._unsent[:PIECE])]
                return
            with socket.fromfd(self._line, socket.AF_UNIX, socket.SOCK_STREAM) as line:
                while self._unsent:
                    del self._unsent[: line.send(self._unsent, socket.MSG_DONTWAIT)]

    def end_queue(self) -> None:
        """Queue no more: what the box was still to get is dropped, but a frame on its way is sent whole."""
        rest = bytes(self._unsent)
        self._unsent.clear()
        if self._line is None:
            self._write(rest, self._fd_out)

    def control(self) -> dict[str, Any]:
        """Return the next control message; blocks."""
        while not self._controls:
            self._read()
        return self._controls.popleft()

    def receive(self, seconds: float) -> dict[str, Any]:
        """Return the next line of the box. Raises LimitHit "time" after `seconds`, "crash" when the box is gone."""
        deadline = time.monotonic() + seconds
        while not self._lines:
            self.refuse_when_gone()
            if not self._readable(max(0.0, deadline - time.monotonic())):
                raise LimitHit("time", f"no answer within {seconds:g} s")
            self._read()
        raw = self._lines.popleft()
        self._unread -= len(raw)
        try:
            return wire.parse_line(raw)
        except WireError as error:
            self._distrust(str(error))
            raise LimitHit("crash", f"the program disturbed its channel: {error}") from None

    def unsolicited(self) -> bool:
        """Return whether the box said something that nobody asked for."""
        while not self._lines and not self.garbled and self._readable(0):
            self._read()
        return bool(self._lines)

    def refuse_when_gone(self) -> None:
        """Raise LimitHit when the box can say nothing more."""
        if self.flooded:
            raise LimitHit("output", "the program wrote without end")
        if self.garbled:
            raise LimitHit("crash", f"the program disturbed its channel: {self.garbled}")
        if not self.box_open:
            raise LimitHit("crash", "the program ended")

    def sources(self) -> list[int]:
        """Return the descriptors that something may come from."""
        return [self._fd_in] if self._line is None or not self.box_open else [self._fd_in, self._line]

    def _readable(self, seconds: float) -> bool:
        return bool(select.select(self.sources(), [], [], seconds)[0])

    def _write(self, data: bytes, to: int) -> None:
        with self._write_lock:
            view = memoryview(data)
            while view:
                view = view[os.write(to, view) :]

    def _read(self) -> None:
        """Read what has come, from the box or, if nothing has, from the worker; blocks only for the latter."""
        if self._line is not None and self.box_open and select.select([self._line], [], [], 0)[0]:
            try:
                data = os.read(self._line, CHUNK)
            except OSError:
                data = b""
            if data:
                self._take_bytes(data)
            else:
                self.box_open = False
            return
        data = os.read(self._fd_in, CHUNK)
        if not data:
            os._exit(0)  # the worker is gone: nobody waits for a verdict
        for channel, payload in self._frames.feed(data):
            self._take(channel, payload)

    def _take(self, channel: int, payload: bytes) -> None:
        if channel == wire.CONTROL:
            message = json.loads(payload)
            if message["type"] == "box_closed":
                self.box_open = False
            else:
                self._controls.append(message)
        else:
            self._take_bytes(payload)

    def _take_bytes(self, payload: bytes) -> None:
        self._received += len(payload)
        if self._received > wire.MAX_BOX_BYTES:
            self.flooded = True
            self._distrust("more bytes than anyone reads")
        if self.garbled:
            return
        self._partial += payload
        if b"\n" in payload:
            *lines, rest = bytes(self._partial).split(b"\n")
            self._partial = bytearray(rest)
            self._lines.extend(lines)
            self._unread += sum(map(len, lines))
        if len(self._partial) > wire.MAX_LINE:
            self._distrust("line too long")
        elif self._unread > MAX_UNREAD_BYTES or len(self._lines) > MAX_UNREAD_LINES:
            self._distrust("more lines than anyone asked for")

    def _distrust(self, why: str) -> None:
        """Take nothing from the box any more."""
        self.garbled = why
        self._lines.clear()
        self._partial.clear()
