"""The judge's lines: control from the worker, and whatever a box says, by frames or over a line of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sandbox import wire
from sandbox.judge import link as link_module
from sandbox.judge.faults import LimitHit
from sandbox.judge.link import Link

PATIENCE = 20.0  # a hang guard, not a speed claim


class Ends:
    """A link, and the ends that worker and box hold. `direct`: the box has a line of its own."""

    def __init__(self, *, direct: bool) -> None:
        self._link_in, self._worker_out = os.pipe()
        worker_in, self._link_out = os.pipe()
        self.heard = os.fdopen(worker_in, "rb")
        self._threads: list[threading.Thread] = []
        self._judges_line, self.box = socket.socketpair()
        self.box.settimeout(PATIENCE)
        self.direct = direct
        self.link = Link(self._link_in, self._link_out)
        if direct:
            self.link.take_line(self._judges_line.fileno())

    def control(self, message: Any) -> None:
        """The worker says something."""
        os.write(self._worker_out, wire.control(message))

    def box_says(self, data: bytes) -> None:
        """The box sends bytes, in a frame or as they are."""
        if self.direct:
            self.box.sendall(data)
        else:
            data = wire.frame(wire.BOX, data)
            while data:
                data = data[os.write(self._worker_out, data) :]

    def box_goes(self) -> None:
        """The box ends."""
        if self.direct:
            self.box.close()
        else:
            self.control({"type": "box_closed"})

    def told_worker(self) -> tuple[int, bytes]:
        """Return the next frame that the worker gets."""
        channel, length = wire.HEADER.unpack(self.heard.read(wire.HEADER.size))
        return channel, self.heard.read(length)

    def beside(self, call: Callable[[], Any]) -> threading.Thread:
        """Do `call` on a thread of its own."""
        self._threads.append(threading.Thread(target=call, daemon=True))
        self._threads[-1].start()
        return self._threads[-1]

    def close(self) -> None:
        """Close everything: first what is read from, so that no thread writes on, to a later test's descriptors."""
        os.close(self._link_in)
        self._judges_line.close()
        self.heard.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        self.box.close()
        os.close(self._link_out)
        os.close(self._worker_out)


