"""The pool keeps members ready, takes them back, and loses none. Its members are played: no engine is needed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import pool as pool_module
from sandbox import shelf as shelf_module
from sandbox.pool import Pool
from sandbox.shelf import MOST, Shelf, Sort

MIB = 1024 * 1024
PATIENCE = 20.0  # a hang guard, not a speed claim
PLENTY = 1024 * MIB


class Thing:
    """A member that notes what happens to it."""

    containers = ()

    def __init__(self, name: str, size_bytes: int = MIB) -> None:
        self.name, self.size_bytes = name, size_bytes
        self.lives = True
        self.discards: list[float] = []
        self.held_up: threading.Event | None = None  # its discarding waits for this

    def alive(self) -> bool:
        return self.lives

    def memory_bytes(self) -> int:
        return self.size_bytes

    def discard(self) -> None:
        if self.held_up is not None:
            self.held_up.wait(PATIENCE)
        self.discards.append(time.monotonic())

    def __repr__(self) -> str:
        return self.name


class Factory:
    """Makes things of one sort, and fails or waits when it is told to."""

    def __init__(self, name: str, *, reusable: bool = False, size_bytes: int = MIB) -> None:
        self.name, self.size_bytes = name, size_bytes
        self.made: list[Thing] = []
        self.tried: list[float] = []
        self.failures = 0  # of the next tries; below zero: of all
        self.gate: threading.Event | None = None  # its making waits for this
        self.sort: Sort[Thing] = Sort(key=name, label=f"sort {name}", make=self.make, reusable=reusable)

    def make(self) -> Thing:
        self.tried.append(time.monotonic())
        if self.gate is not None:
            self.gate.wait(PATIENCE)
        if self.failures:
            self.failures -= self.failures > 0
            raise OSError("the engine is away")
        self.made.append(Thing(f"{self.name}{len(self.made) + 1}", self.size_bytes))
        return self.made[-1]


MakePool = Callable[..., Pool]


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    """Makes pools that are closed after the test."""
    made: list[Pool] = []

    def make(budget_bytes: int = PLENTY) -> Pool:
        made.append(Pool(budget_bytes))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def pool(make_pool: MakePool) -> Pool:
    """A pool with a budget for everything."""
    return make_pool()


@pytest.fixture
def shelf_only(make_pool: MakePool) -> Pool:
    """A pool without a budget: it holds what it is given and makes nothing itself."""
    return make_pool(0)


def until(true: Callable[[], Any], what: str) -> None:
    """Return once `true()`."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.002)


def fresh() -> bool:
    """A refresh that works."""
    return True


