"""Keeps what takes long to make ready ahead of use: boxes by blueprint, judges by suite.

Who needs one takes it without making it, or gets None and makes one cold. The pool refills beside
the jobs: an empty shelf at once, the others while no job runs. How many of a sort are kept follows
how many were used of late; all together stay below a budget of memory, the longest unused going first.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from sandbox.shelf import MOST, M, Member, PoolStatus, Shelf, ShelfStatus, Sort

log = logging.getLogger("greenroom.sandbox")

MAX_AGE = 6 * 3600.0  # a member older than this is replaced
QUIET = 2.0  # seconds between looks while jobs run
IDLE = 60.0  # and while none does
BACK_OFF = (1.0, 30.0)  # after a failure: the first pause, and the longest
CHORES = 4  # members refreshed or discarded side by side
MOST_CHORES = 32  # waiting; whoever adds one more does it himself, so that nothing piles up


class Pool:
    """Shelves of ready members, a thread that refills them, and others that clear away what was used."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.warm = 0  # takes that were served
        self.cold = 0  # takes that found nothing
        self._shelves: dict[Hashable, Shelf] = {}
        self._changed = threading.Condition()
        self._jobs = 0
        self._closed = False
        self._refiller: threading.Thread | None = None
        # Not an executor of concurrent.futures: those are shut before the process's last words, where close is called.
        self._chores: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._chore_threads: list[threading.Thread] = []
        self._waiting_chores = 0

    def want(self, sort: Sort[Any]) -> None:
        """Keep at least one member of `sort` ready from now on."""
        with self._changed:
            self._shelf(sort)
            self._changed.notify_all()

    def take(self, sort: Sort[M], *, patience: float = 0.0) -> M | None:
        """Return a ready member, which is the caller's from now on, or None.

        Waits only for a reusable one that is on its way back, and for at most `patience` seconds.
        """
        deadline = time.monotonic() + patience
        with self._changed:
            shelf = self._shelf(sort)
            member = self._living(shelf)
            while member is None and shelf.returning and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())
                member = self._living(shelf)
            shelf.out += sort.reusable
            shelf.uses.append((time.monotonic(), shelf.out))
            self.warm += member is not None
            self.cold += member is None
            self._changed.notify_all()
            return cast("M | None", member)

    def put(self, sort: Sort[Any], member: Member) -> None:
        """Take in a member; it is discarded when there is no place for it."""
        with self._changed:
            shelf = self._shelves.get(sort.key)
            if shelf is not None and not self._closed and len(shelf.ready) < MOST:
                shelf.size_bytes = member.memory_bytes() or shelf.size_bytes
                shelf.ready.append((time.monotonic(), member))
                shelf.retry_at = shelf.pause = 0.0
                self._trim()
                self._changed.notify_all()
                return
        member.discard()

    def give_back(self, sort: Sort[Any], member: Member, refresh: Callable[[], bool]) -> None:
        """Let a taken reusable member come back once `refresh` has made it as new; discard it when that fails."""

        def chore() -> None:
            fresh = False
            try:
                fresh = refresh()
            except Exception as error:  # whatever broke it: it is not used again
                if not self._closed:
                    log.warning("pool.refresh_failed %s: %s", sort.label, error)
            try:
                if fresh:
                    self.put(sort, member)
                else:
                    member.discard()
            finally:
                self._left(sort, returning=True)

        with self._changed:
            if shelf := self._shelves.get(sort.key):
                shelf.returning += 1
        self._later(chore)

    def lose(self, sort: Sort[Any], member: Member | None) -> None:
        """Discard a taken member beside the jobs; of a reusable sort another may take its place."""
        if member is not None:
            self._later(member.discard)
        if sort.reusable:
            self._left(sort)

    @contextmanager
    def job(self) -> Iterator[None]:
        """While this lasts, refills that can wait do."""
        with self._changed:
            self._jobs += 1
        try:
            yield
        finally:
            with self._changed:
                self._jobs -= 1
                self._changed.notify_all()

    def status(self) -> PoolStatus:
        """Return how each shelf stands."""
        now = time.monotonic()
        with self._changed:
            shelves = tuple(
                ShelfStatus(
                    label=shelf.sort.label,
                    ready=len(shelf.ready),
                    target=shelf.target(now),
                    memory_bytes=sum(member.memory_bytes() for _, member in shelf.ready),
                )
                for shelf in self._shelves.values()
            )
            return PoolStatus(budget_bytes=self.budget_bytes, warm=self.warm, cold=self.cold, shelves=shelves)

    def ready(self) -> list[Member]:
        """Return the members that are held ready."""
        with self._changed:
            return [member for shelf in self._shelves.values() for _, member in shelf.ready]

    def settle(self, seconds: float = 60.0) -> bool:
        """Return whether everything given back or lost was cleared away within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting_chores == 0, seconds)

    def fill(self, seconds: float = 60.0) -> bool:
        """Return whether every shelf held what it should within `seconds`."""

        def full() -> bool:
            busy = self._waiting_chores or any(s.making or s.returning for s in self._shelves.values())
            return not busy and self._next(time.monotonic(), patient=False) is None

        with self._changed:
            return self._changed.wait_for(full, seconds)

    def close(self) -> None:
        """Discard everything; nothing is made any more."""
        with self._changed:
            self._closed = True
            members = [member for shelf in self._shelves.values() for _, member in shelf.ready]
            self._shelves.clear()
            for member in members:
                self._chore(member.discard)
            self._changed.notify_all()
        self.settle()
        for _ in self._chore_threads:
            self._chores.put(None)
        if self._refiller is not None:
            self._refiller.join(timeout=30)

    def _shelf(self, sort: Sort[Any]) -> Shelf:
        shelf = self._shelves.get(sort.key)
        if shelf is None:
            shelf = Shelf(sort)
            if not self._closed:
                self._shelves[sort.key] = shelf
        shelf.wanted_at = time.monotonic()
        if self._refiller is None and self.budget_bytes and not self._closed:
            self._refiller = threading.Thread(target=self._refill, name="pool", daemon=True)
            self._refiller.start()
        return shelf

    def _living(self, shelf: Shelf) -> Member | None:
        while shelf.ready:
            _, member = shelf.ready.popleft()
            if member.alive():
                return member
            self._later(member.discard)
        return None

    def _left(self, sort: Sort[Any], *, returning: bool = False) -> None:
        with self._changed:
            if shelf := self._shelves.get(sort.key):
                shelf.out = max(0, shelf.out - 1)
                shelf.returning -= returning
            self._changed.notify_all()

    def _later(self, chore: Callable[[], None]) -> None:
        """Do `chore` beside the jobs, unless too many wait already."""
        with self._changed:
            crowded = self._waiting_chores > MOST_CHORES or self._closed
            if not crowded:
                self._chore(chore)  # before anybody can close
        if crowded:
            chore()

    def _chore(self, chore: Callable[[], None]) -> None:
        """Hand `chore` to the threads for it; the lock is held."""
        self._waiting_chores += 1
        if len(self._chore_threads) < min(CHORES, self._waiting_chores):
            thread = threading.Thread(target=self._do_chores, name="chores", daemon=True)
            self._chore_threads.append(thread)
            thread.start()
        self._chores.put(chore)

    def _do_chores(self) -> None:
        while chore := self._chores.get():
            try:
                chore()
            except Exception:  # a chore that fails must not end the thread
                log.exception("pool.chore_failed")
            with self._changed:
                self._waiting_chores -= 1
                self._changed.notify_all()

    def _refill(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                self._weed(time.monotonic())
                shelf = self._next(time.monotonic(), patient=True)
                if shelf is None:
                    self._changed.wait(self._nap(time.monotonic()))
                    continue
                self._make_room(shelf)
                shelf.making += 1
            made = False
            try:
                self.put(shelf.sort, shelf.sort.make())
                made = True
            except Exception as error:  # an engine that is away: jobs say so to whoever asks, the pool tries again
                log.warning("pool.refill_failed %s: %s", shelf.sort.label, error)
            with self._changed:
                shelf.making -= 1
                if not made:
                    shelf.pause = min(max(2 * shelf.pause, BACK_OFF[0]), BACK_OFF[1])
                    shelf.retry_at = time.monotonic() + shelf.pause
                self._changed.notify_all()

    def _nap(self, now: float) -> float:
        """Return how long nothing needs to be done unless something changes."""
        retries = [shelf.retry_at - now for shelf in self._shelves.values() if shelf.retry_at > now]
        return min([QUIET if self._jobs else IDLE, *retries])

    def _next(self, now: float, *, patient: bool) -> Shelf | None:
        """Return the shelf to make one for: the emptiest, of these the last wanted; the lock is held."""
        if self._closed or not self.budget_bytes:
            return None
        short = [
            shelf
            for shelf in self._shelves.values()
            if len(shelf.ready) < shelf.target(now) and (shelf.retry_at <= now or not patient)
        ]
        for shelf in sorted(short, key=lambda s: (len(s.ready), -s.wanted_at)):
            if patient and shelf.ready and self._jobs:
                return None
            if self._fits(shelf):
                return shelf
        return None

    def _fits(self, shelf: Shelf) -> bool:
        """Return whether one more has room beside what was wanted later: the rest could go; the lock is held.

        Nothing goes for one that would find no room even then: it and the others would drive each other out for ever.
        """
        stay = sum(s.held_bytes() for s in self._shelves.values() if s.wanted_at >= shelf.wanted_at)
        return stay + shelf.size_bytes <= self.budget_bytes

    def _make_room(self, shelf: Shelf) -> None:
        """Discard what was wanted least lately until one more, which fits, has room; the lock is held."""
        while self._held_bytes() + shelf.size_bytes > self.budget_bytes:
            self._drop_oldest()

    def _trim(self) -> None:
        """Discard what was wanted least lately until all fits: a member may be larger than was known.

        The lock is held.
        """
        while self.budget_bytes and self._held_bytes() > self.budget_bytes:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        stocked = [shelf for shelf in self._shelves.values() if shelf.ready]
        _, member = min(stocked, key=lambda shelf: shelf.wanted_at).ready.popleft()
        self._later(member.discard)

    def _held_bytes(self) -> int:
        return sum(shelf.held_bytes() for shelf in self._shelves.values())

    def _weed(self, now: float) -> None:
        """Discard the dead, the old, and what is more than wanted; the lock is held."""
        for key, shelf in list(self._shelves.items()):
            for entry in list(shelf.ready):
                put, member = entry
                surplus = len(shelf.ready) > shelf.target(now) and now - put > IDLE
                if not member.alive() or now - put > MAX_AGE or surplus:
                    shelf.ready.remove(entry)
                    self._later(member.discard)
            if shelf.forgotten(now) and not (shelf.ready or shelf.out or shelf.making):
                del self._shelves[key]
