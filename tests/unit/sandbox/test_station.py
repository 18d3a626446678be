"""A judge is heard through its frames, and what cannot be made leaves nothing. No engine is needed for this."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from docker.errors import DockerException

from sandbox import container, wire
from sandbox import door as door_module
from sandbox.container import JUDGE_ROLE, Container, box_role
from sandbox.errors import EngineUnavailable
from sandbox.job import Limits
from sandbox.pump import Peer
from sandbox.station import Box, Broken, Judge, Lines, make_box, make_judge
from sandbox.suite import Suite

PATIENCE = 20.0  # a hang guard, not a speed claim


def no_engine() -> NoReturn:
    raise DockerException("the engine is away")


def said(payload: bytes, stream: int = 1) -> bytes:
    """Return `payload` as the engine multiplexes it."""
    return struct.pack(">BxxxI", stream, len(payload)) + payload


class Far:
    """The other end of a judge's stream."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def tell(self, *messages: dict[str, Any]) -> None:
        self.sock.sendall(said(b"".join(map(wire.control, messages))))


@pytest.fixture
def ends() -> Iterator[tuple[Judge, Far]]:
    """A judge whose container is played."""
    near, far = socket.socketpair()
    judge = Judge(no_engine, Lines(direct=True), "judge", "")
    judge.peer = Peer(near)
    yield judge, Far(far)
    near.close()
    far.close()


def heard(judge: Judge, wanted: str) -> dict[str, Any]:
    """Return what `judge` is heard to say, without having waited for something else to come."""
    results: list[dict[str, Any]] = []
    listener = threading.Thread(target=lambda: results.append(judge.hear(wanted, 3600)), daemon=True)
    listener.start()
    listener.join(PATIENCE)
    assert results, "it hangs, or it raised"
    return results[0]


def test_the_message_that_is_waited_for_is_heard_and_others_are_passed_over(ends: tuple[Judge, Far]) -> None:
    judge, far = ends
    far.tell({"type": "event"}, {"type": "over"}, {"type": "idle", "n": 1})
    assert heard(judge, "idle") == {"type": "idle", "n": 1}


def test_what_came_with_the_message_before_needs_nothing_more_to_come(ends: tuple[Judge, Far]) -> None:
    judge, far = ends
    far.tell({"type": "over"}, {"type": "idle"})
    assert heard(judge, "over") == {"type": "over"}
    assert heard(judge, "idle") == {"type": "idle"}


def test_what_was_noted_during_a_job_needs_nothing_more_to_come(ends: tuple[Judge, Far]) -> None:
    judge, _ = ends
    judge.note({"type": "over"})
    assert heard(judge, "over") == {"type": "over"}


def test_what_is_queued_for_the_judge_is_sent_while_it_is_waited_for(ends: tuple[Judge, Far]) -> None:
    judge, far = ends
    judge.peer.out += b"x" * 2_000_000  # more than a buffer holds

    def play() -> None:
        got = 0
        while got < 2_000_000:
            got += len(far.sock.recv(1 << 20))
        far.tell({"type": "idle"})

    threading.Thread(target=play, daemon=True).start()
    assert heard(judge, "idle") == {"type": "idle"}


def test_a_judge_that_says_nothing_is_broken_in_time(ends: tuple[Judge, Far]) -> None:
    with pytest.raises(Broken, match=r"did not say 'idle' within 0\.02 s"):
        ends[0].hear("idle", 0.02)


@pytest.mark.parametrize(
    "garbled", [wire.HEADER.pack(9, 1), wire.frame(wire.CONTROL, b"not json")], ids=["bad header", "not json"]
)
def test_a_judge_that_garbles_its_frames_is_broken(ends: tuple[Judge, Far], garbled: bytes) -> None:
    judge, far = ends
    far.sock.sendall(said(garbled))
    with pytest.raises(Broken, match="garbled"):
        judge.hear("idle", PATIENCE)


@pytest.mark.parametrize("message", [[], {}, "idle", 1, None], ids=repr)
def test_a_judge_that_says_what_has_no_meaning_is_broken(ends: tuple[Judge, Far], message: Any) -> None:
    judge, far = ends
    far.tell(message)
    far.sock.close()
    with pytest.raises(Broken):
        judge.hear("idle", PATIENCE)


