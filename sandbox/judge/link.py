"""The judge's two lines: control to and from the worker, and the byte stream of the box."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from typing import Any

from sandbox import wire
from sandbox.errors import WireError
from sandbox.judge.faults import LimitHit

MAX_UNREAD_BYTES = 32 * 1024 * 1024  # of the box, that nobody has asked for yet
MAX_UNREAD_LINES = 100_000


class Link:
    """Frames on two descriptors; a thread reads, everybody may write."""

    def __init__(self, fd_in: int, fd_out: int) -> None:
        self._fd_in, self._fd_out = fd_in, fd_out
        self._write_lock = threading.Lock()
        self._arrived = threading.Condition()
        self._lines: deque[bytes] = deque()  # parsed when asked for: as objects they are far larger
        self._unread = 0
        self._controls: deque[dict[str, Any]] = deque()
        self._partial = bytearray()
        self.box_open = True
        self.garbled = ""  # why the box's stream is not believed any more
        threading.Thread(target=self._read_forever, daemon=True, name="link").start()

    def tell(self, message: dict[str, Any]) -> None:
        """Send one control message to the worker."""
        self._write(wire.control(message))

    def send(self, message: dict[str, Any]) -> None:
        """Send one line to the box."""
        self._write(wire.frame(wire.BOX, wire.line(message)))

    def control(self) -> dict[str, Any]:
        """Return the next control message; blocks."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._controls)
            return self._controls.popleft()

    def receive(self, seconds: float) -> dict[str, Any]:
        """Return the next line of the box. Raises LimitHit "time" after `seconds`, "crash" when the box is gone."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while not self._lines:
                if self.garbled:
                    raise LimitHit("crash", f"the program disturbed its channel: {self.garbled}")
                if not self.box_open:
                    raise LimitHit("crash", "the program ended")
                if not self._arrived.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise LimitHit("time", f"no answer within {seconds:g} s")
            raw = self._lines.popleft()
            self._unread -= len(raw)
        try:
            return wire.parse_line(raw)
        except WireError as error:
            with self._arrived:
                self._distrust(str(error))
            raise LimitHit("crash", f"the program disturbed its channel: {error}") from None

    def unsolicited(self) -> bool:
        """Return whether the box said something that nobody asked for."""
        with self._arrived:
            return bool(self._lines)

    def _write(self, data: bytes) -> None:
        with self._write_lock:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd_out, view) :]

    def _read_forever(self) -> None:
        reader = wire.FrameReader()
        while data := os.read(self._fd_in, 1 << 18):
            for channel, payload in reader.feed(data):
                with self._arrived:
                    self._take(channel, payload)
                    self._arrived.notify_all()
        os._exit(0)  # the worker is gone: nobody waits for a verdict

    def _take(self, channel: int, payload: bytes) -> None:
        if channel == wire.CONTROL:
            message = json.loads(payload)
            if message["type"] == "box_closed":
                self.box_open = False
            else:
                self._controls.append(message)
            return
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
        """Take nothing from the box any more; the lock is held."""
        self.garbled = why
        self._lines.clear()
        self._partial.clear()
