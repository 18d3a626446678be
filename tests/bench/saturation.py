"""How many jobs a second are judged when there is always another one, and what is held in memory for that.

Blocks of our warm sandbox and of `docker run`, with 2 and 4 threads each, take turns. What is finished in the first
seconds of a block does not count, so a pool lives on what it makes meanwhile; where more is left to clear away at the
end than there was then, clearing that counts as time too. CPU time per job is that of whole blocks, the refill after
them included: `machine.Meter` says what is counted.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from sandbox.docker_box import DockerBox
from tests.bench.contenders import FILL_SECONDS, POOL_BYTES, Absent, Contender, DockerRun, Ours
from tests.bench.jobs import PURE, TASKS
from tests.bench.machine import Meter
from tests.bench.report import Answer, Goal, Row, ratio

THREADS = (2, 4)
BLOCKS = 3
SECONDS = 10.0  # that count, of each block
LEAD = 4.0  # before them
SHORTEST = 0.4  # of both: with less there is nothing to be seen
MORE = 3.0  # times the throughput of `docker run`
BOX_MB = {"driver.py": 15.0, "shim.py": 30.0}  # what a shelf's label says of the box → what one may hold
KINDS = {"driver.py": "box of kind calls", "shim.py": "box of kind http, Flask imported"}
WITH_SERVER = {"judge of sql": "judge of sql with its PostgreSQL"}


@dataclass(slots=True)
class Block:
    """What one contender did with one number of threads."""

    rates: list[float] = field(default_factory=list)  # jobs a second
    cpu_ms: list[float] = field(default_factory=list)


def answer(n: int) -> Answer:
    """Return rates and memory; blocks are as long as `n` allows."""
    box = DockerBox(proven=True, pool_bytes=POOL_BYTES)
    try:
        held = _memory(box)
        with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
            found: list[Contender] = [Ours(box, PURE)]
            absent: list[Row] = []
            try:
                found.append(DockerRun(PURE, Path(folder)))
            except Absent as why:
                absent.append(Row(what="docker run", note=str(why)))
            blocks = _blocks(box, found, n)
    finally:
        box.close()
    rows = [
        Row(what=f"{name}, {threads} threads", values=block.rates, unit="jobs/s", cpu_ms=_middle(block.cpu_ms))
        for (name, threads), block in blocks.items()
    ]
    return Answer(rows=[*rows, *absent, *held], goals=[*_goals(blocks), *_memory_goals(held)])


def _blocks(box: DockerBox, found: list[Contender], n: int) -> dict[tuple[str, int], Block]:
    meter, share = Meter(box), max(SHORTEST, min(1.0, n / 30))
    blocks: dict[tuple[str, int], Block] = defaultdict(Block)
    for _ in range(min(BLOCKS, max(1, n // 10))):
        for threads in THREADS:
            for each in found:
                _block(box, meter, each, threads, share, blocks[each.name, threads])
    return blocks


def _block(box: DockerBox, meter: Meter, each: Contender, threads: int, share: float, block: Block) -> None:
    each.ready()
    before, finished = meter.seconds(), list[float]()
    lock, started = threading.Lock(), time.monotonic()
    counted_from, end = started + LEAD * share, started + (LEAD + SECONDS) * share

    def work(_: int) -> None:
        while time.monotonic() < end:
            each.judge()
            with lock:
                finished.append(time.monotonic())

    with ThreadPoolExecutor(max_workers=threads) as pool:
        working = pool.map(work, range(threads))
        time.sleep(LEAD * share)
        at_first = _backlog(box)
        list(working)
        at_last, last = _backlog(box), time.monotonic()
    assert box.pool.settle(FILL_SECONDS)
    clearing = (time.monotonic() - last) * max(0.0, 1 - at_first / (at_last or 1))
    counted = sum(counted_from <= moment <= end for moment in finished)
    block.rates.append(counted / (end - counted_from + clearing))
    each.settle()
    if meter.complete:
        block.cpu_ms.append((meter.seconds() - before) / len(finished) * 1000)


def _backlog(box: DockerBox) -> int:
    """Return how many used boxes and judges wait to be cleared away."""
    return box.pool._waiting_chores


def _memory(box: DockerBox) -> list[Row]:
    """Return what each member of a full pool holds, by sort."""
    for task in TASKS:
        box.expect(task.job)
    assert box.pool.fill(FILL_SECONDS)
    names = KINDS | WITH_SERVER
    return [
        Row(
            what=f"held ready: {next((said for part, said in names.items() if part in shelf.label), shelf.label)}",
            values=[shelf.memory_bytes / shelf.ready / 1e6],
            unit="MB",
            note=shelf.label,
        )
        for shelf in box.status().shelves
        if shelf.ready and shelf.memory_bytes
    ]


def _goals(blocks: dict[tuple[str, int], Block]) -> list[Goal]:
    found = []
    for threads in THREADS:
        ours, theirs = blocks.get(("ours, warm", threads)), blocks.get(("docker run", threads))
        rate = ratio(_middle(ours.rates), _middle(theirs.rates)) if ours and theirs else None
        what = f"throughput beside docker run, {threads} threads"
        found.append(Goal(what=what, wanted=MORE, found=rate, unit="times", at_least=True))
    return found


def _memory_goals(held: list[Row]) -> list[Goal]:
    return [
        Goal(
            what=f"memory of one ready {said}",
            wanted=BOX_MB[part],
            found=next((row.p50 for row in held if part in row.note), None),
            unit="MB",
        )
        for part, said in KINDS.items()
    ]


def _middle(values: list[float]) -> float | None:
    return median(values) if values else None
