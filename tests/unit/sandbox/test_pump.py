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
GREETING = b"setup\n"  # what waits for the box before the pump runs


def said(payload: bytes, stream: int = 1) -> bytes:
    """Return `payload` as the engine multiplexes it."""
    return struct.pack(">BxxxI", stream, len(payload)) + payload


def tell(sock: socket.socket, *messages: Any) -> None:
    sock.sendall(said(b"".join(map(wire.control, messages))))


def silent(sock: socket.socket) -> None:
    """A peer that says nothing and stays."""


class Splice:
    """Runs a pump between a judge and a box that are played by functions on threads of their own."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []  # by on_control
        self._opened: list[socket.socket] = []

    def __call__(
        self, judge: Play, box: Play | None = None, *, seconds: float = 20.0, framed: bool = True, first: bytes = b""
    ) -> tuple[Stop, Pump]:
        """Return how the pump stopped; `first` waits for the judge, GREETING for the box."""
        ours = []
        for play in (judge, box):
            near, far = socket.socketpair()
            self._opened += [near, far]
            ours.append(near)
            if play is not None:
                threading.Thread(target=play, args=(far,), daemon=True).start()
        spliced = Peer(ours[1], framed=framed, out=bytearray(GREETING)) if box is not None else None
        running = Pump(Peer(ours[0], out=bytearray(first)), wire.FrameReader(), spliced, seconds, self.heard.append)
        return running.run(), running

    def close(self) -> None:
        """Close what is open."""
        for sock in self._opened:
            sock.close()


@pytest.fixture
def splice() -> Iterator[Splice]:
    """A pump and its peers."""
    splice = Splice()
    yield splice
    splice.close()


def test_what_waits_for_each_peer_goes_first_and_answers_come_back(splice: Splice) -> None:
    def box(sock: socket.socket) -> None:
        assert sock.recv(100) == GREETING
        sock.sendall(said(b"hello"))
        sock.recv(100)

    def judge(sock: socket.socket) -> None:
        reader, heard = wire.FrameReader(), []
        while len(heard) < 2:
            heard += [[channel, payload.decode()] for channel, payload in reader.feed(sock.recv(1000))]
        tell(sock, {"type": "end", "heard": heard})

    stop, running = splice(judge, box, first=wire.control({"type": "job"}))
    assert stop is Stop.END
    assert running.end == {"type": "end", "heard": [[wire.CONTROL, '{"type":"job"}'], [wire.BOX, "hello"]]}


@pytest.mark.parametrize("framed", [True, False], ids=["attach stream", "socket of its own"])
def test_bytes_for_the_box_pass_unchanged_in_both_directions_even_when_they_are_many(
    splice: Splice, framed: bool
) -> None:
    big = bytes(range(256)) * 40_000  # 10 MB: more than any buffer holds

    def box(sock: socket.socket) -> None:
        got = b""
        while len(got) < len(big) + len(GREETING):
            got += sock.recv(1 << 20)
        sock.sendall(said(got[len(GREETING) :]) if framed else got[len(GREETING) :])
        sock.recv(100)

    def judge(sock: socket.socket) -> None:
        sock.sendall(said(wire.frame(wire.BOX, big)))
        reader, got = wire.FrameReader(), b""
        while len(got) < len(big):
            got += b"".join(payload for _, payload in reader.feed(sock.recv(1 << 20)))
        tell(sock, {"type": "end", "same": got == big})

    stop, running = splice(judge, box, framed=framed)
    assert (stop, running.end) == (Stop.END, {"type": "end", "same": True})
    assert running.box is not None
    assert running.box.received == len(big)


def test_a_box_on_a_socket_of_its_own_has_no_headers_and_what_looks_like_one_is_data(splice: Splice) -> None:
    looks_framed = said(b"x", stream=2)

    def judge(sock: socket.socket) -> None:
        for _, payload in wire.FrameReader().feed(sock.recv(1000)):
            tell(sock, {"type": "end", "same": payload == looks_framed})

    def box(sock: socket.socket) -> None:
        sock.sendall(looks_framed)
        sock.recv(100)

    stop, running = splice(judge, box, framed=False)
    assert (stop, running.end) == (Stop.END, {"type": "end", "same": True})
    assert running.box is not None
    assert running.box.stderr == b""


def test_a_job_without_a_box_is_between_worker_and_judge_alone(splice: Splice) -> None:
    def judge(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(said(wire.frame(wire.BOX, b"to nobody")))
        tell(sock, {"type": "end"})

    assert splice(judge, first=wire.control({"type": "job"}))[0] is Stop.END


@pytest.mark.parametrize("framed", [True, False], ids=["attach stream", "socket of its own"])
def test_the_judge_is_told_when_the_box_is_gone(splice: Splice, framed: bool) -> None:
    def judge(sock: socket.socket) -> None:
        for _, payload in wire.FrameReader().feed(sock.recv(1000)):
            tell(sock, {"type": "end", "heard": json.loads(payload)})

    stop, running = splice(judge, lambda sock: sock.close(), framed=framed)
    assert (stop, running.end) == (Stop.END, {"type": "end", "heard": {"type": "box_closed"}})


def test_the_clock_starts_with_the_pump_and_ends_the_job(splice: Splice) -> None:
    stop, running = splice(silent, silent, seconds=0.2)
    assert stop is Stop.DEADLINE
    assert running.end is None


def test_a_judge_that_talks_all_the_time_does_not_stop_the_clock(splice: Splice) -> None:
    def judge(sock: socket.socket) -> None:
        with suppress(OSError):
            while True:
                tell(sock, {"type": "event", "name": "x"})

    assert splice(judge, silent, seconds=0.2)[0] is Stop.DEADLINE


def test_every_control_message_is_heard_in_its_order_but_the_end(splice: Splice) -> None:
    told = [{"type": "event", "name": "first"}, {"type": "idle"}, {"type": "event", "name": "second"}]
    stop, running = splice(lambda sock: tell(sock, *told, {"type": "end", "ended": "completed"}))
    assert stop is Stop.END
    assert running.end == {"type": "end", "ended": "completed"}
    assert splice.heard == told


def test_a_judge_whose_child_is_over_without_an_end_has_closed(splice: Splice) -> None:
    stop, running = splice(lambda sock: tell(sock, {"type": "over"}), silent)
    assert (stop, running.end) == (Stop.JUDGE_CLOSED, None)
    assert splice.heard == [{"type": "over"}]


def test_an_end_counts_also_when_the_child_is_over_by_then(splice: Splice) -> None:
    stop, running = splice(lambda sock: tell(sock, {"type": "end"}, {"type": "over"}), silent)
    assert (stop, running.end) == (Stop.END, {"type": "end"})
    assert splice.heard == [{"type": "over"}]  # whoever waits for it after the job must know that it came


def test_half_a_frame_from_before_the_job_is_not_lost(splice: Splice) -> None:
    near, far = socket.socketpair()
    frames, end = wire.FrameReader(), wire.control({"type": "end"})
    assert list(frames.feed(end[:7])) == []
    with near, far:
        far.sendall(said(end[7:]))
        running = Pump(Peer(near), frames, None, 20.0, splice.heard.append)
        assert running.run() is Stop.END


@pytest.mark.parametrize(
    "garbled",
    [b"", wire.HEADER.pack(9, 1), wire.frame(wire.CONTROL, b"not json"), wire.HEADER.pack(0, wire.MAX_FRAME + 1)],
    ids=["closed", "bad header", "bad control", "a frame without end"],
)
def test_a_judge_that_goes_away_or_garbles_its_frames_is_closed(splice: Splice, garbled: bytes) -> None:
    def judge(sock: socket.socket) -> None:
        if garbled:
            sock.sendall(said(garbled))
        else:
            sock.close()

    assert splice(judge, silent)[0] is Stop.JUDGE_CLOSED


@pytest.mark.parametrize(
    ("framed", "stream"), [(True, 1), (True, 2), (False, 0)], ids=["stdout", "stderr", "socket of its own"]
)
def test_a_box_that_floods_is_cut_off(
    splice: Splice, monkeypatch: pytest.MonkeyPatch, framed: bool, stream: int
) -> None:
    monkeypatch.setattr(wire, "MAX_BOX_BYTES", 1_000_000)
    monkeypatch.setattr(pump, "MAX_STDERR_BYTES", 1_000_000)

    def box(sock: socket.socket) -> None:
        with suppress(OSError):  # cut off, as it must be
            for _ in range(2000):
                sock.sendall(said(b"x" * 65536, stream) if framed else b"x" * 65536)

    def judge(sock: socket.socket) -> None:
        with suppress(OSError):
            while sock.recv(1 << 20):
                pass

    stop, running = splice(judge, box, framed=framed)
    assert stop is Stop.FLOOD
    assert running.box is not None
    assert len(running.box.stderr) <= pump.KEPT_STDERR


@pytest.mark.parametrize("framed", [True, False], ids=["attach stream", "socket of its own"])
def test_what_a_box_says_can_never_be_a_control_frame(splice: Splice, framed: bool) -> None:
    forged = wire.control({"type": "end", "nonce": "guessed", "ended": "completed", "checks": []})

    def judge(sock: socket.socket) -> None:
        for channel, payload in wire.FrameReader().feed(sock.recv(1000)):
            tell(sock, {"type": "end", "heard": [channel, payload == forged]})

    def box(sock: socket.socket) -> None:
        sock.sendall(said(forged) if framed else forged)
        sock.recv(100)

    assert splice(judge, box, framed=framed)[1].end == {"type": "end", "heard": [wire.BOX, True]}


def test_a_box_that_stops_reading_costs_the_worker_no_processor_time(splice: Splice) -> None:
    def judge(sock: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(20):
                sock.sendall(said(wire.frame(wire.BOX, b"x" * 1_000_000)))

    used = time.thread_time()
    stop, running = splice(judge, silent, seconds=1.5)
    assert stop is Stop.DEADLINE
    assert time.thread_time() - used < 0.75  # one that spins would use all of it
    assert running.box is not None
    assert len(running.box.out) < pump.HIGH_WATER + 2 * pump.CHUNK + 1_000_000


@pytest.mark.parametrize("message", [[], {}, {"no": "type"}], ids=str)
def test_a_judge_that_says_what_has_no_meaning_ends_the_job_and_raises_nothing(splice: Splice, message: Any) -> None:
    assert splice(lambda sock: tell(sock, message))[0] is Stop.JUDGE_CLOSED


def test_a_message_that_its_listener_cannot_take_ends_the_job_and_raises_nothing() -> None:
    near, far = socket.socketpair()

    def listen(message: dict[str, Any]) -> None:
        message["name"]

    with near, far:
        tell(far, {"type": "event"})
        assert Pump(Peer(near), wire.FrameReader(), None, 20.0, listen).run() is Stop.JUDGE_CLOSED
