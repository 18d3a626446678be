"""Checks that wait for time to pass, side by side: each lane is a fork of the child, with servers of its own.

A lane speaks with the box as the child does, over lines of its own that the child passes on: the number of a server or
stream tells whose it is. It tells the child of each check that it has judged, and how it ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest

from sandbox import wire
from sandbox.errors import WireError
from sandbox.judge.faults import LimitHit
from sandbox.judge.link import CHUNK, Link
from sandbox.judge.process import die_with_parent
from sandbox.judge.server import Servers
from sandbox.judge.suite import CheckRun, Suite
from sandbox.judge.tunnel import NUMBERS

MOST = 4
Run = Callable[[list[pytest.Item]], None]  # judges tests one after the other
Tell = Callable[[dict[str, Any]], None]
OWNERS = {"listening": "n", "exited": "n", "refused": "s", "data": "s", "eof": "s"}  # event → the number's key


class Lane:
    """The child's ends of one lane."""

    def __init__(self, number: int, pid: int, line: socket.socket, control: socket.socket) -> None:
        self.number, self.pid, self.line, self.control = number, pid, line, control
        self.frames = wire.FrameReader()
        self.said = bytearray()  # to the box, not yet a whole line
        self.unsent = bytearray()  # of what the box has said
        self.ended = False
        line.setblocking(False)

    def hear_line(self) -> bytes:
        """Return the whole lines that it has sent to the box since."""
        try:
            self.said += self.line.recv(CHUNK)
        except OSError:
            return b""
        whole = bytes(self.said[: self.said.rfind(b"\n") + 1])
        del self.said[: len(whole)]
        return whole

    def hear_control(self) -> list[dict[str, Any]]:
        """Return what it has told; nothing more comes once it has `ended`."""
        try:
            data = self.control.recv(CHUNK)
        except OSError:
            data = b""
        self.ended = self.ended or not data
        return [json.loads(payload) for _, payload in self.frames.feed(data)]

    def push(self) -> None:
        """Send what it takes now."""
        with suppress(BlockingIOError):
            try:
                while self.unsent:
                    del self.unsent[: self.line.send(self.unsent)]
            except (BrokenPipeError, ConnectionResetError):
                self.unsent.clear()

    def close(self) -> None:
        """End it, if it has not ended."""
        self.line.close()
        self.control.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def judge_side_by_side(
    items: list[pytest.Item], link: Link, servers: Servers, run: Run, begin: Any, tell: Tell
) -> None:
    """Judge `items` in lanes, one check in one of them; returns once all have ended, or one has ended the suite.

    `begin` takes what a lane works on, as `JudgePlugin.begin` does; `tell` is told of each check that is finished.
    """
    suite = servers.suite
    groups = _by_check(items)
    lanes = [
        _lane(number, [item for group in groups[number::MOST] for item in group], servers, run, begin)
        for number in range(min(MOST, len(groups)))
    ]
    try:
        while any(not lane.ended for lane in lanes) and not suite.ended:
            _turn(lanes, link, servers, tell)
    finally:
        link.end_queue()
        for lane in lanes:
            lane.close()


def _by_check(items: Iterable[pytest.Item]) -> list[list[pytest.Item]]:
    found: dict[str, list[pytest.Item]] = {}
    for item in items:
        found.setdefault(getattr(item, "originalname", None) or item.name, []).append(item)
    return list(found.values())


def _lane(number: int, items: list[pytest.Item], servers: Servers, run: Run, begin: Any) -> Lane:
    """Fork a lane that judges `items`."""
    ours, line = socket.socketpair()
    told, control = socket.socketpair()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        line.close()
        control.close()
        return Lane(number, pid, ours, told)
    try:
        if die_with_parent(parent):
            ours.close()
            told.close()
            link = Link(control.fileno(), control.fileno())
            link.take_line(line.fileno())
            _judge(items, link, servers.suite, servers.beside(link, number + 1), run, begin)
    except BaseException as error:  # the child's own work must not go on in a lane
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    sys.stderr.flush()
    os._exit(0)


def _judge(items: list[pytest.Item], link: Link, suite: Suite, servers: Servers, run: Run, begin: Any) -> None:
    begin(suite, servers, lambda _: link.tell({"type": "check", "check": asdict(suite.finished[-1])}))
    run(items)
    link.tell({"type": "end", "ended": suite.ended, "detail": suite.detail, "reason": suite.reason})


def _turn(lanes: list[Lane], link: Link, servers: Servers, tell: Tell) -> None:
    """Pass on what has come from anybody."""
    living = [lane for lane in lanes if not lane.ended]
    sources: list[Any] = [*link.sources(), *(lane.line for lane in living), *(lane.control for lane in living)]
    sinks: list[Any] = [*link.sinks(), *(lane.line for lane in living if lane.unsent)]
    readable, writable, _ = select.select(sources, sinks, [])
    link.push()
    for lane in living:
        if lane.line in writable:
            lane.push()
        if lane.line in readable and (said := lane.hear_line()):
            link.pass_on(said)
        if lane.control in readable:
            _hear(lane, servers.suite, tell)
    try:
        for message in _arrived(link):
            _hand_out(message, lanes, servers)
    except LimitHit as hit:
        servers.suite.end_by(hit.limit)
    except (KeyError, TypeError, ValueError):
        servers.suite.end("crashed")


def _hear(lane: Lane, suite: Suite, tell: Tell) -> None:
    """Take what a lane tells: of a check, or of its end."""
    try:
        told = deque(lane.hear_control())
    except (WireError, ValueError):
        suite.end("judge_broke", reason="a lane garbled what it told")
        return
    for message in told:
        if message["type"] == "check":
            check = CheckRun(**message["check"])
            suite.checks[check.test] = check
            suite.finished.append(check)
            tell(suite.progress(check))
        else:
            lane.ended = True
            if message["ended"]:
                suite.end(message["ended"], detail=message["detail"], reason=message["reason"])
            return
    if lane.ended:
        suite.end("judge_broke", reason="a lane ended before its checks did")


def _arrived(link: Link) -> Iterable[dict[str, Any]]:
    """Give what the box has said. Raises LimitHit when it is gone."""
    while link.unsolicited():
        yield link.receive(0)
    link.refuse_when_gone()


def _hand_out(message: dict[str, Any], lanes: list[Lane], servers: Servers) -> None:
    """Give a message of the box to whom it is for. Raises KeyError, TypeError or ValueError when it is malformed."""
    event = message["ev"]
    if event not in OWNERS:  # printed by nobody knows which server
        servers.shim.deliver(message)
        meant = lanes
    else:
        owner = int(message[OWNERS[event]]) // NUMBERS
        if owner == 0:
            servers.shim.deliver(message)
        meant = [lane for lane in lanes if lane.number + 1 == owner]
    for lane in meant:
        if not lane.ended:
            lane.unsent += wire.line(message)
            lane.push()
