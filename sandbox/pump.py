"""Splices the attach streams of judge and box, counting bytes, until the judge ends or a limit bites.

Both streams are always drained: an attach stream left unread blocks kill, wait, inspect and remove.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox import wire
from sandbox.errors import WireError

CHUNK = 256 * 1024
HIGH_WATER = 4 * 1024 * 1024  # stop reading one side while the other has this much to take
MAX_STDERR_BYTES = 4 * 1024 * 1024
KEPT_STDERR = 16 * 1024


class Stop(StrEnum):
    """Why the pump stopped."""

    END = "end"  # the judge sent its last frame
    DEADLINE = "deadline"
    FLOOD = "flood"
    JUDGE_CLOSED = "judge_closed"  # without a last frame


@dataclass(slots=True)
class Peer:
    """One stream: of an attach stream docker's 8-byte headers come off, and stderr is kept aside."""

    sock: socket.socket
    framed: bool = True  # False: a socket of the box's own
    out: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    stderr_bytes: int = 0
    received: int = 0
    open: bool = True
    _raw: bytearray = field(default_factory=bytearray)

    def read(self) -> bytes:
        """Return the stdout bytes that have arrived; clears `open` at the end of the stream."""
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.open = False
            return b""
        if not self.framed:
            self.received += len(data)
            return data
        self._raw += data
        return self._demultiplex()

    def _demultiplex(self) -> bytes:
        stdout = bytearray()
        while len(self._raw) >= 8:
            stream, length = struct.unpack_from(">BxxxI", self._raw)
            if len(self._raw) < 8 + length:
                break
            payload = self._raw[8 : 8 + length]
            if stream == 2:
                self.stderr_bytes += length
                self.stderr += payload[: max(0, KEPT_STDERR - len(self.stderr))]
            else:
                stdout += payload
            del self._raw[: 8 + length]
        self.received += len(stdout)
        return bytes(stdout)

    def flush(self) -> None:
        """Send what the socket takes now."""
        if not self.out or not self.open:
            return
        try:
            sent = self.sock.send(memoryview(self.out)[:CHUNK])
        except BlockingIOError:
            return
        except OSError:
            self.open = False
            return
        del self.out[:sent]


@dataclass(slots=True)
class Pump:
    """Runs one job's traffic; what is in the peers' `out` goes first."""

    judge: Peer
    frames: wire.FrameReader  # of the judge
    box: Peer | None
    wall_seconds: float
    on_control: Callable[[dict[str, Any]], None]
    end: dict[str, Any] | None = None
    over: bool = False  # the judge's child has ended
    box_closed_told: bool = False

    def run(self) -> Stop:
        """Splice until the judge's end frame, a deadline or a flood; return which."""
        deadline = time.monotonic() + self.wall_seconds
        with selectors.DefaultSelector() as selector:
            for peer in (self.judge, self.box):
                if peer is not None:
                    peer.sock.setblocking(False)
                    peer.flush()
                    selector.register(peer.sock, selectors.EVENT_READ, peer)
            self._rearm(selector)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return Stop.DEADLINE
                for key, events in selector.select(min(left, 1.0)):
                    self._serve(key.data, events)
                if self.end is not None:
                    return Stop.END
                if not self.judge.open or self.over:
                    return Stop.JUDGE_CLOSED
                if self._flooded():
                    return Stop.FLOOD
                self._rearm(selector)

    def _serve(self, peer: Peer, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            peer.flush()
        if not events & selectors.EVENT_READ:
            return
        data = peer.read()
        if peer is self.judge:
            try:
                for channel, payload in self.frames.feed(data):
                    self._from_judge(channel, payload)
            except (WireError, ValueError, KeyError, TypeError, RecursionError):
                self.judge.open = False  # a judge that garbles its frames is a broken judge
            if self.box is not None:
                self.box.flush()
        elif data:
            self.judge.out += wire.frame(wire.BOX, data)
            self.judge.flush()

    def _from_judge(self, channel: int, payload: bytes) -> None:
        if channel == wire.BOX:
            if self.box is not None and self.box.open:
                self.box.out += payload
            return
        message = json.loads(payload)
        if message["type"] == "end":
            self.end = message
        else:
            self.over = self.over or message["type"] == "over"
            self.on_control(message)

    def _flooded(self) -> bool:
        if self.box is None:
            return False
        return self.box.received > wire.MAX_BOX_BYTES or self.box.stderr_bytes > MAX_STDERR_BYTES

    def _rearm(self, selector: selectors.BaseSelector) -> None:
        """Ask for writability only where something waits, and for reading only where the other side keeps up."""
        if self.box is not None and not self.box.open and not self.box_closed_told:
            _watch(selector, self.box, 0)
            self.judge.out += wire.control({"type": "box_closed"})
            self.box_closed_told = True
        for peer, other in ((self.judge, self.box), (self.box, self.judge)):
            if peer is None or not peer.open:
                continue
            backlog = len(other.out) if other is not None and other.open else 0
            events = selectors.EVENT_READ if backlog < HIGH_WATER else 0
            if peer.out:
                events |= selectors.EVENT_WRITE
            _watch(selector, peer, events)


def _watch(selector: selectors.BaseSelector, peer: Peer, events: int) -> None:
    """Wait for `events` of `peer` from now on. For none it is left out: asking for what is there already would spin."""
    known = peer.sock in selector.get_map()
    if known and not events:
        selector.unregister(peer.sock)
    elif known:
        selector.modify(peer.sock, events, peer)
    elif events:
        selector.register(peer.sock, events, peer)