@pytest.fixture(params=[False, True], ids=["frames", "own line"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """A link of either sort."""
    ends = Ends(direct=request.param)
    yield ends
    ends.close()


@pytest.fixture
def framed() -> Iterator[Ends]:
    """A link whose box travels in frames."""
    ends = Ends(direct=False)
    yield ends
    ends.close()


@pytest.fixture
def direct() -> Iterator[Ends]:
    """A link whose box has a line of its own."""
    ends = Ends(direct=True)
    yield ends
    ends.close()


# Control


def test_what_is_told_reaches_the_worker_as_one_control_frame(ends: Ends) -> None:
    ends.link.tell({"type": "idle"})
    assert ends.told_worker() == (wire.CONTROL, b'{"type":"idle"}')


def test_control_messages_come_in_their_order_and_are_waited_for(ends: Ends) -> None:
    ends.beside(lambda: (time.sleep(0.02), ends.control({"type": "first"}), ends.control({"type": "second"})))
    assert [ends.link.control()["type"] for _ in range(2)] == ["first", "second"]


def test_control_is_waited_for_while_the_box_talks_and_its_lines_are_kept(ends: Ends) -> None:
    ends.box_says(b'{"n":1}\n')
    ends.control({"type": "job"})
    assert ends.link.control() == {"type": "job"}
    assert ends.link.receive(PATIENCE) == {"n": 1}


def test_a_control_frame_in_pieces_is_one_message(framed: Ends) -> None:
    data = wire.control({"type": "job", "text": "x" * 1000})

    def drip() -> None:
        for at in range(0, len(data), 100):
            os.write(framed._worker_out, data[at : at + 100])
            time.sleep(0.001)

    framed.beside(drip)
    assert framed.link.control()["text"] == "x" * 1000


WORKER_GONE = """
import os
from sandbox.judge.link import Link
ours, theirs = os.pipe()
os.close(theirs)
link = Link(ours, 1)
try:
    link.{call}
finally:
    print("still there")
"""


@pytest.mark.parametrize("call", ["control()", "receive(60)", "unsolicited()"])
def test_when_the_worker_is_gone_the_judge_ends_at_once(call: str) -> None:
    code = WORKER_GONE.format(call=call)
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Lines of the box


def test_lines_are_received_one_by_one_however_they_were_cut(ends: Ends) -> None:
    data = b'{"n":1}\n{"n":2}\n{"n":3}\n'

    def drip() -> None:
        for byte in data:
            ends.box_says(bytes([byte]))

    ends.beside(drip)
    assert [ends.link.receive(PATIENCE)["n"] for _ in range(3)] == [1, 2, 3]


def test_what_is_sent_reaches_the_box_as_lines_together(direct: Ends) -> None:
    direct.link.send({"n": 1}, {"n": 2})
    assert direct.box.recv(100) == b'{"n":1}\n{"n":2}\n'


def test_without_a_line_of_its_own_what_is_sent_goes_through_the_worker(framed: Ends) -> None:
    framed.link.send({"n": 1}, {"n": 2})
    assert framed.told_worker() == (wire.BOX, b'{"n":1}\n{"n":2}\n')


def test_with_a_line_of_its_own_nothing_of_the_box_goes_through_the_worker(direct: Ends) -> None:
    direct.link.send({"secret": 1})
    direct.link.tell({"type": "end"})
    assert direct.told_worker() == (wire.CONTROL, b'{"type":"end"}')


def test_many_bytes_pass_both_ways_over_a_line(direct: Ends) -> None:
    text = "x" * 3_000_000  # more than any buffer holds

    def echo() -> None:
        got = b""
        while not got.endswith(b"\n"):
            got += direct.box.recv(1 << 20)
        direct.box.sendall(got)

    direct.beside(echo)
    direct.link.send({"text": text})
    assert direct.link.receive(PATIENCE) == {"text": text}


def test_several_threads_may_send_and_their_lines_do_not_mix(direct: Ends) -> None:
    senders = [
        direct.beside(lambda n=n: [direct.link.send({"n": n, "pad": "x" * 50_000}) for _ in range(5)]) for n in "abcd"
    ]
    got = bytearray()
    while got.count(b"\n") < 20:
        got += direct.box.recv(1 << 20)
    for sender in senders:
        sender.join(PATIENCE)
    assert sorted(wire.parse_line(raw)["n"] for raw in bytes(got).splitlines()) == sorted("abcd" * 5)


# Time, and the end of the box


def test_a_silent_box_is_out_of_time(ends: Ends) -> None:
    with pytest.raises(LimitHit, match=r"no answer within 0\.02 s") as hit:
        ends.link.receive(0.02)
    assert hit.value.limit == "time"


def test_half_a_line_is_no_answer(ends: Ends) -> None:
    ends.box_says(b'{"n":')
    with pytest.raises(LimitHit) as hit:
        ends.link.receive(0.05)
    assert hit.value.limit == "time"


def test_control_messages_do_not_count_as_an_answer(ends: Ends) -> None:
    ends.control({"type": "noise"})
    with pytest.raises(LimitHit) as hit:
        ends.link.receive(0.05)
    assert hit.value.limit == "time"
    assert ends.link.control() == {"type": "noise"}


def test_a_box_that_is_gone_has_crashed_once_its_last_lines_are_read(ends: Ends) -> None:
    ends.box_says(b'{"last":1}\n')
    ends.box_goes()
    assert ends.link.receive(PATIENCE) == {"last": 1}
    with pytest.raises(LimitHit, match="the program ended") as hit:
        ends.link.receive(PATIENCE)
    assert hit.value.limit == "crash"
    assert not ends.link.box_open


def test_a_reset_line_is_a_box_that_is_gone(direct: Ends) -> None:
    direct.link.send({"unread": 1})  # closing with unread bytes resets the connection
    direct.box_goes()
    with pytest.raises(LimitHit) as hit:
        direct.link.receive(PATIENCE)
    assert hit.value.limit == "crash"


def test_sending_to_a_box_that_is_gone_raises_nothing_and_is_noticed(direct: Ends) -> None:
    direct.box_goes()
    direct.link.send({"n": 1})
    direct.link.send({"n": 2})
    assert not direct.link.box_open
    with pytest.raises(LimitHit) as hit:
        direct.link.receive(PATIENCE)
    assert hit.value.limit == "crash"


def test_after_the_box_is_gone_the_worker_is_still_heard(ends: Ends) -> None:
    ends.box_goes()
    with pytest.raises(LimitHit):
        ends.link.receive(PATIENCE)
    ends.control({"type": "next"})
    assert ends.link.control() == {"type": "next"}
    assert not ends.link.unsolicited()


# What nobody asked for


def test_a_box_that_keeps_still_said_nothing_unasked(ends: Ends) -> None:
    assert not ends.link.unsolicited()
    ends.box_says(b'{"half":')
    assert not ends.link.unsolicited()
    assert not ends.link.unsolicited()


def test_a_line_that_nobody_asked_for_is_noticed_and_kept(ends: Ends) -> None:
    ends.box_says(b'{"n":1}\n')
    assert ends.link.unsolicited()
    assert ends.link.receive(PATIENCE) == {"n": 1}
    assert not ends.link.unsolicited()


def test_a_line_behind_a_control_message_is_noticed_too(ends: Ends) -> None:
    ends.control({"type": "noise"})
    ends.box_says(b'{"n":1}\n')
    assert ends.link.unsolicited()


def test_a_box_that_is_gone_says_nothing_unasked(ends: Ends) -> None:
    ends.box_goes()
    assert not ends.link.unsolicited()


# Lines that are none


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"\xff\xfe\x00", b'{"n":NaN}', b'{"n":1e999}', b'{"n":1,"n":2}', b"[" * 300, b'{"n":1}{'],
    ids=["empty", "array", "null", "bytes", "NaN", "infinity", "duplicate key", "deep", "two in one"],
)
def test_a_line_that_breaks_the_rules_is_a_crash_and_nothing_is_believed_after_it(ends: Ends, raw: bytes) -> None:
    ends.box_says(raw + b"\n" + b'{"n":1}\n')
    for _ in range(2):
        with pytest.raises(LimitHit, match="disturbed its channel") as hit:
            ends.link.receive(PATIENCE)
        assert hit.value.limit == "crash"
    ends.box_says(b'{"n":2}\n')
    with pytest.raises(LimitHit, match="disturbed its channel"):
        ends.link.receive(PATIENCE)


