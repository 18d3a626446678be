"""Which process a container belongs to, so that a sweep spares the living and removes what a killed one left."""

from __future__ import annotations

import functools
import os
from pathlib import Path


def _started(pid: int) -> str:
    """Return when process `pid` started, in clock ticks since boot; "" when it is gone or cannot be seen."""
    try:
        # The command name in parentheses may hold spaces: count fields from its end.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return os.uname().nodename


@functools.cache
def _token(pid: int) -> str:
    return f"{_boot()}/{pid}/{_started(pid)}"


def owner_token() -> str:
    """Return this process's token: machine boot, process id, start time."""
    return _token(os.getpid())


def lives(token: str) -> bool:
    """Return whether the process that `token` names may still run. One on another machine may."""
    boot, _, rest = token.rpartition("/")[0].partition("/")
    pid, started = rest, token.rpartition("/")[2]
    if boot != _boot():
        return bool(boot) and not Path("/proc/sys/kernel/random/boot_id").exists()
    if started:
        return _started(int(pid)) == started
    try:
        os.kill(int(pid), 0)
    except (OSError, ValueError):
        return False
    return True
