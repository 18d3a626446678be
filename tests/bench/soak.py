"""Whether anything is left behind: many submissions in a row through the real queue, and what there is meanwhile.

One learner sends each as soon as the one before is judged: mostly of kind calls, every tenth of kind http, every tenth
of kind sql. Counted before, at half and at the end, each time when the pool is full and nothing is under way. The pool
holds more right after a rush than before it, so containers and volumes beyond it are counted too: none may be.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox import owner
from sandbox.container import APP_LABEL
from sandbox.docker_box import DockerBox
from tests.bench.contenders import FILL_SECONDS
from tests.bench.machine import engine_processes, memory_bytes
from tests.bench.report import Answer, Goal, Row
from tests.bench.stage import Queue, queue, reference
from tests.browser.solving import HTTP, SQL, WELCOME

PER_ROUND = 34  # submissions: about a thousand with 30 rounds
TURNS = (WELCOME, WELCOME, WELCOME, HTTP, WELCOME, WELCOME, WELCOME, WELCOME, SQL, WELCOME)


def answer(n: int) -> Answer:
    """Return a row per kind of thing with its number before, at half and at the end."""
    count = PER_ROUND * n
    answers = {path: reference(path) for path in TURNS}
    with queue() as site:
        learner = site.learners(1)[0]
        _submit(site, learner, answers, len(TURNS))
        counts = [_count(site.box)]
        times = []
        for half in (count // 2, count - count // 2):
            times += _submit(site, learner, answers, half)
            counts.append(_count(site.box))
    note = f"before, after {count // 2}, after {count}"
    rows = [
        Row(
            what=what, values=[each[what][0] for each in counts], unit=counts[0][what][1], note=f"{note}: {_told(each)}"
        )
        for what, each in ((what, [count[what][0] for count in counts]) for what in counts[0])
    ]
    rows.append(Row(what="verdict, from being sent", values=times, note=f"{count} in a row, pool refilled meanwhile"))
    left = counts[-1]["containers beyond the pool"][0] + counts[-1]["volumes beyond the pool"][0]
    return Answer(rows=rows, goals=[Goal(what="left behind by the soak", wanted=0, found=left, unit="things")])


def _submit(site: Queue, learner: int, answers: Mapping[str, Mapping[str, str]], count: int) -> list[float]:
    """Return the milliseconds that each of so many submissions took."""
    ids = []
    for number in range(count):
        path = TURNS[number % len(TURNS)]
        ids.append(site.submit(learner, path, answers[path]))
        site.wait(ids[-1:])
    return [each.took_ms for each in site.times(ids)]


def _count(box: DockerBox) -> dict[str, tuple[float, str]]:
    """Return how much there is of everything, with its unit, once nothing is under way."""
    assert box.pool.fill(FILL_SECONDS)
    time.sleep(1)
    engine, token = box.engine(), owner.owner_token()
    ours: dict[str, Any] = {"label": [f"{APP_LABEL}=sandbox", f"greenroom.owner={token}"]}
    ready = [each for member in box.pool.ready() for each in member.containers]
    containers = {str(each.id) for each in engine.containers.list(all=True, filters=ours)}
    volumes = len(engine.volumes.list(filters=ours))
    services = sum(len(member.containers) > 1 for member in box.pool.ready())
    blank = sum("volume" in shelf.label for shelf in box.status().shelves if shelf.ready)
    return {
        "containers": (float(len(containers)), ""),
        "containers beyond the pool": (float(len(containers - {each.id for each in ready})), ""),
        "volumes": (float(volumes), ""),
        "volumes beyond the pool": (float(volumes - services - blank), ""),
        "open files of this process": (float(len(list(Path("/proc/self/fd").iterdir()))), ""),
        "threads of this process": (float(threading.active_count()), ""),
        "memory of this process": (memory_bytes(os.getpid()) / 1e6, "MB"),
        "memory of dockerd and containerd": (sum(map(memory_bytes, engine_processes())) / 1e6, "MB"),
        "disk of the engine": (_disk_bytes(engine.df()) / 1e6, "MB"),
    }


def _disk_bytes(used: Mapping[str, Any]) -> int:
    """Return the bytes of the engine's layers, containers and volumes."""
    total = int(used.get("LayersSize") or 0)
    total += sum(int(each.get("SizeRw") or 0) for each in used.get("Containers") or ())
    return total + sum(max(0, int((each.get("UsageData") or {}).get("Size", 0))) for each in used.get("Volumes") or ())


def _told(numbers: list[float]) -> str:
    return ", ".join(f"{number:g}" if number == int(number) else f"{number:.1f}" for number in numbers)
