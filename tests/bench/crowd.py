"""How long many learners wait who submit at once, and whether one who sends a lot holds up the others.

All goes through the real queue on SQLite, with two worker threads and the pool that they keep. Waiting is from being
sent to being claimed; the verdict, from being sent to being recorded. Flood: one learner keeps as many submissions in
the queue as the site allows until 30 are sent, another one sends one in the middle of that; counted is how many of
the first one's are judged between that and its verdict, beyond those already under way when it was sent.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.bench.contenders import FILL_SECONDS
from tests.bench.report import Answer, Goal, Row
from tests.bench.stage import WORKERS, Queue, Times, queue, reference
from tests.browser.solving import WELCOME

SIZES = (1, 4, 16, 64)
SMALL = 16  # the largest crowd of a short run
FLOOD = 30
BEFORE_THE_OTHER = 8  # of the flood
MOST_AHEAD = 1.0


def answer(n: int) -> Answer:
    """Return waiting and verdict per size, and the flood; `n` // 10 rounds."""
    rounds = max(1, n // 10)
    sizes = [size for size in SIZES if size <= SMALL or n >= 10]
    waited: dict[int, list[float]] = {size: [] for size in sizes}
    took: dict[int, list[float]] = {size: [] for size in sizes}
    ahead, held_up = [], []
    with queue() as site:
        for _ in range(rounds):
            for size in sizes:
                times = _crowd(site, size)
                waited[size] += [each.waited_ms for each in times]
                took[size] += [each.took_ms for each in times]
            flood, other = _flood(site)
            ahead.append(float(_between(flood, other)))
            held_up.append(other.took_ms)
    rows = [
        Row(what=f"{size} at once: {what}", values=values[size], note=f"{WORKERS} workers, {rounds} rounds")
        for size in sizes
        for what, values in (("waiting in line", waited), ("verdict", took))
    ]
    rows.append(Row(what="flood: the other's verdict", values=held_up, note=f"{FLOOD} submissions of one learner"))
    rows.append(Row(what="flood: judged ahead of the other", values=ahead, unit="jobs", note="beyond those under way"))
    goal = Goal(what="flood: judged ahead of the other, the most", wanted=MOST_AHEAD, found=max(ahead), unit="jobs")
    return Answer(rows=rows, goals=[goal])


def _crowd(site: Queue, size: int) -> list[Times]:
    """Let so many learners submit at the same moment; return what became of it."""
    learners, files, gate = site.learners(size), reference(WELCOME), Barrier(size)
    assert site.box.pool.fill(FILL_SECONDS)

    def send(learner_id: int) -> int:
        gate.wait()
        return site.submit(learner_id, WELCOME, files)

    with ThreadPoolExecutor(max_workers=size) as senders:
        ids = list(senders.map(send, learners))
    site.wait(ids)
    return site.times(ids)


def _flood(site: Queue) -> tuple[list[Times], Times]:
    """Return what became of one learner's many submissions, and of the one that another sent meanwhile."""
    (flooder, other), files = site.learners(2), reference(WELCOME)
    assert site.box.pool.fill(FILL_SECONDS)
    ids = [site.submit(flooder, WELCOME, files, insist=True) for _ in range(BEFORE_THE_OTHER)]
    with ThreadPoolExecutor(max_workers=1) as senders:
        rest = senders.submit(
            lambda: [site.submit(flooder, WELCOME, files, insist=True) for _ in range(FLOOD - len(ids))]
        )
        single = site.submit(other, WELCOME, files)
        ids += rest.result()
    site.wait([*ids, single])
    return site.times(ids), site.times([single])[0]


def _between(flood: list[Times], other: Times) -> int:
    """Return how many of `flood` were judged while `other` waited, without those under way when it was sent."""
    meanwhile = [each for each in flood if other.sent < each.judged <= other.judged]
    return sum(each.claimed > other.sent for each in meanwhile)
