"""From submit to verdict: how long, and for how much CPU time, beside what people use in place of the sandbox.

Times are taken one job at a time, everybody in turn and in another order each round, when nothing of the job before
is under way. CPU time is taken over whole batches without a pause, from full pool to full pool, so that creating and
destroying count: `machine.Meter` says what else does. Memory is the most that the box, or the bare pytest, held.
"""

from __future__ import annotations

import time
from collections import defaultdict
from statistics import median

from sandbox.docker_box import DockerBox
from tests.bench.contenders import POOL_BYTES, Contender, Ours, contenders
from tests.bench.jobs import TASKS, Task
from tests.bench.machine import Meter
from tests.bench.report import Answer, Goal, Row, ratio

WARM_UPS = 2
WARM_TIMES = 4  # a p95 wants more values than a median: ours, warm, is timed so often each round
BATCHES = 3
LEAD = 8  # jobs before a batch, so that a pool holds as many after it as before
FASTER = 10.0  # times, than bare pytest
P95_MS = {"pure": 50.0, "flask": 80.0}
P50_MS = {"sql": 50.0}
CPU_MS = {"pure": 250.0, "flask": 400.0}


def answer(n: int, name: str) -> Answer:
    """Return the rows of all contenders for the job `name`; `n` rounds."""
    task = next(task for task in TASKS if task.name == name)
    warm, cold = DockerBox(proven=True, pool_bytes=POOL_BYTES), DockerBox(proven=True)
    try:
        with contenders(task, warm, cold) as (found, absent):
            _warm_up(found, absent)
            times = _times(found, n)
            cpu = _cpu(Meter(warm, [pid for each in found for pid in each.processes]), found, n)
            made = {each.name: _row(task, each, times[each.name], cpu.get(each.name)) for each in found}
    finally:
        warm.close()
        cold.close()
    rows = [*made.values(), *(Row(what=f"{task.name}: {who}", note=why) for who, why in absent.items())]
    return Answer(rows=rows, goals=_goals(task, made))


def _warm_up(found: list[Contender], absent: dict[str, str]) -> None:
    """Let everybody judge before it counts; whoever cannot is moved to `absent`."""
    for each in tuple(found):
        try:
            for _ in range(WARM_UPS):
                each.judge()
                each.settle()
        except (AssertionError, OSError) as error:
            if isinstance(each, Ours):
                raise
            found.remove(each)
            absent[each.name] = f"failed: {' '.join(str(error).split())[-160:]}"


def _times(found: list[Contender], n: int) -> dict[str, list[float]]:
    """Return the milliseconds of each contender's verdicts."""
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(n):
        first = number % len(found)
        for each in (*found[first:], *found[:first]):
            for _ in range(WARM_TIMES if isinstance(each, Ours) and each.warm else 1):
                each.ready()
                started = time.perf_counter()
                each.judge()
                times[each.name].append((time.perf_counter() - started) * 1000)
                each.settle()
    return times


def _cpu(meter: Meter, found: list[Contender], n: int) -> dict[str, float]:
    """Return the milliseconds of CPU time per job, the median of batches; nothing where it cannot all be counted."""
    if not meter.complete:
        return {}
    size = max(1, n // BATCHES)
    spent: dict[str, list[float]] = defaultdict(list)
    for _ in range(min(BATCHES, n)):
        for each in found:
            for _ in range(min(LEAD, n) if isinstance(each, Ours) and each.warm else 0):
                each.judge()
            each.settle()
            before = meter.seconds()
            for _ in range(size):
                each.judge()
            each.settle()
            spent[each.name].append((meter.seconds() - before) / size * 1000)
    return {name: median(batches) for name, batches in spent.items()}


def _row(task: Task, each: Contender, times: list[float], cpu_ms: float | None) -> Row:
    return Row(what=f"{task.name}: {each.name}", values=times, cpu_ms=cpu_ms, memory_mb=each.memory_mb, note=each.note)


def _goals(task: Task, made: dict[str, Row]) -> list[Goal]:
    warm, bare = made["ours, warm"], made.get("bare pytest")
    found = []
    if bare is not None:
        found.append(
            Goal(
                what=f"{task.name}: warm is faster than bare pytest, medians",
                wanted=FASTER,
                found=ratio(bare.p50, warm.p50),
                unit="times",
                at_least=True,
            )
        )
    if task.name in P50_MS:
        found.append(Goal(what=f"{task.name}: warm verdict, median", wanted=P50_MS[task.name], found=warm.p50))
    if task.name in P95_MS:
        found.append(Goal(what=f"{task.name}: warm verdict, p95", wanted=P95_MS[task.name], found=warm.p95))
    if task.name in CPU_MS:
        found.append(Goal(what=f"{task.name}: CPU time per job", wanted=CPU_MS[task.name], found=warm.cpu_ms))
    return found
