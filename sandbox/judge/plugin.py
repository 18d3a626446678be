"""The pytest plugin: collects once, gives authors their fixtures, and notes how each check went."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.judge.faults import LimitHit
from sandbox.judge.server import Servers
from sandbox.judge.suite import Suite, clip, show


class JudgePlugin:
    """One collected suite. `serve` is called with it where pytest would run the tests."""

    suite: Suite
    subject: Any  # what the kind's fixture hands to authors: Solution, Servers, Cluster or LearnerTests

    def __init__(self, data_folder: Path, serve: Callable[[pytest.Session, JudgePlugin], None]) -> None:
        self.data_folder, self._serve = data_folder, serve
        self.collect_errors: list[str] = []
        self._tell: Callable[[dict[str, Any]], None] = print  # until a job begins

    def begin(self, suite: Suite, subject: Any, tell: Callable[[dict[str, Any]], None]) -> None:
        """Judge `subject` from now on; `tell` sends what happens to the worker."""
        self.suite, self.subject, self._tell = suite, subject, tell
        # What a server printed during a check is that check's, also when nobody was reading.
        self._settle = subject.shim.hear if isinstance(subject, Servers) else lambda: None
        self._renew = subject.renew if isinstance(subject, Servers) else lambda: None

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
    def postgres(self) -> Any:
        """Pauses, slows down, cuts off or restarts PostgreSQL (kind http with services)."""
        return self.subject.services.gate("postgres")

    @pytest.fixture
    def redis(self) -> Any:
        """Pauses, slows down, cuts off or restarts Redis (kind http with services)."""
        return self.subject.services.gate("redis")

    @pytest.fixture
    def upstream(self) -> Any:
        """Answers the requests of the learner's server, and remembers them (kind http with services)."""
        return self.subject.services.gate("upstream")

    @pytest.fixture
    def sql(self) -> Any:
        """Makes databases and runs the submission on them (kind sql)."""
        return self.subject

    @pytest.fixture
    def learner_tests(self) -> Any:
        """Runs the learner's tests on variants of a program (kind mutation)."""
        return self.subject

    @pytest.fixture
    def data(self) -> Path:
        """The exercise's data/ folder."""
        return self.data_folder

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
            self.collect_errors.append(clip(str(report.longrepr), 2000))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve jobs in place of running the tests once."""
        self._serve(session, self)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Make the item's check the current one while it runs."""
        check = self.suite.checks[name_of(item)]
        self.suite.current = check
        self._renew()
        result = yield
        self._settle()
        self.suite.current = None
        check.cases -= 1
        if check.cases == 0:
            self.suite.finished.append(check)
            self._tell(self.suite.progress(check))
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
