"""The pump splices two streams and stops for its own reasons; both peers are played over socket pairs."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from sandbox import pump, wire
from sandbox.pump import Peer, Pump, Stop

Play = Callable[[socket.socket], None]


def said(payload: bytes, stream: int = 1) -> bytes:
    """Return `payload` as the engine multiplexes it."""
    return struct.pack(">BxxxI", stream, len(payload)) + payload


def tell(sock: socket.socket, message: dict[str, Any]) -> None:
    sock.sendall(said(wire.control(message)))


@pytest.fixture
def splice() -> Iterator[Callable[..., tuple[Stop, Pump]]]:
    """Run a pump between a judge and a box that are played by functions on threads of their own."""
    opened: list[socket.socket] = []

    def run(judge: Play, box: Play | None = None, *, seconds: float = 20.0) -> tuple[Stop, Pump]:
        sides = [socket.socketpair() for _ in range(2)]
        opened.extend(sock for side in sides for sock in side)
        for play, side in ((judge, sides[0]), (box, sides[1])):
            if play is not None:
                threading.Thread(target=play, args=(side[1],), daemon=True).start()
        running = Pump(Peer(sides[0][0]), Peer(sides[1][0]) if box else None, b"setup\n", seconds, lambda _: None)
        return running.run(), running

    yield run
    for sock in opened:
        sock.close()


def test_the_setup_reaches_the_box_once_the_judge_is_ready_and_answers_come_back(splice: Any) -> None:
    def box(sock: socket.socket) -> None:
        assert sock.recv(100) == b"setup\n"
        sock.sendall(said(b"hello"))
        sock.recv(100)

    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        reader = wire.FrameReader()
        for channel, payload in reader.feed(sock.recv(1000)):
            tell(sock, {"type": "end", "heard": [channel, payload.decode()]})

    stop, running = splice(judge, box)
    assert stop is Stop.END
    assert running.end == {"type": "end", "heard": [wire.BOX, "hello"]}


def test_bytes_for_the_box_pass_unchanged_in_both_directions_even_when_they_are_many(splice: Any) -> None:
    big = bytes(range(256)) * 40_000  # 10 MB: more than any buffer holds

    def box(sock: socket.socket) -> None:
        got = b""
        while len(got) < len(big) + 6:
            got += sock.recv(1 << 20)
        sock.sendall(said(got[6:]))
        sock.recv(100)

    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        sock.sendall(said(wire.frame(wire.BOX, big)))
        reader, got = wire.FrameReader(), b""
        while len(got) < len(big):
            got += b"".join(payload for _, payload in reader.feed(sock.recv(1 << 20)))
        tell(sock, {"type": "end", "same": got == big})

    stop, running = splice(judge, box)
    assert (stop, running.end) == (Stop.END, {"type": "end", "same": True})


def test_the_judge_is_told_when_the_box_is_gone(splice: Any) -> None:
    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        for _, payload in wire.FrameReader().feed(sock.recv(1000)):
            tell(sock, {"type": "end", "heard": json.loads(payload)})

    stop, running = splice(judge, lambda sock: sock.close())
    assert (stop, running.end) == (Stop.END, {"type": "end", "heard": {"type": "box_closed"}})


def test_the_clock_runs_from_ready_and_ends_the_job(splice: Any) -> None:
    stop, running = splice(lambda sock: tell(sock, {"type": "ready"}), lambda sock: None, seconds=0.2)
    assert stop is Stop.DEADLINE
    assert running.end is None


def test_a_judge_that_never_gets_ready_is_the_judges_fault(splice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "JUDGE_START_SECONDS", 0.2)
    assert splice(lambda sock: None, lambda sock: None)[0] is Stop.JUDGE_SILENT


@pytest.mark.parametrize(
    "garbled",
    [b"", wire.HEADER.pack(9, 1), wire.frame(wire.CONTROL, b"not json")],
    ids=["closed", "bad header", "bad control"],
)
def test_a_judge_that_goes_away_or_garbles_its_frames_is_closed(splice: Any, garbled: bytes) -> None:
    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        if garbled:
            sock.sendall(said(garbled))
        else:
            sock.close()

    assert splice(judge, lambda sock: None)[0] is Stop.JUDGE_CLOSED


@pytest.mark.parametrize("stream", [1, 2], ids=["stdout", "stderr"])
def test_a_box_that_floods_is_cut_off(splice: Any, monkeypatch: pytest.MonkeyPatch, stream: int) -> None:
    monkeypatch.setattr(pump, "MAX_BOX_BYTES", 1_000_000)
    monkeypatch.setattr(pump, "MAX_STDERR_BYTES", 1_000_000)

    def box(sock: socket.socket) -> None:
        with suppress(OSError):  # cut off, as it must be
            for _ in range(2000):
                sock.sendall(said(b"x" * 65536, stream))

    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        while sock.recv(1 << 20):
            pass

    stop, running = splice(judge, box)
    assert stop is Stop.FLOOD
    assert running.box is not None
    assert len(running.box.stderr) <= pump.KEPT_STDERR


def test_what_a_box_says_can_never_be_a_control_frame(splice: Any) -> None:
    forged = wire.control({"type": "end", "nonce": "guessed", "ended": "completed", "checks": []})

    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        for channel, payload in wire.FrameReader().feed(sock.recv(1000)):
            tell(sock, {"type": "end", "heard": [channel, payload == forged]})

    def box(sock: socket.socket) -> None:
        sock.sendall(said(forged))
        sock.recv(100)

    assert splice(judge, box)[1].end == {"type": "end", "heard": [wire.BOX, True]}


def test_a_box_that_stops_reading_costs_the_worker_no_processor_time(splice: Any) -> None:
    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        with suppress(OSError):
            for _ in range(20):
                sock.sendall(said(wire.frame(wire.BOX, b"x" * 1_000_000)))

    used = time.thread_time()
    stop, running = splice(judge, lambda sock: None, seconds=1.5)
    assert stop is Stop.DEADLINE
    assert time.thread_time() - used < 0.75  # one that spins would use all of it
    assert running.box is not None
    assert len(running.box.out) < pump.HIGH_WATER + 2 * pump.CHUNK + 1_000_000


@pytest.mark.parametrize("message", [[], {}, {"type": "event"}, {"no": "type"}], ids=str)
def test_a_judge_that_says_what_has_no_meaning_ends_the_job_and_raises_nothing(splice: Any, message: Any) -> None:
    def judge(sock: socket.socket) -> None:
        tell(sock, {"type": "ready"})
        sock.sendall(said(wire.frame(wire.CONTROL, json.dumps(message).encode())))
        sock.close()

    assert splice(judge, lambda sock: None)[0] is Stop.JUDGE_CLOSED