def beside(call: Callable[[], Any]) -> Callable[[], Any]:
    """Run `call` on a thread of its own; return what waits for its result."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(PATIENCE)
        assert results, "it hangs, or it raised"
        return results[0]

    return result


# Taking and putting


def test_members_are_taken_in_the_order_in_which_they_were_put(shelf_only: Pool) -> None:
    things = Factory("a")
    shelf_only.want(things.sort)
    first, second = things.make(), things.make()
    shelf_only.put(things.sort, first)
    shelf_only.put(things.sort, second)
    assert [shelf_only.take(things.sort) for _ in range(3)] == [first, second, None]


def test_one_sorts_member_never_serves_another(shelf_only: Pool) -> None:
    some, others = Factory("a"), Factory("b")
    shelf_only.want(some.sort)
    shelf_only.put(some.sort, some.make())
    assert shelf_only.take(others.sort) is None
    assert shelf_only.take(some.sort) is some.made[0]


def test_equal_keys_are_one_sort_whoever_asks(shelf_only: Pool) -> None:
    some, same = Factory("a"), Factory("a")
    shelf_only.want(some.sort)
    shelf_only.put(some.sort, some.make())
    assert shelf_only.take(same.sort) is some.made[0]


def test_takes_are_counted_as_warm_or_cold(shelf_only: Pool) -> None:
    things = Factory("a")
    assert shelf_only.take(things.sort) is None
    shelf_only.put(things.sort, things.make())
    assert shelf_only.take(things.sort) is not None
    assert shelf_only.take(things.sort) is None
    assert (shelf_only.warm, shelf_only.cold) == (1, 2)


def test_what_nobody_wants_is_discarded_when_it_is_put(shelf_only: Pool) -> None:
    thing = Thing("a1")
    shelf_only.put(Factory("a").sort, thing)
    assert len(thing.discards) == 1
    assert shelf_only.ready() == []


def test_of_one_sort_no_more_than_the_most_are_kept(shelf_only: Pool) -> None:
    things = Factory("a")
    shelf_only.want(things.sort)
    for _ in range(MOST + 2):
        shelf_only.put(things.sort, things.make())
    assert shelf_only.ready() == things.made[:MOST]
    assert [len(each.discards) for each in things.made[MOST:]] == [1, 1]


def test_without_a_budget_nothing_is_made_ahead(shelf_only: Pool) -> None:
    things = Factory("a")
    shelf_only.want(things.sort)
    shelf_only.take(things.sort)
    assert shelf_only.fill(PATIENCE)
    assert things.tried == []


def test_what_is_wanted_is_made_ahead_and_its_taking_is_warm(pool: Pool) -> None:
    things = Factory("a")
    pool.want(things.sort)
    assert pool.fill(PATIENCE)
    assert pool.ready() == things.made[:1]
    assert pool.take(things.sort) is things.made[0]
    assert (pool.warm, pool.cold) == (1, 0)


def test_no_two_takers_get_the_same_member(pool: Pool) -> None:
    things = Factory("a", reusable=True)
    holders: dict[str, int] = {}
    lock = threading.Lock()

    def use(_: int) -> bool:
        member = pool.take(things.sort, patience=0.01) or things.make()
        with lock:
            holders[member.name] = holders.get(member.name, 0) + 1
            alone = holders[member.name] == 1
        with lock:
            holders[member.name] -= 1
        pool.give_back(things.sort, member, fresh)
        return alone

    with ThreadPoolExecutor(max_workers=8) as users:
        assert all(users.map(use, range(200)))
    assert pool.settle(PATIENCE)
    assert {len(each.discards) for each in things.made if each not in pool.ready()} <= {1}


# How many are kept


@pytest.mark.parametrize(
    ("ages", "target"),
    [([], 1), ([0.0], 2), ([0.0, 1.0, 2.0], 4), ([0.0, 1e4], 2), ([0.0] * 40, MOST)],
    ids=["unused", "one use", "three uses", "old uses do not count", "never more than the most"],
)
def test_as_many_are_kept_as_were_used_of_late_and_one_more(ages: list[float], target: int) -> None:
    now = 1e6
    shelf = Shelf(Factory("a").sort, wanted_at=now)
    shelf.uses.extend((now - age, 0) for age in ages)
    assert shelf.target(now) == target


@pytest.mark.parametrize(
    ("uses", "out", "target"),
    [([], 0, 1), ([(0.0, 1)], 1, 0), ([(0.0, 1)], 0, 1), ([(0.0, 1), (0.0, 3)], 1, 2), ([(1e4, 5)], 0, 1)],
    ids=["unused", "the one is out", "the one is back", "three were out at once", "long ago"],
)
def test_of_a_reusable_sort_as_many_are_kept_as_were_out_at_once(
    uses: list[tuple[float, int]], out: int, target: int
) -> None:
    now = 1e6
    shelf = Shelf(Factory("a", reusable=True).sort, wanted_at=now, out=out)
    shelf.uses.extend((now - age, at_once) for age, at_once in uses)
    assert shelf.target(now) == target


def test_a_sort_that_nobody_wanted_for_long_is_not_kept() -> None:
    shelf = Shelf(Factory("a").sort, wanted_at=0.0)
    assert shelf.target(shelf_module.FORGET) == 1
    assert shelf.target(shelf_module.FORGET + 1) == 0


def test_a_forgotten_sort_leaves_no_shelf(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE", 0.01)
    things = Factory("a")
    pool.want(things.sort)
    assert pool.fill(PATIENCE)
    monkeypatch.setattr(shelf_module, "FORGET", 0.01)
    other = Factory("b")
    until(lambda: (pool.want(other.sort), [each.label for each in pool.status().shelves])[1] == ["sort b"], "one shelf")
    assert pool.settle(PATIENCE)
    assert [len(each.discards) for each in things.made] == [1]


def test_stocks_follow_use_and_shrink_after_it(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    things = Factory("a")
    taken = [pool.take(things.sort) for _ in range(3)]  # the later ones may find what was made meanwhile
    assert pool.fill(PATIENCE)
    assert [(each.ready, each.target) for each in pool.status().shelves] == [(4, 4)]
    monkeypatch.setattr(shelf_module, "LATELY", 0.01)
    monkeypatch.setattr(pool_module, "IDLE", 0.01)
    pool.want(things.sort)  # looks again, now that it may shrink
    until(lambda: len(pool.ready()) == 1, "a stock of one")
    assert pool.settle(PATIENCE)
    assert sorted(len(each.discards) for each in things.made if each not in taken) == [0, 1, 1, 1]


def test_a_member_that_has_grown_old_is_replaced(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE", 0.01)
    things = Factory("a")
    pool.want(things.sort)
    assert pool.fill(PATIENCE)
    monkeypatch.setattr(pool_module, "MAX_AGE", 0.0)
    pool.want(things.sort)
    until(lambda: things.made[0].discards and len(things.made) > 1, "another in its place")


def test_the_status_tells_how_each_shelf_stands(pool: Pool) -> None:
    things, others = Factory("a", size_bytes=3 * MIB), Factory("b", reusable=True)
    pool.take(things.sort)
    pool.want(others.sort)
    assert pool.fill(PATIENCE)
    told = {each.label: (each.ready, each.target, each.memory_bytes) for each in pool.status().shelves}
    assert told == {"sort a": (2, 2, 6 * MIB), "sort b": (1, 1, MIB)}


# Members that come back


def test_a_reusable_member_comes_back_once_it_is_refreshed(pool: Pool) -> None:
    judges = Factory("j", reusable=True)
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    taken = pool.take(judges.sort)
    assert taken is not None
    refreshed: list[bool] = []
    pool.give_back(judges.sort, taken, lambda: refreshed.append(True) or True)
    assert pool.settle(PATIENCE)
    assert pool.take(judges.sort) is taken
    assert (refreshed, judges.made, taken.discards) == ([True], [taken], [])


def broken() -> bool:
    raise OSError("broken")


@pytest.mark.parametrize("refresh", [lambda: False, broken], ids=["false", "raises"])
def test_a_member_that_cannot_be_refreshed_is_discarded_and_another_takes_its_place(
    pool: Pool, refresh: Callable[[], bool]
) -> None:
    judges = Factory("j", reusable=True)
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    taken = pool.take(judges.sort)
    assert taken is not None
    pool.give_back(judges.sort, taken, refresh)
    assert pool.settle(PATIENCE)
    assert pool.fill(PATIENCE)
    assert len(taken.discards) == 1
    assert pool.ready() == judges.made[1:] != []


def test_a_member_that_cannot_even_be_discarded_does_not_keep_another_from_its_place(pool: Pool) -> None:
    class Stubborn(Thing):
        def discard(self) -> None:
            raise OSError("the engine is away")

    judges, stubborn = Factory("j", reusable=True), Stubborn("stubborn")
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    assert pool.take(judges.sort) is judges.made[0]  # in whose place the other comes back
    pool.give_back(judges.sort, stubborn, lambda: False)
    assert pool.settle(PATIENCE)
    assert pool.fill(PATIENCE)
    assert pool.ready() == judges.made[1:] != []


def test_while_the_one_is_out_none_is_made_in_its_place(pool: Pool) -> None:
    judges = Factory("j", reusable=True)
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    pool.take(judges.sort)
    assert pool.fill(PATIENCE)
    assert len(judges.made) == 1


def test_a_cold_take_of_a_reusable_sort_counts_as_out_until_it_is_lost(pool: Pool) -> None:
    judges = Factory("j", reusable=True)
    assert pool.take(judges.sort) is None
    assert pool.fill(PATIENCE)
    assert judges.made == []  # the caller makes it
    pool.lose(judges.sort, None)
    assert pool.fill(PATIENCE)
    assert pool.ready() == judges.made[:1] != []


def test_a_lost_member_is_discarded_and_another_takes_its_place(pool: Pool) -> None:
    judges = Factory("j", reusable=True)
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    taken = pool.take(judges.sort)
    pool.lose(judges.sort, taken)
    assert pool.settle(PATIENCE)
    assert pool.fill(PATIENCE)
    assert taken is judges.made[0]
    assert len(judges.made[0].discards) == 1
    assert pool.ready() == judges.made[1:] != []


def returning(pool: Pool, judges: Factory) -> tuple[Thing, threading.Event]:
    """Return a member on its way back, and what lets it arrive."""
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    taken, arrives = pool.take(judges.sort), threading.Event()
    assert taken is not None
    pool.give_back(judges.sort, taken, lambda: arrives.wait(PATIENCE))
    return taken, arrives


def test_a_patient_taker_gets_the_member_that_is_on_its_way_back(pool: Pool) -> None:
    taken, arrives = returning(pool, judges := Factory("j", reusable=True))
    got = beside(lambda: pool.take(judges.sort, patience=PATIENCE))
    arrives.set()
    assert got() is taken


def test_an_impatient_taker_does_not_wait(pool: Pool) -> None:
    _, arrives = returning(pool, judges := Factory("j", reusable=True))
    assert pool.take(judges.sort) is None
    arrives.set()


def test_patience_has_its_end(pool: Pool) -> None:
    _, arrives = returning(pool, judges := Factory("j", reusable=True))
    assert pool.take(judges.sort, patience=0.02) is None
    arrives.set()


def test_a_patient_taker_does_not_wait_when_none_is_coming_back(shelf_only: Pool) -> None:
    judges = Factory("j", reusable=True)
    shelf_only.want(judges.sort)
    assert beside(lambda: shelf_only.take(judges.sort, patience=3600) is None)()


def test_a_patient_taker_stops_waiting_when_the_member_does_not_make_it(pool: Pool) -> None:
    judges, gate = Factory("j", reusable=True), threading.Event()
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    taken = pool.take(judges.sort)
    assert taken is not None
    judges.failures = -1  # nor does another come
    pool.give_back(judges.sort, taken, lambda: gate.wait(PATIENCE) and False)
    got = beside(lambda: pool.take(judges.sort, patience=3600) is None)
    gate.set()
    assert got()


# The budget


def test_for_a_newer_want_the_longest_unused_goes(make_pool: MakePool) -> None:
    pool = make_pool(3 * MIB)
    old, middle, new = (Factory(name) for name in "abc")
    for each in (old, middle, new):
        pool.want(each.sort)
        assert pool.fill(PATIENCE)
    for each in (old, new):  # used since: now `middle` is the longest unused
        pool.want(each.sort)
    pool.take(new.sort)
    assert pool.fill(PATIENCE)
    assert pool.settle(PATIENCE)
    assert [len(each.discards) for each in middle.made] == [1]
    assert {thing.name for thing in pool.ready()} == {"a1", "c2", "c3"}


def test_nothing_that_was_wanted_later_goes_for_what_was_wanted_before(make_pool: MakePool) -> None:
    pool = make_pool(2 * MIB)
    old, new = Factory("a"), Factory("b")
    pool.take(old.sort)  # wants two
    assert pool.fill(PATIENCE)
    pool.take(new.sort)  # wants two, and is newer
    assert pool.fill(PATIENCE)
    pool.settle(PATIENCE)
    assert {thing.name for thing in pool.ready()} == {"b1", "b2"}
    assert pool.fill(PATIENCE)  # and so it stays
    assert len(old.made) == 2


def test_all_together_stay_below_the_budget_also_when_a_new_sort_is_larger_than_was_known(make_pool: MakePool) -> None:
    pool = make_pool(3 * MIB)
    factories = [Factory(name) for name in "abc"] + [Factory("large", size_bytes=2 * MIB)]
    for each in factories:
        pool.want(each.sort)
        assert pool.fill(PATIENCE)

    def held() -> int:
        return sum(each.memory_bytes for each in pool.status().shelves)

    until(lambda: held() <= 3 * MIB, "a stock within the budget")
    assert pool.settle(PATIENCE)
    assert "large1" in {thing.name for thing in pool.ready()}


def test_what_can_never_fit_is_not_made_again_and_again(make_pool: MakePool) -> None:
    pool = make_pool(MIB)
    huge = Factory("huge", size_bytes=4 * MIB)
    for _ in range(20):
        pool.take(huge.sort)
        assert pool.fill(PATIENCE)
    assert len(huge.made) <= 2


def test_nothing_goes_for_what_would_find_no_room_even_then(make_pool: MakePool) -> None:
    pool = make_pool(6 * MIB)
    small, large = [Factory(name) for name in "ab"], Factory("large", size_bytes=4 * MIB)
    new = [Factory(name) for name in "cdef"]
    for each in (*small, large, *new):
        pool.want(each.sort)
        assert pool.fill(PATIENCE)
    assert pool.settle(PATIENCE)
    assert {thing.name for thing in pool.ready()} == {"a2", "b2", "c1", "d1", "e1", "f1"}
    assert len(large.made) == 1  # `large` made way for the new ones, and the small ones found room again


@settings(max_examples=50, deadline=None)
@given(
    wants=st.lists(st.integers(0, 5), min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 9), min_size=6, max_size=6),
    budget=st.integers(1, 24),
)
def test_whatever_is_wanted_the_pool_comes_to_rest(wants: list[int], sizes: list[int], budget: int) -> None:
    pool = Pool(budget * MIB)
    try:
        factories = [Factory(f"s{n}", size_bytes=size * MIB) for n, size in enumerate(sizes)]
        for number in wants:
            pool.want(factories[number].sort)
        assert pool.fill(PATIENCE)
        assert sum(thing.size_bytes for thing in pool.ready() if isinstance(thing, Thing)) <= budget * MIB
        assert sum(len(each.made) for each in factories) <= len(factories) ** 2
    finally:
        pool.close()


# Members that die


def test_the_dead_are_passed_over_and_discarded(shelf_only: Pool) -> None:
    things = Factory("a")
    shelf_only.want(things.sort)
    for _ in range(3):
        shelf_only.put(things.sort, things.make())
    things.made[0].lives = things.made[1].lives = False
    assert shelf_only.take(things.sort) is things.made[2]
    assert shelf_only.settle(PATIENCE)
    assert [len(each.discards) for each in things.made] == [1, 1, 0]


def test_a_shelf_of_the_dead_is_an_empty_one(shelf_only: Pool) -> None:
    things = Factory("a")
    shelf_only.want(things.sort)
    shelf_only.put(things.sort, things.make())
    things.made[0].lives = False
    assert shelf_only.take(things.sort) is None
    assert shelf_only.cold == 1


def test_one_that_dies_on_its_shelf_is_replaced(pool: Pool) -> None:
    things = Factory("a")
    pool.want(things.sort)
    assert pool.fill(PATIENCE)
    things.made[0].lives = False
    pool.want(things.sort)
    until(lambda: things.made[0].discards and pool.ready() == things.made[1:], "another in its place")


# Makers that fail


def test_failures_do_not_end_the_refilling(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "BACK_OFF", (0.001, 0.002))
    things = Factory("a")
    things.failures = 5
    pool.want(things.sort)
    until(lambda: pool.ready() == things.made[:1] != [], "one after five failures")
    assert len(things.tried) == 6


def test_after_each_failure_in_a_row_the_pause_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "BACK_OFF", (0.02, 0.08))
    pool, things = Pool(PLENTY), Factory("a")
    things.failures = -1
    pool.want(things.sort)
    until(lambda: len(things.tried) >= 5, "five tries")
    pool.close()
    pauses = [after - before for before, after in zip(things.tried[:4], things.tried[1:5], strict=True)]
    assert [pause >= least for pause, least in zip(pauses, (0.02, 0.04, 0.08, 0.08), strict=True)] == [True] * 4


def test_a_sort_that_cannot_be_made_does_not_hold_up_the_others(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "BACK_OFF", (0.001, 0.002))
    sound, unsound = Factory("a"), Factory("b")
    pool.want(sound.sort)
    assert pool.fill(PATIENCE)
    unsound.failures = -1
    pool.want(unsound.sort)  # wanted later than the other, and always the emptiest
    until(lambda: len(unsound.tried) > 3, "tries")
    sound.made[0].lives = False
    until(lambda: len(sound.made) > 1, "another of the sort that can be made")


def test_fill_tells_when_it_could_not(pool: Pool) -> None:
    things = Factory("a")
    things.failures = -1
    pool.want(things.sort)
    assert not pool.fill(0.05)


# Beside running jobs


def test_refills_wait_while_a_job_runs_unless_a_shelf_is_empty(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "QUIET", 0.005)
    things = Factory("a")
    pool.want(things.sort)
    assert pool.fill(PATIENCE)
    with pool.job():
        pool.take(things.sort)
        until(lambda: len(pool.ready()) == 1, "one on the empty shelf")
        time.sleep(0.1)  # time enough for one more
        assert len(things.made) == 2
    assert pool.fill(PATIENCE)
    assert len(pool.ready()) == 2


def test_a_job_that_raises_has_ended_all_the_same(pool: Pool) -> None:
    things = Factory("a")
    with pytest.raises(ValueError, match="job"), pool.job():
        raise ValueError("job")
    pool.take(things.sort)
    assert pool.fill(PATIENCE)
    assert len(pool.ready()) == 2


def test_discarding_goes_on_beside_the_jobs_and_can_be_waited_for(shelf_only: Pool) -> None:
    boxes, gate = Factory("b"), threading.Event()
    box = boxes.make()
    box.held_up = gate
    shelf_only.lose(boxes.sort, box)
    assert not shelf_only.settle(0.02)
    gate.set()
    assert shelf_only.settle(PATIENCE)
    assert len(box.discards) == 1


def test_discarding_that_cannot_keep_up_slows_down_who_adds_to_it(
    shelf_only: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "MOST_CHORES", 2)
    boxes, gate = Factory("b"), threading.Event()
    for _ in range(2):
        boxes.make().held_up = gate
        shelf_only.lose(boxes.sort, boxes.made[-1])
    for _ in range(2):
        shelf_only.lose(boxes.sort, boxes.make())
    assert len(boxes.made[-1].discards) == 1  # done when it returns
    gate.set()
    assert shelf_only.settle(PATIENCE)


# Its end


def test_closing_discards_everything_and_nothing_is_made_any_more() -> None:
    pool = Pool(PLENTY)
    things, judges = Factory("a"), Factory("j", reusable=True)
    pool.take(things.sort)
    pool.want(judges.sort)
    assert pool.fill(PATIENCE)
    pool.close()
    made = [*things.made, *judges.made]
    assert [len(each.discards) for each in made] == [1] * 3
    pool.want(things.sort)
    assert pool.take(things.sort) is None
    assert (pool.ready(), len([*things.made, *judges.made])) == ([], 3)
    pool.close()  # a second time does nothing
    assert [len(each.discards) for each in made] == [1] * 3


def test_what_comes_after_the_end_is_discarded() -> None:
    pool, judges = Pool(PLENTY), Factory("j", reusable=True)
    taken = [judges.make() for _ in range(3)]
    pool.want(judges.sort)
    pool.close()
    pool.put(judges.sort, taken[0])
    pool.lose(judges.sort, taken[1])
    pool.give_back(judges.sort, taken[2], fresh)
    assert [len(each.discards) for each in taken] == [1] * 3


def test_what_is_being_made_at_the_end_is_discarded() -> None:
    pool, things = Pool(PLENTY), Factory("a")
    things.gate = threading.Event()
    pool.want(things.sort)
    until(lambda: things.tried, "a making that has begun")
    closed = beside(lambda: pool.close() is None)
    things.gate.set()
    assert closed()
    assert [len(each.discards) for each in things.made] == [1]


class Interrupted(threading.Condition):
    """A pool's condition whose lock, let go for the n-th time, lets somebody else do something to its end."""

    def __init__(self, releases: int, interrupt: Callable[[], Any]) -> None:
        super().__init__()
        self._releases, self._interrupt = releases, interrupt

    def __exit__(self, *args: Any) -> None:
        super().__exit__(*args)
        self._releases -= 1
        if self._releases == 0:
            thread = threading.Thread(target=self._interrupt, daemon=True)
            thread.start()
            thread.join(0.1)  # where it has to wait for us it cannot end


