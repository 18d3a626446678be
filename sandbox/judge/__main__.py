"""`python3 -m sandbox.judge`: takes one suite, collects its tests once, and judges job after job with them.

This process is the parent: it holds the collected suite and sees nothing of any submission. For
each job it forks a child, which does (see `child`). Messages of the worker: `suite`, and then for
each child `service` (kind sql) and `job`; of the parent: `collected`, and after each child `over`;
of a child: `idle`, `prepared`, `event`, `end`.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sandbox import wire
from sandbox.judge import child
from sandbox.judge.folder import Folder
from sandbox.judge.link import Link
from sandbox.judge.plugin import JudgePlugin
from sandbox.judge.process import die_with_parent, hide, standing
from sandbox.judge.server import warm_up
from sandbox.judge.suite import clip

ROOT = Path("/work/suite")
DOOR = Path("/run/door/door")
STACK_BYTES = 1024 * 1024  # of each thread; the default of 8 MiB would count against the child's memory
CHUNK = 1 << 18


class Parent:
    """The worker's line, the suite's files, and the loop that forks."""

    def __init__(self, fd_in: int, fd_out: int) -> None:
        self._fd_in, self._fd_out = fd_in, fd_out
        self._hatch: socket.socket | None = None  # through which the worker hands the lines of boxes
        if DOOR.exists():
            self._hatch = socket.socket(socket.AF_UNIX)
            self._hatch.connect(str(DOOR))
        self._resync = b""

    def main(self) -> None:
        """Collect the suite and serve until the worker is gone."""
        spec = self._first_message()
        self._resync, self._services = spec["resync"].encode(), spec["services"]
        self._folder = Folder(ROOT, spec["files"])
        self._folder.write()
        plugin = JudgePlugin(ROOT / "data", self.serve)
        options = ["-q", "--tb=native", "-s", "-p", "no:cacheprovider", "-p", "no:logging", "--import-mode=importlib"]
        status = pytest.main([*options, f"--rootdir={ROOT}", "-c", os.devnull, str(ROOT / "tests")], plugins=[plugin])
        self._tell({"type": "collected", "reason": f"pytest ended with status {int(status)}"})

    def serve(self, session: pytest.Session, plugin: JudgePlugin) -> None:
        """Fork one child after the other; returns only when the suite cannot be used."""
        if plugin.collect_errors:
            self._tell({"type": "collected", "reason": clip("; ".join(plugin.collect_errors), 4000)})
            os._exit(0)
        if self._services:  # here and not in each child, of which there is one per job
            import_module("sandbox.judge.services")
        self._tell({"type": "collected", "reason": ""})
        parent, self._began = os.getpid(), standing()
        warm_up()
        gc.freeze()  # what is there now is shared with every child: no collection shall touch it
        while True:
            pid = os.fork()
            if pid == 0:
                self._become_child(parent, session, plugin)
            os.waitpid(pid, 0)
            try:
                self._clean_up()
            except OSError as error:  # a judge that is not as it was is not used again
                sys.stderr.write(f"{error}\n")
                os._exit(1)
            self._tell({"type": "over"})
            self._read_until_resync()

    def _become_child(self, parent: int, session: pytest.Session, plugin: JudgePlugin) -> None:
        """Judge one job and end this process, whatever happens."""
        try:
            if die_with_parent(parent):
                child.main(Link(self._fd_in, self._fd_out), session, plugin, self._hatch)
        except BaseException as error:  # the parent's loop must not go on in the child
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(0)  # no thread or atexit of a test suite may hold the verdict up

    def _clean_up(self) -> None:
        """Leave nothing of a child's for the next one: no process, no file, no change of the suite's own."""
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # all but this process and the container's init
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        self._check_hatch()
        if standing() != self._began:
            raise OSError("a test changed what this process may use")
        self._folder.restore()

    def _check_hatch(self) -> None:
        """Let every line wait again, which a child may have changed. Raises OSError when the hatch is shut or full."""
        for line in (self._fd_in, self._fd_out):
            os.set_blocking(line, True)
        if self._hatch is None:
            return
        self._hatch.setblocking(True)
        poll = select.poll()
        poll.register(self._hatch, select.POLLIN | select.POLLRDHUP)
        if poll.poll(0):
            raise OSError("a test shut the hatch or left something in it")

    def _first_message(self) -> dict[str, Any]:
        # Read to the byte: what follows is for the children.
        _, length = wire.HEADER.unpack(self._exactly(wire.HEADER.size))
        message: dict[str, Any] = json.loads(self._exactly(length))
        return message

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = os.read(self._fd_in, size - len(data))
            if not part:
                os._exit(0)
            data += part
        return bytes(data)

    def _read_until_resync(self) -> None:
        """Drop what was meant for the child that has ended: the worker ends it with the agreed mark, then waits."""
        seen = b""
        while not seen.endswith(self._resync):
            data = os.read(self._fd_in, CHUNK)
            if not data:
                os._exit(0)
            seen = (seen + data)[-len(self._resync) :]

    def _tell(self, message: dict[str, Any]) -> None:
        data = memoryview(wire.control(message))
        while data:
            data = data[os.write(self._fd_out, data) :]


def main() -> None:
    """Serve the worker on standard input and output."""
    threading.stack_size(STACK_BYTES)
    hide()  # a child has the same user
    parent = Parent(os.dup(0), os.dup(1))
    os.dup2(2, 1)  # whatever pytest or a test prints must not reach the frames
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    parent.main()


if __name__ == "__main__":
    main()
