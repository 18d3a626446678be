"""The rules of the proof gate: results of the runs → what is missing. Pure.

Every rule is a function that yields findings; a rule that yields none holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.authoring import leaks
from app.authoring.trials import Result, Role
from app.catalog.format import Source
from app.submissions.verdict import Verdict
from sandbox.job import MIB

SHARE = 0.5  # of its limits that a reference may use
LEAST_WRONG = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Where a rule does not hold, and why."""

    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the gate and how it went."""

    name: str
    title: str
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether the rule holds."""
        return not self.findings


Check = Callable[[Source, Sequence[Result]], Iterator[Finding]]


def rules(source: Source, results: Sequence[Result]) -> list[Rule]:
    """Return every rule with what was found against it."""
    return [
        Rule(name=name, title=title, findings=tuple(dict.fromkeys(check(source, results))))
        for name, title, check in _RULES
    ]


def only_starter(source: Source, results: Iterable[Result]) -> list[str]:
    """Return the hidden checks that no wrong solution fails, only a starter: not forbidden, but worth a look."""
    results = list(results)
    by_wrong = {check_id for result in _of(results, Role.WRONG) for check_id in result.failed}
    by_starter = {check_id for result in _of(results, Role.STARTER) for check_id in result.failed}
    return [check.id for check in source.spec.checks if not check.visible and check.id in by_starter - by_wrong]


def _of(results: Iterable[Result], *roles: Role) -> Iterator[Result]:
    """Yield the results of these roles that say something of the exercise: not those the platform spoilt."""
    return (result for result in results if result.trial.role in roles and result.verdict is not Verdict.JUDGE_ERROR)


def _judged(_source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    for result in results:
        if result.verdict is Verdict.JUDGE_ERROR:
            reason = result.outcome.reason or "the checks that were reported are not those of the manifest"
            yield Finding(where=_place(result), message=f"judge error: {_line(reason)}")


def _references(_source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    for result in _of(results, Role.REFERENCE):
        if result.verdict is not Verdict.ACCEPTED:
            failed = f", failed {_ids(result.failed)}" if result.failed else ""
            yield Finding(where=_place(result), message=f"{result.verdict}{failed}{_why(result)}")


def _room(source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    limits = source.spec.limits
    time_left, memory_left = timedelta(seconds=limits.seconds) * SHARE, limits.memory_mb * MIB * SHARE
    for result in _of(results, Role.REFERENCE):
        wall, memory = result.outcome.wall_time, result.outcome.max_memory_bytes
        if wall > time_left:
            message = f"took {wall.total_seconds():.1f} s, more than half of limits.seconds ({limits.seconds})"
            yield Finding(where=_place(result), message=message)
        if memory > memory_left:
            message = f"used {memory / MIB:.0f} MB, more than half of limits.memory_mb ({limits.memory_mb})"
            yield Finding(where=_place(result), message=message)


def _starter(_source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    for result in _of(results, Role.STARTER):
        if result.verdict is Verdict.ACCEPTED:
            yield Finding(where=_place(result), message="is accepted; nothing is left to do")


def _enough_wrong(source: Source, _results: Sequence[Result]) -> Iterator[Finding]:
    if len(source.spec.wrong) < LEAST_WRONG:
        yield Finding(where="exercise.yaml", message=f"lists {len(source.spec.wrong)} wrong solutions; at least two")


def _wrong(_source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    for result in _of(results, Role.WRONG):
        wrong = result.trial.wrong
        assert wrong is not None  # every wrong trial carries its entry
        passed = set(wrong.must_fail) - result.failed
        beyond = result.failed - {*wrong.must_fail, *wrong.may_fail}
        if passed:
            yield Finding(where=_place(result), message=f"must fail {_ids(passed)} but passed{_why(result)}")
        if beyond:
            message = f"failed {_ids(beyond)}, which is in neither must_fail nor may_fail{_why(result)}"
            yield Finding(where=_place(result), message=message)


def _dead(source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    failed = {check_id for result in _of(results, Role.WRONG, Role.STARTER) for check_id in result.failed}
    for check in source.spec.checks:
        if not check.visible and check.id not in failed:
            yield Finding(where=f"check {check.id}", message="no wrong solution and no starter fails it")


def _cheats(source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    for result in _of(results, Role.CHEAT):
        if result.verdict is Verdict.ACCEPTED:
            yield Finding(where=_place(result), message="is accepted, although it knows nothing of the exercise")
    if all(check.visible for check in source.spec.checks):
        message = "every check is visible, so an answer made of the visible cases is accepted"
        yield Finding(where="exercise.yaml: checks", message=message)


def _silent(source: Source, results: Sequence[Result]) -> Iterator[Finding]:
    hidden = leaks.hidden_literals(source)
    visible = [check.id for check in source.checks(visible_only=True)]
    for leak in leaks.in_folder(source, hidden):
        yield Finding(where=leak.where, message=str(leak))
    for result in results:
        place = _place(result)
        for leak in leaks.in_outcome(result.outcome, visible, hidden, place):
            yield Finding(where=leak.where, message=str(leak))
        for check_id in leaks.talkative(result.outcome, visible):
            yield Finding(where=place, message=f"hidden check {check_id} says more than whether it passed")


def _place(result: Result) -> str:
    seed = f", seed {result.trial.seed}" if result.trial.role is Role.REFERENCE else ""
    return f"{result.trial.name}{seed}"


def _ids(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids))


def _why(result: Result) -> str:
    """Return how a run ended, when that was not by its checks."""
    said = result.outcome.detail or result.outcome.reason
    if result.verdict in {Verdict.ACCEPTED, Verdict.WRONG_ANSWER}:
        return ""
    return f" ({result.verdict}: {_line(said)})" if said else f" ({result.verdict})"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:300]}…"


_RULES: tuple[tuple[str, str, Check], ...] = (
    ("judged", "Every run came to a verdict", _judged),
    ("references", "Every reference passes all checks, whatever the seed", _references),
    ("room", "References use at most half of the limits", _room),
    ("starter", "The starter is rejected", _starter),
    ("enough-wrong", "There are at least two wrong solutions", _enough_wrong),
    ("wrong", "Each wrong solution fails what it must, and nothing beyond what it may", _wrong),
    ("dead-checks", "Every hidden check is failed by a wrong solution or the starter", _dead),
    ("cheats", "Answers that know nothing of the exercise are rejected", _cheats),
    ("silent", "Nothing that learners read holds a value of a hidden test", _silent),
)
