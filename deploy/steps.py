"""Steps that say what they do and how long they took."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

QUIET_SECONDS = 3.0  # a step says something at least this often
CLEAR_LINE = "\r\x1b[K"


class Step:
    """One step that runs: `report` takes its progress lines, a ticker shows that it is alive."""

    def __init__(self, name: str, out: TextIO) -> None:
        self.name = name
        self.started = time.monotonic()
        self._out = out
        self._live = out.isatty()
        self._last = ""
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True, name="ticker")
        self._ticker.start()

    def report(self, line: str) -> None:
        """Take one progress line; on a terminal shown at once, else by the next tick."""
        self._last = line.replace("\n", " ")
        if self._live:
            self._show()

    def end(self, result: str = "") -> None:
        """Print the one line that stays: the step, its result and its time."""
        self._stop()
        self._out.write(f"  {self.name}{': ' + result if result else ''} ({self.seconds:.1f} s)\n")
        self._out.flush()

    def fail(self) -> None:
        """Print that the step failed; why is the caller's to say."""
        self._stop()
        self._out.write(f"  {self.name}: failed ({self.seconds:.1f} s)\n")
        self._out.flush()

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started

    def _stop(self) -> None:
        self._ended.set()
        self._ticker.join()
        if self._live:
            self._out.write(CLEAR_LINE)

    def _tick(self) -> None:
        while not self._ended.wait(QUIET_SECONDS):
            self._show()

    def _show(self) -> None:
        line = f"  {self.name} … {self.seconds:.0f} s  {self._last}"[:118]
        self._out.write(CLEAR_LINE + line if self._live else line + "\n")
        self._out.flush()


@contextmanager
def step(name: str, out: TextIO = sys.stdout) -> Iterator[Step]:
    """Run the body as a step called `name`; its time is printed whether it succeeds or raises."""
    running = Step(name, out)
    try:
        yield running
    except BaseException:
        running.fail()
        raise
    running.end()
