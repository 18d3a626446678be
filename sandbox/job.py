"""What the sandbox is asked to run: values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath

from sandbox.errors import JobRefused

MIB = 1024 * 1024
MAX_FILES_BYTES = 1 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a box may use. Limits are enforced from outside the box."""

    wall_time: timedelta = timedelta(seconds=20)  # from the first byte sent to the box to the judge's end
    memory_bytes: int = 256 * MIB
    cpus: float = 1.0
    processes: int = 64  # processes and threads together
    disk_bytes: int = 32 * MIB  # each of /tmp and /work
    output_bytes: int = 64 * 1024  # learner output that is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One test of the suite, by the id that the manifest uses for it."""

    id: str
    test: str  # name of the pytest function, unique in the suite
    visible: bool = False  # True: message, values, steps and output may be reported
    waits: bool = False  # kind http: spends its time waiting, so it is judged beside others that do


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One submission and the suite that judges it.

    `files` go to the box and never to the judge (except kind `sql`, where the judge executes
    the text as a least-privilege role); `suite` goes to the judge and never to the box.
    Both map relative POSIX paths to text. Visible checks run first: what is reported of them was
    fixed before the box saw any hidden input.
    """

    id: str  # for logs; unique per run
    exercise: str = ""  # what the suite belongs to, for people
    kind: str  # a name in the registry `sandbox/kinds/`
    runtime: str  # a folder in `sandbox/runtimes/`
    files: Mapping[str, str]
    entry: str  # path in `files`
    command: tuple[str, ...] = ()  # how a server is started (kind http)
    mode: str = ""  # kind sql: "query" or "script"
    services: tuple[str, ...] = ()  # kind http: what runs beside the server, see sandbox/runtimes/services
    ready: str = "/health"  # kind http: path that answers once the server is up
    suite: Mapping[str, str]  # tests/…, data/… and variants/…
    checks: tuple[Check, ...]
    limits: Limits = field(default_factory=Limits)
    seed: int = 0

    def validate(self) -> None:
        """Raise JobRefused unless the job can be run as it stands."""
        if not self.checks:
            raise JobRefused("checks: at least one check is needed")
        if len({c.id for c in self.checks}) != len(self.checks) or len({c.test for c in self.checks}) != len(
            self.checks
        ):
            raise JobRefused("checks: ids and tests must be unique")
        if self.entry not in self.files:
            raise JobRefused(f"files: the entry {self.entry!r} is missing")
        for name in (*self.files, *self.suite):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
                raise JobRefused(f"files: {name!r} must be a relative path without '..'")
        if sum(len(text) for text in self.files.values()) > MAX_FILES_BYTES:
            raise JobRefused(f"files: at most {MAX_FILES_BYTES} characters in all")
