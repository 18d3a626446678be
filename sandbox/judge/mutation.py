"""Fixture `learner_tests` (kind mutation): runs the learner's tests on variants of a program.

The box says what its tests said; nothing more can be forged than that, and that is what is judged. What must not
pay is to guess which variant is a right one: hidden checks take their runs from one order, drawn from the seed, in
which right and wrong variants stand mixed (`schedule`), whatever check asks first.
"""

from __future__ import annotations

import math
import random
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import wire
from sandbox.errors import WireError
from sandbox.judge.faults import LimitHit
from sandbox.judge.link import Link
from sandbox.judge.suite import Suite, clip
from sandbox.judge.variant import Variant, VariantBroken, error_text, interface_of

FOLDER = "variants"
CORRECT = f"{FOLDER}/correct_"  # how the path of a right variant begins; all others have a bug
ODDS = 1000  # whoever guesses the order is right once in so many submissions, or less often
MOST_CALLS = 10_000  # in one run
RUN_SECONDS = 30.0
MOST_CALL = 256 * 1024  # characters
NAMED = 6  # tests that a step of a visible check names


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the box said of one run."""

    tests: int  # cases that came to an end
    functions: Mapping[str, str]  # test function → passed, failed, skipped
    broken: str  # why the tests could not be run as a whole, else ""

    @property
    def passed(self) -> bool:
        """Whether at least one test ran, and all were passed."""
        outcomes = set(self.functions.values())
        return not self.broken and "passed" in outcomes and "failed" not in outcomes and self.tests > 0

    @property
    def failed(self) -> bool:
        """Whether a test failed."""
        return not self.broken and "failed" in self.functions.values()


@dataclass(slots=True)
class Result:
    """All runs of the learner's tests on one variant."""

    runs: list[Run] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether in every run at least one test ran, and all were passed."""
        return bool(self.runs) and all(run.passed for run in self.runs)

    @property
    def failed(self) -> bool:
        """Whether in every run a test failed."""
        return bool(self.runs) and all(run.failed for run in self.runs)

    @property
    def broken(self) -> bool:
        """Whether the tests could not be run as a whole: not collected, or ended by `os._exit`."""
        return any(run.broken for run in self.runs)

    @property
    def tests(self) -> int:
        """How many cases came to an end in the shortest run."""
        return min((run.tests for run in self.runs), default=0)

    def held(self) -> set[str]:
        """Return the test functions that were passed in every run."""
        each = [{name for name, how in run.functions.items() if how == "passed"} for run in self.runs]
        return set.intersection(*each) if each else set()


class LearnerTests:
    """The learner's tests in their box: `learner_tests.against("variants/correct_a.py").passed`."""

    def __init__(self, link: Link, suite: Suite, variants: Mapping[str, str]) -> None:
        """Raises LimitHit, having ended the suite, when a variant is no Python."""
        self._link, self._suite, self._variants = link, suite, variants
        self._seen: dict[str, Result] = {}  # what visible checks asked for
        self._drawn: dict[str, Result] = {}  # what came out of the order
        self._order = schedule(sorted(variants), suite.seed)
        try:
            self._names = interface_of(variants.values())
        except VariantBroken as error:
            raise self._broken("a variant", error) from error

    def against(self, variant: str) -> Result:
        """Return how the tests did on `variant`. Raises LimitHit when they do not come to an end."""
        if variant not in self._variants:
            raise ValueError(f"{variant!r} is no variant: {', '.join(sorted(self._variants))}")
        if self._suite.current is not None and self._suite.current.visible:
            if variant not in self._seen:
                self._seen[variant] = Result([self._run(variant)])
            return self._seen[variant]
        while variant in self._order:
            following = self._order.pop(0)
            self._drawn.setdefault(following, Result()).runs.append(self._run(following))
        return self._drawn[variant]

    def kills(self, variant: str) -> bool:
        """Return whether a test fails on `variant` that every right variant passes: one that always fails does not.

        In a visible check the first right variant stands for all, so that nothing hidden is run before its time.
        """
        right = self.right[:1] if self._suite.current is not None and self._suite.current.visible else self.right
        sound = set.intersection(*(self.against(each).held() for each in right))
        runs = self.against(variant).runs
        return all(any(run.functions.get(name) == "failed" for name in sound) for run in runs)

    @property
    def right(self) -> list[str]:
        """The right variants."""
        return [name for name in sorted(self._variants) if name.startswith(CORRECT)]

    def _run(self, variant: str) -> Run:
        """Run the tests on `variant` once."""
        if self._suite.ended:
            raise LimitHit("crash", "the box has ended")
        try:
            with Variant(variant, self._variants[variant], self._names) as program:
                run = self._exchange(variant, program)
        except VariantBroken as error:
            raise self._broken(variant, error) from error
        except LimitHit as hit:
            self._suite.step(f"tests on {variant} → {hit}")
            self._suite.end_by(hit.limit)
            raise
        self._suite.step(f"tests on {variant} → {_told(run)}")
        return run

    def _exchange(self, variant: str, program: Variant) -> Run:
        """Order a run and answer its calls until it is over."""
        if self._link.unsolicited():
            raise LimitHit("crash", "the tests wrote to their channel without being asked")
        number, deadline = secrets.token_hex(16), time.monotonic() + min(RUN_SECONDS, self._suite.wall_seconds / 2)
        self._link.send({"op": "run", "id": number, "names": self._names})
        calls = 0
        while True:
            message = self._link.receive(max(0.0, deadline - time.monotonic()))
            if message.get("id") != number or set(message) not in ({"id", "call"}, {"id", "done"}):
                raise LimitHit("crash", "the tests disturbed their channel")
            if "done" in message:
                return self._done(variant, message["done"])
            calls += 1
            if calls > MOST_CALLS:
                answer = error_text("RuntimeError", f"the tests may call at most {MOST_CALLS} times")
            else:
                answer = _answer(program, message["call"], deadline - time.monotonic())
            self._link.send({"op": "answer", "text": answer})

    def _done(self, variant: str, done: Any) -> Run:
        """Return the run that the box tells of."""
        if not isinstance(done, dict) or set(done) != {"report", "out", "flood"}:
            raise LimitHit("crash", "the tests garbled their report")
        report, out = done["report"], done["out"]
        if not isinstance(report, str) or not isinstance(out, str):
            raise LimitHit("crash", "the tests garbled their report")
        self._suite.printed(f"tests on {variant}\n{out}\n" if out else "")
        if done["flood"] is not False:
            raise LimitHit("output", "the tests printed without end")
        return parse_report(report)

    def _broken(self, variant: str, error: VariantBroken) -> LimitHit:
        self._suite.end("judge_broke", reason=f"{variant}: {error}")
        return LimitHit("crash", "the variant is broken")


