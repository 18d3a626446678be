"""What the runs of a proof say about its tests: help to write better ones. Pure.

The gate says what must hold; this says where the tests are weak, or where they cannot tell two things apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.authoring.trials import Result, Role
from app.catalog.format import Source
from app.submissions.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A wrong solution and checks that went otherwise than its author said."""

    name: str  # wrong/off-by-one
    reason: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """An answer that knows nothing of the exercise, and how it went."""

    name: str
    verdict: Verdict
    passed: tuple[str, ...]  # checks that it passed all the same

    @property
    def accepted(self) -> bool:
        """Whether the tests took it for a solution."""
        return self.verdict is Verdict.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Wrong solutions that fail exactly the same checks."""

    names: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """A check and the wrong solutions and starters that fail it."""

    check_id: str
    title: str
    visible: bool
    failed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to look at; every list but `catches` may be empty."""

    catches: tuple[Catch, ...]  # one for each check
    dead: tuple[str, ...]  # hidden checks that nothing fails
    only_starter: tuple[str, ...]  # hidden checks that only a starter fails
    survivors: tuple[Miss, ...]  # wrong solutions with checks that they must fail and passed
    beyond: tuple[Miss, ...]  # … that failed what they neither must nor may
    blunt: tuple[str, ...]  # checks that every wrong solution fails
    twins: tuple[Twins, ...]
    cheats: tuple[Cheat, ...]

    @property
    def sound(self) -> bool:
        """Whether there is nothing to do."""
        weak = (self.dead, self.only_starter, self.survivors, self.beyond, self.blunt, self.twins)
        return not any(weak) and not any(cheat.accepted for cheat in self.cheats)


def advise(source: Source, results: Sequence[Result]) -> Advice:
    """Return what `results`, those of every run of a proof, say about the tests of `source`."""
    told = [result for result in results if result.verdict is not Verdict.JUDGE_ERROR]
    wrong = [result for result in told if result.trial.role is Role.WRONG]
    by_wrong = {check_id for result in wrong for check_id in result.failed}
    by_starter = {check_id for result in told if result.trial.role is Role.STARTER for check_id in result.failed}
    hidden = [check.id for check in source.spec.checks if not check.visible]
    unfailed = [check_id for check_id in hidden if check_id not in by_wrong]
    return Advice(
        catches=tuple(_catches(source, told)),
        dead=tuple(check_id for check_id in unfailed if check_id not in by_starter),
        only_starter=tuple(check_id for check_id in unfailed if check_id in by_starter),
        survivors=_misses(source, wrong, survived=True),
        beyond=_misses(source, wrong, survived=False),
        blunt=_blunt(source, wrong),
        twins=_twins(source, wrong),
        cheats=tuple(_cheat(source, result) for result in told if result.trial.role is Role.CHEAT),
    )


def _ordered(source: Source, ids: frozenset[str] | set[str]) -> tuple[str, ...]:
    """Return `ids` in the author's order."""
    return tuple(check_id for check_id in source.spec.check_ids if check_id in ids)


def _catches(source: Source, told: Sequence[Result]) -> Iterator[Catch]:
    caught = [result for result in told if result.trial.role in {Role.WRONG, Role.STARTER}]
    for check in source.spec.checks:
        names = tuple(result.trial.name for result in caught if check.id in result.failed)
        yield Catch(check_id=check.id, title=check.title, visible=check.visible, failed_by=names)


def _misses(source: Source, wrong: Sequence[Result], *, survived: bool) -> tuple[Miss, ...]:
    misses = []
    for result in wrong:
        spec = result.trial.wrong
        assert spec is not None  # every wrong trial carries its entry
        must, may = set(spec.must_fail), {*spec.must_fail, *spec.may_fail}
        checks = _ordered(source, must - result.failed if survived else result.failed - may)
        if checks:
            misses.append(Miss(name=result.trial.name, reason=spec.reason, checks=checks))
    return tuple(misses)


def _blunt(source: Source, wrong: Sequence[Result]) -> tuple[str, ...]:
    """Return the checks that every wrong solution fails: they show that something is wrong, never what."""
    if len(wrong) < 2:
        return ()
    return _ordered(source, frozenset.intersection(*(result.failed for result in wrong)))


def _twins(source: Source, wrong: Sequence[Result]) -> tuple[Twins, ...]:
    alike: dict[frozenset[str], list[str]] = {}
    for result in wrong:
        if result.failed:
            alike.setdefault(result.failed, []).append(result.trial.name)
    return tuple(
        Twins(names=tuple(names), checks=_ordered(source, failed)) for failed, names in alike.items() if len(names) > 1
    )


def _cheat(source: Source, result: Result) -> Cheat:
    passed = set(source.spec.check_ids) - result.failed
    return Cheat(name=result.trial.name, verdict=result.verdict, passed=_ordered(source, passed))
