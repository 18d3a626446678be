"""The child hands a box's messages to the lane they are for, and believes none of them."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sandbox import wire
from sandbox.judge.lanes import Lane, _hand_out
from sandbox.judge.link import Link
from sandbox.judge.server import Servers
from sandbox.judge.suite import Suite
from sandbox.judge.tunnel import NUMBERS, Shim


class Ends:
    """Two lanes without processes, and what the box's messages do to them."""

    def __init__(self) -> None:
        self.suite = Suite(1, 10.0, 1000, {})
        self.servers = Servers(Shim(Link(0, 1), self.suite), self.suite, ["run"], "/health")
        pairs = [socket.socketpair() for _ in range(2)]
        self.far = [far for _, far in pairs]
        self.lanes = [Lane(number, 0, near, near) for number, (near, _) in enumerate(pairs)]

    def heard(self) -> list[bytes]:
        """Return what each lane has got."""
        got = []
        for far in self.far:
            far.setblocking(False)
            try:
                got.append(far.recv(65536))
            except BlockingIOError:
                got.append(b"")
        return got


@pytest.mark.parametrize(
    "message",
    [
        {"ev": "listening", "n": 2 * NUMBERS + 1},
        {"ev": "exited", "n": 2 * NUMBERS + 7, "code": 1},
        {"ev": "data", "s": 2 * NUMBERS + 3, "d": "eA=="},
        {"ev": "eof", "s": 2 * NUMBERS + 3},
    ],
)
def test_news_go_to_the_lane_whose_number_it_is(message: dict[str, Any]) -> None:
    ends = Ends()
    _hand_out(message, ends.lanes, ends.servers)
    assert ends.heard() == [b"", wire.line(message)]


def test_what_is_printed_goes_to_all() -> None:
    ends = Ends()
    _hand_out({"ev": "out", "t": "hello"}, ends.lanes, ends.servers)
    assert ends.heard() == [wire.line({"ev": "out", "t": "hello"})] * 2


@pytest.mark.parametrize("number", [NUMBERS * 9, -5, 10**30])
def test_news_of_nobody_go_nowhere(number: int) -> None:
    ends = Ends()
    _hand_out({"ev": "data", "s": number, "d": "eA=="}, ends.lanes, ends.servers)
    assert ends.heard() == [b"", b""]


@pytest.mark.parametrize(
    "message", [{}, {"ev": "data"}, {"ev": "data", "s": "x"}, {"ev": "listening", "n": None}, {"ev": "eof", "s": [1]}]
)
def test_malformed_news_are_refused(message: dict[str, Any]) -> None:
    ends = Ends()
    with pytest.raises((KeyError, TypeError, ValueError)):
        _hand_out(message, ends.lanes, ends.servers)


def test_an_unknown_event_ends_the_suite() -> None:
    ends = Ends()
    _hand_out({"ev": "surprise"}, ends.lanes, ends.servers)
    assert ends.suite.ended == "crashed"


def test_a_lane_that_is_gone_is_passed_over() -> None:
    ends = Ends()
    ends.far[0].close()
    for _ in range(2):
        _hand_out({"ev": "data", "s": NUMBERS + 1, "d": "eA=="}, ends.lanes, ends.servers)
    assert not ends.lanes[0].unsent
