"""One run of the learner's tests: pytest, with the bridge as module `subject`, in a fork of the runner."""

import contextlib
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile

import box
import bridge
import pytest

REPORT = b"="  # begins the line that ends a run; calls are JSON objects
ENDED_WELL = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}
MOST_FUNCTIONS = 1000
OURS = ("box", "bridge", "session")  # the learner may have modules of these names
WARM = """
import pytest
def test_passes():
    with pytest.raises(ValueError):
        int("x")
@pytest.mark.parametrize("n", [1])
def test_fails(n, tmp_path):
    assert {"n": [n, "text"]} == {"n": [2, "other"]}
"""


class Reporter:
    """Notes how each test function went: failed if one of its cases did, in its body or around it."""

    def __init__(self):
        self.tests, self.functions, self.broken = 0, {}, ""

    def pytest_runtest_logreport(self, report):
        """Note one phase of one case."""
        name = report.nodeid.partition("[")[0]
        self.tests += report.when == "call" and not report.skipped
        if report.failed:
            self.functions[name] = "failed"
        elif report.when == "call" and self.functions.get(name) != "failed":
            if not report.skipped:
                self.functions[name] = "passed"
            else:
                self.functions.setdefault(name, "skipped")

    def pytest_collectreport(self, report):
        """Note a file that pytest cannot collect."""
        if report.failed:
            self.broken = self.broken or f"{report.nodeid} cannot be collected"

    def text(self, status):
        """Return the report of a session that ended with `status`."""
        if status not in ENDED_WELL:
            self.broken = self.broken or f"pytest ended with status {int(status)}"
        functions = dict(list(self.functions.items())[:MOST_FUNCTIONS])
        return json.dumps({"tests": self.tests, "functions": functions, "broken": self.broken[:500]})


def run(line, names):
    """Run the tests in WORK; calls of `subject` and the report in the end go over the descriptor `line`."""
    carried = bridge.Bridge(line)
    for name in OURS:
        sys.modules.pop(name, None)
    sys.modules["subject"] = carried.module(names)
    reporter = Reporter()
    status = _pytest_main(box.WORK, reporter)
    sys.stdout.flush()
    sys.stderr.flush()
    carried.send(REPORT + reporter.text(status).encode())


def warm_up():
    """Run two tests of our own, so that what pytest imports at its first use is there for every run."""
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "test_warm.py").write_text(WARM, encoding="utf-8")
    path, here = list(sys.path), os.getcwd()
    with contextlib.redirect_stdout(io.StringIO()):
        _pytest_main(folder, Reporter())
    os.chdir(here)
    sys.path[:] = path
    sys.modules.pop("test_warm", None)
    for place in (folder, *pathlib.Path(tempfile.gettempdir()).glob("pytest-of-*")):
        shutil.rmtree(place, ignore_errors=True)


def _pytest_main(folder, reporter):
    options = ["-q", "-s", "--no-header", "--tb=short", "--color=no", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    return pytest.main([*options, f"--rootdir={folder}", "-c", os.devnull, str(folder)], plugins=[reporter])
