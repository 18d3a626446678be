"""Fixture `solution` (kind calls): proxies for the learner's functions and objects."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from sandbox.judge.faults import LimitHit, SolutionError
from sandbox.judge.link import Link
from sandbox.judge.suite import Suite, clip

Op = list[Any]


class Solution:
    """The learner's module in its box: `solution.slugify("x")`, `solution.new("Cache", 3)`."""

    def __init__(self, link: Link, suite: Suite) -> None:
        self._link, self._suite = link, suite

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self._one(["fn", name, list(args)], f"{name}({_shown(args)})")

    @property
    def output(self) -> str:
        """What the program printed during this check."""
        return self._suite.current.output if self._suite.current is not None else ""

    def new(self, cls: str, *args: Any) -> Instance:
        """Return a proxy of a new object. Raises SolutionError when the constructor raised."""
        ref = secrets.token_hex(8)
        self._one(["new", cls, list(args), ref], f"{cls}({_shown(args)})")
        return Instance(self, ref)

    def many(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the results of `calls` (name, *args) in one round trip; what raised is a SolutionError value."""
        self._suite.step(f"{len(calls)} calls in one go")
        return self._batch([["fn", name, list(args)] for name, *args in calls])

    def restart(self) -> None:
        """Begin again in a fresh process; older proxies are useless after it."""
        self._suite.step("restart")
        self._link.send({"id": secrets.token_hex(8), "ops": "restart"})
        await_loaded(self._link, self._suite)

    def _one(self, op: Op, step: str) -> Any:
        result = self._batch([op])[0]
        if isinstance(result, SolutionError):
            self._suite.step(f"{step} raised {result}")
            raise result
        self._suite.step(step if op[0] == "new" else f"{step} → {_shown([result])}")
        return result

    def _batch(self, ops: list[Op]) -> list[Any]:
        if self._suite.ended:
            raise LimitHit("crash", "the program has ended")
        try:
            return self._exchange(ops)
        except LimitHit as hit:
            self._suite.end_by(hit.limit)
            raise

    def _exchange(self, ops: list[Op]) -> list[Any]:
        if self._link.unsolicited():
            raise LimitHit("crash", "the program wrote to its channel without being asked")
        call = secrets.token_hex(16)
        self._link.send({"id": call, "ops": ops})
        reply = self._link.receive(self._suite.wall_seconds / 2)
        if set(reply) != {"id", "results", "out", "flood"} or reply["id"] != call:
            raise LimitHit("crash", "the program answered a question that was not asked")
        results, out = reply["results"], reply["out"]
        if not isinstance(out, str) or not isinstance(results, list) or len(results) != len(ops):
            raise LimitHit("crash", "the program garbled its answer")
        self._suite.printed(out)
        if reply["flood"] is not False:
            raise LimitHit("output", "the program printed without end")
        return [_value(result) for result in results]


class Instance:
    """Proxy of one object of the learner's."""

    def __init__(self, solution: Solution, ref: str) -> None:
        self._solution, self._ref = solution, ref

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: self._solution._one(["call", self._ref, name, list(args)], f"{name}({_shown(args)})")

    def many(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the results of `calls` (method, *args) in one round trip; what raised is a SolutionError value."""
        self._solution._suite.step(f"{len(calls)} calls in one go")
        return self._solution._batch([["call", self._ref, name, list(args)] for name, *args in calls])


def await_loaded(link: Link, suite: Suite) -> None:
    """Return once the learner's module is imported; else end the suite with why and raise LimitHit."""
    try:
        message = link.receive(suite.wall_seconds)
    except LimitHit as hit:
        suite.end_by(hit.limit)
        raise
    kind, detail, out = message.get("type"), message.get("detail", ""), message.get("out", "")
    told = all(isinstance(text, str) for text in (kind, detail, out))
    if not told or kind not in {"loaded", "not_loaded", "crashed"}:
        suite.end("crashed")
        raise LimitHit("crash", "the program disturbed its channel while it was loaded")
    suite.printed(out)
    if kind != "loaded":
        shown = clip(detail, 4000) if suite.untouched else ""  # later on it could tell of hidden input
        suite.end(kind, detail=shown)
        raise LimitHit("crash", "the program could not be loaded")


def _value(result: Any) -> Any:
    if isinstance(result, dict) and set(result) == {"value"}:
        return result["value"]
    error = result.get("error") if isinstance(result, dict) else None
    if (
        isinstance(error, dict)
        and set(error) == {"type", "message"}
        and all(isinstance(v, str) for v in error.values())
    ):
        return SolutionError(error["type"], error["message"])
    raise LimitHit("crash", "the program garbled a result")


def _shown(args: Sequence[Any]) -> str:
    return clip(", ".join(json.dumps(a, ensure_ascii=False, default=repr) for a in args), 300)