def test_a_judge_that_ends_is_broken_and_its_last_words_are_the_reason(ends: tuple[Judge, Far]) -> None:
    judge, far = ends
    far.sock.sendall(said(b"MemoryError: no more", stream=2))
    far.sock.close()
    with pytest.raises(Broken, match="the judge ended: MemoryError: no more"):
        judge.hear("idle", PATIENCE)


def test_a_suite_that_cannot_be_collected_says_why(ends: tuple[Judge, Far]) -> None:
    judge, far = ends
    far.tell({"type": "collected", "reason": "SyntaxError: in line 1"})
    with pytest.raises(Broken, match="SyntaxError: in line 1"):
        judge.collect(Suite(files={"tests/test_it.py": "def"}, checks=1, service=None))


def test_suites_are_alike_when_files_and_service_are() -> None:
    one = Suite(files={"a": "1", "b": "2"}, checks=3, service=None)
    assert one.key() == Suite(files={"b": "2", "a": "1"}, checks=3, service=None).key()
    assert one.key() != Suite(files={"a": "2", "b": "1"}, checks=3, service=None).key()
    assert one.key() != Suite(files={"a1": "", "b": "2"}, checks=3, service=None).key()


# What cannot be made


@pytest.fixture
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder in which this process has no doors yet."""
    base = Path(tempfile.mkdtemp(prefix="d", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    monkeypatch.setattr(door_module, "_root", None)
    yield base
    shutil.rmtree(base)


def left(temp: Path) -> tuple[list[str], int, int]:
    """Return the doors that are left, the open descriptors and the user ids in use."""
    doors = [path.name for path in temp.rglob("*") if path.name != door_module.OWNER and path.parent != temp]
    return doors, len(list(Path("/proc/self/fd").iterdir())), len(container._uids_in_use)


def test_a_box_that_cannot_be_created_leaves_nothing(temp: Path) -> None:
    before = left(temp)
    for _ in range(3):
        with pytest.raises(DockerException):
            make_box(no_engine, Lines(direct=True), "python", (), box_role(Limits()), "")
    assert left(temp) == before


def test_a_judge_that_cannot_be_created_leaves_nothing(temp: Path) -> None:
    before = left(temp)
    for _ in range(3):
        with pytest.raises(DockerException):
            make_judge(no_engine, Lines(direct=True), "judge", None, "")
    assert left(temp) == before


def gone() -> NoReturn:
    raise EngineUnavailable("No Docker engine answers")


@pytest.mark.parametrize("engine", [no_engine, gone], ids=["refuses", "does not answer"])
def test_discarding_raises_nothing_when_the_engine_is_away(engine: Callable[[], NoReturn]) -> None:
    near, far = socket.socketpair()
    box = Box(Container("box", engine, box_role(Limits()), container.take_uid()), Peer(near))
    judge = Judge(engine, Lines(direct=True), "judge", "")
    judge.container, judge.service = (Container(n, engine, JUDGE_ROLE, container.take_uid()) for n in ("one", "other"))
    judge._volume = "greenroom-test"
    before = len(container._uids_in_use)
    box.discard()
    judge.discard()
    assert near.fileno() == -1
    assert len(container._uids_in_use) == before - 3  # all three were tried
    far.close()


def test_only_the_first_boxes_find_out_that_doors_do_not_work() -> None:
    lines = Lines(direct=True)
    lines.unused(door_module.DoorShut("nobody dialled"))
    assert lines.door() is None
    working = Lines(direct=True)
    working.used()
    with pytest.raises(Broken, match="did not come up"):
        working.unused(door_module.DoorShut("nobody dialled"))
    assert working.direct


def test_a_box_is_alive_while_its_line_is_open_and_what_it_sent_stays_unread() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert container.still_open(near)
        far.sendall(b"news")
        assert container.still_open(near)
        assert os.read(near.fileno(), 10) == b"news"
        far.close()
        assert not container.still_open(near)