GOING: dict[str, Callable[[Pool, Factory, Thing], None]] = {
    "lost": lambda pool, judges, thing: pool.lose(judges.sort, thing),
    "given back": lambda pool, judges, thing: pool.give_back(judges.sort, thing, fresh),
    "put": lambda pool, judges, thing: pool.put(judges.sort, thing),
}


@pytest.mark.parametrize("going", GOING.values(), ids=GOING.keys())
@pytest.mark.parametrize("releases", range(1, 6))
def test_a_member_that_comes_just_while_the_pool_closes_is_discarded(
    releases: int, going: Callable[[Pool, Factory, Thing], None]
) -> None:
    pool, judges = Pool(0), Factory("j", reusable=True)
    pool.want(judges.sort)
    for _ in range(8):
        pool.lose(judges.sort, None)
        pool.give_back(judges.sort, judges.make(), lambda: False)  # whoever does chores is at work
    assert pool.settle(PATIENCE)
    pool._changed = Interrupted(releases, pool.close)
    going(pool, judges, judges.make())
    assert beside(lambda: pool.close() is None)()
    assert pool.settle(PATIENCE)
    assert [len(each.discards) for each in judges.made] == [1] * 9


AT_EXIT = """
import atexit, sys
from sandbox.pool import Pool
from sandbox.shelf import Sort

class Thing:
    containers = ()
    alive = lambda self: True
    memory_bytes = lambda self: 1
    discard = lambda self: print("discarded", flush=True)

pool = Pool(1 << 20)
atexit.register(pool.close)
pool.want(Sort(key="a", label="a", make=Thing))
assert pool.fill(20)
"""


