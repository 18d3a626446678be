"""Proves that the limits bite before any learner code runs: starts boxes that try to break each one.

Each probe runs in a container confined exactly as a learner's; what it reports is believed only
because the probe is ours, and what the kernel counts outside is used where there is a count.
"""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox import container
from sandbox.container import Container, Role
from sandbox.docker_box import DockerBox
from sandbox.errors import SandboxError
from sandbox.images import image_name
from sandbox.job import MIB, Limits
from sandbox.pump import Peer
from sandbox.station import ENGINE_ERRORS

PROBE_SECONDS = 20.0
DEADLINE_SECONDS = 0.5
KILL_SECONDS = 10.0  # a hang guard, not a speed claim
SCRIPTS = Path(__file__).parent / "probes"
LIMITS = Limits(wall_time=timedelta(seconds=5), memory_bytes=64 * MIB, processes=32, disk_bytes=8 * MIB)
SERVICE_LIMITS = replace(LIMITS, memory_bytes=512 * MIB)  # its tmpfs is larger, and counts as memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One limit, whether it was seen to bite, and what was seen."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All probes of one examination."""

    probes: tuple[Probe, ...]
    took: timedelta = field(default=timedelta())

    @property
    def passed(self) -> bool:
        """Whether every limit bites."""
        return bool(self.probes) and all(probe.passed for probe in self.probes)


def examine(box: DockerBox) -> Report:
    """Return what the limits of `box`'s engine do; marks `box` as proven when all of them bite.

    Takes about two seconds. Never raises for a limit that does not bite; an engine that does not
    answer or an image that is missing is one failed probe.
    """
    started = time.monotonic()
    groups: tuple[Callable[[DockerBox], list[Probe]], ...] = (
        _confined_box,
        _confined_service,
        _confined_beside,
        _memory,
        _deadline,
    )
    with ThreadPoolExecutor(max_workers=len(groups)) as pool:
        results = [pool.submit(_guarded, group, box) for group in groups]
        probes = tuple(probe for result in results for probe in result.result())
    report = Report(probes=probes, took=timedelta(seconds=time.monotonic() - started))
    box.proven = report.passed
    return report


def _guarded(group: Callable[[DockerBox], list[Probe]], box: DockerBox) -> list[Probe]:
    try:
        return group(box)
    except (*ENGINE_ERRORS, SandboxError, ValueError) as error:
        return [Probe(name=group.__name__.strip("_"), passed=False, detail=f"could not be examined: {error}")]


def _start(box: DockerBox, role: Role, script: str, *words: str, beside: str = "") -> Container:
    command = ("python3", "-I", "-u", "-c", (SCRIPTS / f"{script}.py").read_text(encoding="utf-8"), *words)
    image = image_name("python")
    return container.create(box.engine, image, command, role, runtime=box.runtime, beside=beside)


def _listen(probe: Container) -> tuple[bytes, container.Facts]:
    """Return what a started probe printed until it ended (or PROBE_SECONDS passed), and what the kernel counted."""
    assert probe.stream is not None
    peer, said, facts = Peer(probe.stream), bytearray(), container.Facts()
    deadline = time.monotonic() + PROBE_SECONDS
    while peer.open and time.monotonic() < deadline:
        if select.select([probe.stream], [], [], 0.2)[0]:
            said += peer.read()
            facts = probe.facts() if b"\n" in said and peer.open else facts
    return bytes(said), facts


def _told_by(
    box: DockerBox, role: Role, script: str, *words: str, beside: str = ""
) -> tuple[Mapping[str, Any], container.Facts]:
    probe = _start(box, role, script, *words, beside=beside)
    try:
        probe.start()
        said, facts = _listen(probe)
    finally:
        probe.destroy()
    told = json.loads(said or b"{}")
    if not isinstance(told, dict) or not told:
        raise ValueError(f"the probe {script} said nothing")
    return told, facts


def _confined_box(box: DockerBox) -> list[Probe]:
    told, facts = _told_by(box, container.box_role(LIMITS), "confined")
    spun = facts.cpu_time.total_seconds() or float(told["cpu_seconds"])
    share = spun / max(float(told["wall_seconds"]), 0.001)
    return [
        *_confinement(told, "box"),
        _probe("processes", told["processes"] < LIMITS.processes, f"{told['processes']} processes before a refusal"),
        _probe("disk", 0 < told["disk_bytes"] <= LIMITS.disk_bytes, f"{told['disk_bytes']} bytes before a refusal"),
        _probe("inodes", told["inodes"] <= 2048, f"{told['inodes']} files before a refusal"),
        _probe("read-only root", not told["wrote_root"], f"wrote outside its tmpfs: {told['wrote_root'] or 'nothing'}"),
        _probe("cpu", share <= 1.5, f"{share:.2f} of 1 CPU used by 4 spinning processes"),
    ]


def _confined_service(box: DockerBox) -> list[Probe]:
    told, _ = _told_by(box, container.service_role(SERVICE_LIMITS), "confined")
    return _confinement(told, "service")


def _confined_beside(box: DockerBox) -> list[Probe]:
    services = _start(box, container.service_role(SERVICE_LIMITS), "wait")
    try:
        services.start_alone()
        told, _ = _told_by(box, container.box_role(LIMITS), "confined", "briefly", beside=services.id)
    finally:
        services.destroy()
    return _confinement(told, "box beside services")


def _confinement(told: Mapping[str, Any], where: str) -> list[Probe]:
    return [
        _probe(f"{where}: no privileges", not told["privileges"], f"{told['privileges'] or 'none'}"),
        _probe(f"{where}: system calls", not told["syscalls"], f"not refused: {told['syscalls'] or 'none'}"),
        _probe(f"{where}: no network", not told["network"], f"{told['network'] or 'only loopback, no route'}"),
    ]


def _memory(box: DockerBox) -> list[Probe]:
    probe = _start(box, container.box_role(LIMITS), "memory")
    try:
        probe.start()
        said, _ = _listen(probe)
        # The probe is ours and does not kill itself; the engine may be late with its word on why it died.
        killed = probe.facts(ended=True).out_of_memory or probe.exit_code() == container.KILLED
    finally:
        probe.destroy()
    return [_probe("memory", killed and b"survived" not in said, "killed" if killed else "not killed")]


def _deadline(box: DockerBox) -> list[Probe]:
    probe = _start(box, container.box_role(LIMITS), "spin")
    try:
        probe.start()
        time.sleep(DEADLINE_SECONDS)
    finally:
        started = time.monotonic()
        probe.destroy()
    took = time.monotonic() - started
    left = box.engine().containers.list(all=True, filters={"id": probe.id})
    return [
        _probe("deadline", took < KILL_SECONDS and not left, f"a spinning box was gone {took:.2f} s after its deadline")
    ]


def _probe(name: str, passed: bool, detail: str) -> Probe:
    return Probe(name=name, passed=bool(passed), detail=detail)