def variants_in(folder: Path) -> dict[str, str]:
    """Return the texts of the variants of the suite in `folder`, by their paths in it."""
    return {f"{FOLDER}/{path.name}": path.read_text(encoding="utf-8") for path in (folder / FOLDER).glob("*.py")}


def schedule(variants: Sequence[str], seed: int) -> list[str]:
    """Return the order of all hidden runs: right variants at least twice, the others at least once.

    Where there are several of both, the shorter group is lengthened until there are ODDS orders of right and wrong.
    """
    right = [name for name in variants if name.startswith(CORRECT)] * 2
    wrong = [name for name in variants if not name.startswith(CORRECT)]
    draw = random.Random(f"{seed}:variants")  # noqa: S311 - nobody who could use it learns the seed
    while len(wrong) > 1 and right and math.comb(len(right) + len(wrong), len(wrong)) < ODDS:
        shorter = right if len(right) <= len(wrong) else wrong
        shorter.append(draw.choice(shorter))
    order = right + wrong
    draw.shuffle(order)
    return order


def parse_report(text: str) -> Run:
    """Return the run that a report tells of; one that makes no sense is of no use to anybody."""
    broken = Run(tests=0, functions={}, broken="the tests did not come to their end")
    if not text:
        return broken
    try:
        told = wire.parse_line(text.encode("utf-8", "replace"))
    except WireError:
        return broken
    tests, functions, reason = told.get("tests"), told.get("functions"), told.get("broken")
    if type(tests) is not int or not isinstance(functions, dict) or not isinstance(reason, str):
        return broken
    known = {name: how for name, how in functions.items() if how in ("passed", "failed", "skipped")}
    return Run(tests=tests, functions=known, broken=clip(reason, 500))


def _answer(program: Variant, text: Any, seconds: float) -> str:
    """Return the answer to one call of the tests, as JSON."""
    if not isinstance(text, str) or len(text) > MOST_CALL:
        return error_text("ValueError", f"a call may hold at most {MOST_CALL} characters")
    try:
        question = wire.parse_line(text.encode("utf-8", "replace"))
    except WireError as error:
        return error_text("ValueError", f"the call is malformed: {error}")
    shape = {"op": str, "name": str, "ref": int, "args": list, "kwargs": dict}
    keys = {
        "call": {"op", "name", "args", "kwargs"},
        "new": {"op", "name", "args", "kwargs"},
        "method": {"op", "ref", "name", "args", "kwargs"},
        "get": {"op", "ref", "name"},
    }
    op = question.get("op")
    known = isinstance(op, str) and set(question) == keys.get(op)
    if not known or not all(type(value) is shape[key] for key, value in question.items()):
        return error_text("ValueError", "the call is malformed")
    return program.ask(question, seconds)


def _told(run: Run) -> str:
    """Return a run in a few words, for whoever may read the tests."""
    if run.broken:
        return run.broken
    failed = [name.rpartition("::")[2] for name, how in run.functions.items() if how == "failed"]
    if not failed:
        return f"{run.tests} passed" if run.tests else "no test ran"
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    return f"{', '.join(failed[:NAMED])}{more} failed; {run.tests} ran"
