"""The pytest plugin: picks and orders the checks, gives authors their fixtures, and notes how each check went."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.judge.faults import LimitHit
from sandbox.judge.suite import CheckRun, Suite, clip, show

Tell = Callable[[CheckRun], None]


class JudgePlugin:
    """One judging. `subject` is what the kind's fixture hands to authors: Solution, Servers or Cluster."""

    def __init__(self, suite: Suite, data: Path, tell: Tell) -> None:
        self.suite, self._data, self._tell = suite, data, tell
        self.subject: Any = None
        self.before_checks: Callable[[], None] = lambda: None
        self._collect_errors: list[str] = []

    # What authors ask for

    @pytest.fixture
    def solution(self) -> Any:
        """Proxies of the learner's functions and classes (kind calls)."""
        return self.subject

    @pytest.fixture
    def start(self) -> Any:
        """Callable that starts a server of the learner's for this check alone (kind http)."""
        started: list[Any] = []

        def start(**env: Any) -> Any:
            started.append(self.subject.start(**env))
            return started[-1]

        yield start
        for server in started:
            if not self.suite.ended:
                server.stop()

    @pytest.fixture
    def shared(self) -> Any:
        """Callable that gives the server which all checks with the same environment share (kind http)."""
        return self.subject.shared

    @pytest.fixture
    def sql(self) -> Any:
        """Makes databases and runs the submission on them (kind sql)."""
        return self.subject

    @pytest.fixture
    def data(self) -> Path:
        """The exercise's data/ folder."""
        return self._data

    @pytest.fixture
    def seed(self) -> int:
        """The submission's seed."""
        return self.suite.seed

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> random.Random:
        """A generator that depends on the seed and the check, not on the order of checks."""
        return random.Random(f"{self.suite.seed}:{request.node.name}")  # noqa: S311 - data, not secrets

    # What pytest asks for

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a test module that cannot be imported."""
        if report.failed:
            self._collect_errors.append(clip(str(report.longrepr), 2000))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests of the manifest: visible ones first, each group in an order drawn from the seed."""
        items[:] = [item for item in items if name_of(item) in self.suite.checks]
        counts = Counter(name_of(item) for item in items)
        for name, check in self.suite.checks.items():
            check.cases = counts[name]
        names = sorted(counts)
        random.Random(self.suite.seed).shuffle(names)  # noqa: S311 - an order, not a secret
        order = {name: place for place, name in enumerate(names)}
        items.sort(key=lambda item: (not self.suite.checks[name_of(item)].visible, order[name_of(item)]))

    def pytest_collection_finish(self) -> None:
        """Refuse a suite that does not hold exactly the manifest's tests; then let the box load the submission."""
        missing = [check.test for check in self.suite.checks.values() if check.cases == 0]
        if self._collect_errors or missing:
            reason = "; ".join([*self._collect_errors, *(f"{name} is not in the suite" for name in missing)])
            self.suite.end("judge_broke", reason=reason)
        else:
            self.before_checks()
        if self.suite.ended:
            pytest.exit("nothing to judge", returncode=0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Make the item's check the current one while it runs."""
        if self.suite.ended:
            pytest.exit("nothing more to judge", returncode=0)
        check = self.suite.checks[name_of(item)]
        self.suite.current = check
        result = yield
        self.suite.current = None
        check.cases -= 1
        if check.cases == 0:
            self.suite.finished.append(check)
            self._tell(check)
        return result

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Keep both sides of a failing comparison: `assert actual == expected`."""
        check = self.suite.current
        if check is not None and check.visible and op in {"==", "is", "in"}:
            check.actual, check.expected = show(left), show(right)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """Note a failure, and of a visible check also why."""
        report = yield
        check = self.suite.checks[name_of(item)]
        if report.outcome != "passed":  # skipped is not passed either
            check.passed = False
            error = call.excinfo.value if call.excinfo is not None else None
            if isinstance(error, LimitHit):
                check.limit = error.limit
            if check.visible and not check.message:
                check.message = message_of(error)
        return report


def name_of(item: pytest.Item) -> str:
    """Return the name of the test function, without the parameters of this case."""
    return getattr(item, "originalname", None) or item.name


def message_of(error: BaseException | None) -> str:
    """Return what a learner is told of a visible check's failure."""
    text = str(error).strip()
    if type(error) is AssertionError:
        return clip(text.split("\n", 1)[0])
    return clip(text if isinstance(error, AssertionError) else f"{type(error).__name__}: {text}")