def test_a_program_that_just_ends_leaves_nothing_behind() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", AT_EXIT], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("discarded\n", "", 0)


# Whatever the order

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["want", "take", "take", "put", "lose", "give_back", "give_back", "die", "fail"]),
        st.integers(0, 2),
        st.integers(0, 7),
    ),
    max_size=30,
)
REFRESHES: tuple[Callable[[], bool], ...] = (fresh, fresh, lambda: False, broken)


class Story:
    """A pool, what was ever made for it, and what is taken just now."""

    def __init__(self, budget_bytes: int) -> None:
        self.pool = Pool(budget_bytes)
        self.factories = [Factory("box"), Factory("judge", reusable=True), Factory("large", size_bytes=2 * MIB)]
        self.taken: list[tuple[Factory, Thing]] = []

    def step(self, verb: str, which: int, number: int) -> None:
        """Do one thing."""
        factory = self.factories[which]
        if verb == "want":
            self.pool.want(factory.sort)
        elif verb == "take":
            self.taken.append((factory, self.pool.take(factory.sort) or self._make(factory)))
        elif verb == "put":
            self.pool.put(factory.sort, self._make(factory))
        elif verb == "fail":
            factory.failures = number % 3
        elif verb == "die":
            for each in self.pool.ready()[:number]:
                assert isinstance(each, Thing)
                each.lives = False
        elif self.taken:
            factory, thing = self.taken.pop(number % len(self.taken))
            if verb == "lose":
                self.pool.lose(factory.sort, thing)
            else:
                self.pool.give_back(factory.sort, thing, REFRESHES[number % len(REFRESHES)])

    def _make(self, factory: Factory) -> Thing:
        while True:  # a factory that is to fail does so for the pool and for us
            try:
                return factory.make()
            except OSError:
                continue

    def places(self) -> dict[str, list[str]]:
        """Return where each member that was ever made is."""
        with self.pool._changed:
            ready = self.pool.ready()
            taken = [thing for _, thing in self.taken]
            return {
                thing.name: ["ready"] * ready.count(thing)
                + ["taken"] * taken.count(thing)
                + ["discarded"] * len(thing.discards)
                for factory in self.factories
                for thing in list(factory.made)
            }

    def check(self) -> None:
        """Each member is in one place, or for the moment on its way to one."""

        def settled() -> bool:
            places = self.places()
            assert all(len(where) <= 1 for where in places.values()), places
            return all(len(where) == 1 for where in places.values())

        until(settled, "every member in its place")


@settings(max_examples=100, deadline=None)
@given(steps=STEPS, budget=st.sampled_from([0, 2 * MIB, 4 * MIB, PLENTY]))
def test_every_member_is_always_in_one_place_and_none_is_left_at_the_end(
    steps: list[tuple[str, int, int]], budget: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool_module, "BACK_OFF", (0.001, 0.002))
        story = Story(budget)
        try:
            for step in steps:
                story.step(*step)
                story.check()
        finally:
            story.pool.close()
    taken = {thing.name for _, thing in story.taken}
    assert story.places() == {name: ["taken" if name in taken else "discarded"] for name in story.places()}