def test_what_a_box_says_can_never_be_a_control_message(direct: Ends) -> None:
    direct.box_says(wire.control({"type": "job"}) + b"\n")
    direct.control({"type": "real"})
    assert direct.link.control() == {"type": "real"}
    with pytest.raises(LimitHit, match="disturbed its channel"):
        direct.link.receive(PATIENCE)


# Floods


def flood(ends: Ends, piece: bytes) -> LimitHit:
    """Return what a reader meets while the box writes without end."""

    def write() -> None:
        with suppress(OSError):
            while True:
                ends.box_says(piece)

    ends.beside(write)
    with pytest.raises(LimitHit) as hit:
        while True:
            ends.link.receive(PATIENCE)
    return hit.value


def test_a_box_that_sends_more_than_all_bytes_allowed_has_flooded(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BOX_BYTES", 200_000)
    hit = flood(ends, b'{"n":"%s"}\n' % (b"x" * 1000))  # each line is read, and none is too long
    assert (hit.limit, str(hit)) == ("output", "the program wrote without end")
    assert ends.link.flooded
    assert ends.link.unsolicited() is False  # nothing is kept of it
    with pytest.raises(LimitHit) as again:
        ends.link.receive(PATIENCE)
    assert again.value.limit == "output"


def test_up_to_the_last_byte_allowed_nothing_is_a_flood(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    line = b'{"n":1}\n'
    monkeypatch.setattr(wire, "MAX_BOX_BYTES", 2 * len(line))
    ends.box_says(2 * line)
    assert [ends.link.receive(PATIENCE)["n"] for _ in range(2)] == [1, 1]
    ends.box_says(b"\n")
    with pytest.raises(LimitHit) as hit:
        ends.link.receive(PATIENCE)
    assert hit.value.limit == "output"


def test_a_line_without_end_is_a_crash(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_LINE", 10_000)
    hit = flood(ends, b"x" * 4096)
    assert (hit.limit, ends.link.flooded) == ("crash", False)
    assert "line too long" in str(hit)


@pytest.mark.parametrize(("limit", "value"), [("MAX_UNREAD_BYTES", 10_000), ("MAX_UNREAD_LINES", 100)])
def test_more_lines_than_anyone_asked_for_are_a_crash_and_take_no_memory(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(link_module, limit, value)
    ends.box_says(b'{"pad":"%s"}\n' % (b"x" * 90) * 400)
    ends.control({"type": "noise"})
    assert ends.link.control() == {"type": "noise"}
    assert not ends.link.unsolicited()
    with pytest.raises(LimitHit, match="more lines than anyone asked for") as hit:
        ends.link.receive(PATIENCE)
    assert hit.value.limit == "crash"


def test_a_box_that_floods_does_not_keep_the_worker_from_being_heard(
    direct: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_BOX_BYTES", 10_000)

    def write() -> None:
        with suppress(OSError):
            while True:
                direct.box_says(b"x" * 65536)

    direct.beside(write)
    with pytest.raises(LimitHit):
        direct.link.receive(PATIENCE)
    direct.control({"type": "next"})
    heard: list[dict[str, Any]] = []
    listener = direct.beside(lambda: heard.append(direct.link.control()))
    listener.join(PATIENCE)
    assert heard == [{"type": "next"}]
