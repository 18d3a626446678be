"""What this machine is, how busy it was meanwhile, and a meter of CPU time that misses no process of a job."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox import container
from sandbox.docker_box import DockerBox
from sandbox.images import image_name

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
ENGINE = frozenset({"dockerd", "containerd"})
ENGINE_GROUP = "greenroom-bench-engine"
TICKS = os.sysconf("SC_CLK_TCK")
STEAL = 7  # column of the line `cpu` in /proc/stat
COLUMNS = 8  # guest time, which follows, is part of user time


class Watch:
    """Facts about the machine, from when it is made until `facts` is called."""

    def __init__(self, box: DockerBox) -> None:
        self._box = box
        self._load, self._cpu = os.getloadavg(), _cpu_columns()

    def facts(self) -> dict[str, Any]:
        """Return the facts: of hardware and software, and how much others took since this was made."""
        spent = [after - before for before, after in zip(self._cpu, _cpu_columns(), strict=True)]
        return {
            **_hardware(),
            **_engine(self._box),
            "python": platform.python_version(),
            "load_average_before": [round(load, 2) for load in self._load],
            "load_average_after": [round(load, 2) for load in os.getloadavg()],
            "stolen_cpu_percent": round(100 * spent[STEAL] / (sum(spent) or 1), 2),
        }


def _cpu_columns() -> list[int]:
    with suppress(OSError):
        return [int(column) for column in (PROC / "stat").read_text().split("\n", 1)[0].split()[1 : COLUMNS + 1]]
    return [0] * COLUMNS


def _hardware() -> dict[str, Any]:
    model = platform.processor()
    with suppress(OSError):
        lines = (PROC / "cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "cores": os.cpu_count(),
        "cpu_model": model,
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release(),
    }


def _engine(box: DockerBox) -> dict[str, Any]:
    client = box.engine()
    version, info = client.version(), client.info()
    parts = {part["Name"]: part["Version"] for part in version.get("Components", ())}
    return {
        "engine": version["Version"],
        "runc": parts.get("runc", ""),
        "containerd": parts.get("containerd", ""),
        "cgroup_version": info.get("CgroupVersion", ""),
        "storage_driver": info.get("Driver", ""),
    }


class Meter:
    """CPU seconds of all that takes part in judging, in this process and on the engine's side.

    `seconds` counts (user and system time alike):
    - this process with all its threads, and those of its children that it has waited for;
    - `others`: processes given by id, with the children they have waited for;
    - every container of the engine, also those that are gone: the usage of the cgroup that holds them all;
    - dockerd, containerd, and whatever they start, which is each container's shim and runc: the usage of their
      cgroup. Where the daemons have none of their own, they are moved into one, where they stay; it limits nothing.

    Not counted are the kernel's own threads, which tear down cgroups, mounts and network namespaces later. Counted
    although they are not ours are other users' containers on the same engine. Where the daemons may not be moved,
    only their own time and that of the children they have waited for counts: shims are missing, and `complete` is
    False. Where the engine is on another kernel, nothing of it counts, and `complete` is False too.
    """

    def __init__(self, box: DockerBox, others: Iterable[int] = ()) -> None:
        self.others = tuple(others)
        self.containers = _containers_group(box)
        self._daemons = engine_processes() if self.containers is not None else ()
        groups = [_group_of_its_own(pid) for pid in self._daemons]
        self.complete = bool(groups) and None not in groups
        self.engine = _topmost(group for group in groups if group is not None) if self.complete else ()

    def seconds(self) -> float:
        """Return the CPU seconds so far; only differences mean something."""
        total = sum(map(own_seconds, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
        total += sum(process_seconds(pid, children=True) for pid in self.others)
        if not self.complete:
            total += sum(process_seconds(pid, children=True) for pid in self._daemons)
        groups = (*self.engine, *((self.containers,) if self.containers is not None else ()))
        return total + sum(group_seconds(group) for group in _topmost(groups))

    def engine_seconds(self) -> float:
        """Return the CPU seconds of the daemons with their shims and runc alone."""
        if not self.complete:
            return sum(process_seconds(pid, children=True) for pid in self._daemons)
        return sum(group_seconds(group) for group in self.engine)

    def containers_seconds(self) -> float:
        """Return the CPU seconds of all containers alone."""
        return group_seconds(self.containers) if self.containers is not None else 0.0


def own_seconds(who: int) -> float:
    """Return the CPU seconds of this process (RUSAGE_SELF), or of its children that are gone (RUSAGE_CHILDREN)."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def process_seconds(pid: int, *, children: bool = False) -> float:
    """Return the CPU seconds of process `pid`, with `children` also of those it waited for; 0 when it is gone."""
    with suppress(OSError, IndexError):
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11 : 15 if children else 13]) / TICKS
    return 0.0


def group_seconds(group: Path) -> float:
    """Return the CPU seconds of a cgroup and all below it, also of what has ended."""
    return container.cpu_time_in(group).total_seconds()


def memory_bytes(pid: int | str = "self") -> int:
    """Return the resident memory of a process, 0 when it is gone."""
    with suppress(OSError):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def engine_processes() -> tuple[int, ...]:
    """Return the ids of dockerd and containerd on this machine."""
    return tuple(pid for pid in _processes() if _name(pid) in ENGINE)


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below `pid` that are there now."""
    children: dict[int, list[int]] = {}
    for each in _processes():
        with suppress(OSError, IndexError):
            parent = int((PROC / str(each) / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(each)
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _processes() -> list[int]:
    with suppress(OSError):
        return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]
    return []


def _name(pid: int) -> str:
    with suppress(OSError):
        return (PROC / str(pid) / "comm").read_text().strip()
    return ""


def _containers_group(box: DockerBox) -> Path | None:
    """Return the cgroup that holds the engine's containers, or None where it cannot be read from here."""
    role = container.Role(name="judge")
    made = container.create(box.engine, image_name("judge"), ("sleep", "60"), role, runtime=box.runtime)
    try:
        made.start_alone()
        group = container.cgroups_of(box.engine().api, made.id).get("cpuacct")
    finally:
        made.destroy()
    return group.parent if group is not None else None


def _group_of_its_own(pid: int) -> Path | None:
    """Return a cgroup of process `pid` that is not everybody's, moving it into one if need be; None if that fails."""
    with suppress(OSError, ValueError):
        for line in (PROC / str(pid) / "cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            base = CGROUPS / "cpuacct" if "cpuacct" in controllers.split(",") else CGROUPS
            unified = not controllers and (CGROUPS / "cgroup.controllers").exists()
            if base == CGROUPS and not unified:
                continue
            group = base / path.lstrip("/")
            if group == base:
                group = base / ENGINE_GROUP
                group.mkdir(exist_ok=True)
                (group / "cgroup.procs").write_text(str(pid))
            return group
    return None


def _topmost(groups: Iterable[Path]) -> tuple[Path, ...]:
    """Return `groups` without those that another one holds: their time is in its."""
    distinct = set(groups)
    return tuple(sorted(each for each in distinct if not distinct & set(each.parents)))
