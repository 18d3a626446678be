"""What a pool keeps: members of one sort on a shelf, how many of them, and how that stands."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from sandbox.container import Container

LATELY = 10.0  # seconds over which use is counted: as many of a sort are kept ready, and one more
MOST = 8  # of one sort
FORGET = 1800.0  # a sort that nobody wanted for so long is not kept


class Member(Protocol):
    """What a pool keeps."""

    @property
    def containers(self) -> tuple[Container, ...]:
        """What it is made of."""
        ...

    def alive(self) -> bool:
        """Whether it can still be used."""
        ...

    def memory_bytes(self) -> int:
        """Memory that it holds now."""
        ...

    def discard(self) -> None:
        """Leave nothing of it. Does not raise."""
        ...


M = TypeVar("M", bound=Member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort(Generic[M]):
    """What members are alike: equal keys mean that one serves as well as the other."""

    key: Hashable
    label: str = field(compare=False)
    make: Callable[[], M] = field(compare=False)
    reusable: bool = field(default=False, compare=False)  # comes back after use


@dataclass(slots=True)
class Shelf:
    """The members of one sort."""

    sort: Sort[Any]
    ready: deque[tuple[float, Member]] = field(default_factory=deque)  # when it was put there, oldest first
    uses: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=64))  # when taken, how many out then
    wanted_at: float = 0.0
    out: int = 0  # taken and not back (reusable ones)
    returning: int = 0  # of these, on their way back
    making: int = 0
    retry_at: float = 0.0  # not before, after a failure
    pause: float = 0.0  # that the last failure brought
    size_bytes: int = 0  # of one member, as last measured

    def target(self, now: float) -> int:
        """Return how many should be ready."""
        if self.forgotten(now):
            return 0
        lately = [out for taken, out in self.uses if now - taken < LATELY]
        if self.sort.reusable:
            return min(MOST, max(0, max([1, *lately]) - self.out))
        return min(MOST, 1 + len(lately))

    def forgotten(self, now: float) -> bool:
        """Return whether nobody has wanted its sort for long."""
        return now - self.wanted_at > FORGET

    def held_bytes(self) -> int:
        """Return how much memory its members hold, as last measured."""
        return len(self.ready) * self.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfStatus:
    """How one shelf stands."""

    label: str
    ready: int
    target: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """How a pool stands, and how its takes went since it was made."""

    budget_bytes: int = 0
    warm: int = 0  # takes that found something ready
    cold: int = 0  # takes that did not
    shelves: tuple[ShelfStatus, ...] = ()
