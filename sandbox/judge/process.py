"""What the judge's processes ask of the kernel for themselves."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

LIMITS = 16  # kinds of them, see setrlimit(2)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4


def hide() -> None:
    """Let no other process of this user read or write this one's memory."""
    _prctl(PR_SET_DUMPABLE, 0)


def die_with_parent(parent: int) -> bool:
    """Be killed when the process `parent` ends; return whether it is still there. A fork does not inherit this."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def standing() -> list[object]:
    """Return what another process of the same user could change of this one: limits, priority, processors."""
    limits = [resource.prlimit(0, number) for number in range(LIMITS)]
    return [limits, os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)]


def _prctl(option: int, value: int) -> None:
    """Set an attribute of this process, see prctl(2)."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
