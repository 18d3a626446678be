"""What readiness costs when nobody is there: CPU time over 20 s of a served site with all its pools full.

In percent of one core, by the site's own processes, its containers, and the engine's daemons with the shims of all
containers: other users of the same engine count there too.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sandbox.container import APP_LABEL
from sandbox.docker_box import DockerBox
from tests.bench.machine import Meter, descendants, group_seconds, process_seconds
from tests.bench.report import Answer, Goal, Row
from tests.bench.stage import served_site

SECONDS = 20.0
SETTLE = 15.0  # after the pool is full: its worker says so, and looks whether anything is due
MOST_PERCENT = 1.0
PARTS = ("the site's processes", "its containers", "dockerd, containerd, shims")


def answer(n: int) -> Answer:
    """Return a row per part and one for all; `n` // 10 spells in a row."""
    box = DockerBox(proven=True)
    meter = Meter(box)  # before the site starts: the shims of its containers are then counted with the daemons
    spells: list[list[float]] = []
    with served_site():
        time.sleep(SETTLE)
        processes = descendants(os.getpid())
        held = _containers(box, meter, processes)
        for _ in range(max(1, n // 10)):
            before, started = _seconds(meter, processes, held), time.monotonic()
            time.sleep(SECONDS)
            passed = time.monotonic() - started
            after = _seconds(meter, processes, held)
            spells.append([100 * (y - x) / passed for x, y in zip(before, after, strict=True)])
    box.close()
    note = f"{len(held)} containers held ready"
    whole = Row(what="idle: all of it", values=[sum(parts) for parts in spells], unit="% core", note=note)
    rows = [
        Row(what=f"idle: {part}", values=[parts[number] for parts in spells], unit="% core")
        for number, part in enumerate(PARTS)
    ]
    goal = Goal(what="idle with full pools", wanted=MOST_PERCENT, found=whole.p50, unit="% core")
    return Answer(rows=[*rows, whole], goals=[goal])


def _containers(box: DockerBox, meter: Meter, processes: list[int]) -> list[Path]:
    """Return the cgroups of the containers that one of `processes` has."""
    assert meter.containers is not None, "the engine runs on another kernel"
    every = box.engine().containers.list(filters={"label": f"{APP_LABEL}=sandbox"}, ignore_removed=True)
    owners = {str(each.id): each.labels.get("greenroom.owner", "//").split("/")[1] for each in every}
    return [next(meter.containers.glob(f"*{id}*")) for id, pid in owners.items() if int(pid or 0) in processes]


def _seconds(meter: Meter, processes: list[int], held: list[Path]) -> tuple[float, float, float]:
    site = sum(process_seconds(pid, children=True) for pid in processes)
    return site, sum(map(group_seconds, held)), meter.engine_seconds()
