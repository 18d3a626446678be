"""`python3 -m sandbox.judge`: reads one job from the worker, judges it, answers with its nonce, ends."""

from __future__ import annotations

import os
import resource
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sandbox.judge.database import Cluster, schema_of
from sandbox.judge.faults import LimitHit
from sandbox.judge.link import Link
from sandbox.judge.plugin import JudgePlugin
from sandbox.judge.server import Servers
from sandbox.judge.solution import Solution, await_loaded
from sandbox.judge.suite import CheckRun, Suite, clip
from sandbox.judge.tunnel import Shim

ROOT = Path("/work/suite")
BOX_START_SECONDS = 60.0
MEMORY_BYTES = 400 * 1024 * 1024  # the container has 512 MiB, which also hold its files
STACK_BYTES = 1024 * 1024  # of each thread; the default of 8 MiB would count against MEMORY_BYTES


def main() -> None:
    """Judge one job."""
    # A huge value of the learner's then raises MemoryError in the check that looks at it, instead of ending the judge.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    threading.stack_size(STACK_BYTES)
    link = Link(os.dup(0), os.dup(1))
    os.dup2(2, 1)  # whatever pytest or a test prints must not reach the frames
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    job = link.control()
    suite = judge(job, link)
    link.tell(
        {
            "type": "end",
            "nonce": job["nonce"],
            "ended": suite.ended or "completed",
            "checks": [check.report() for check in suite.finished],
            "detail": suite.detail,
            "output": suite.output,
            "reason": clip(suite.reason, 4000),
        }
    )
    sys.stderr.flush()
    os._exit(0)  # no thread or atexit of a test suite may hold the verdict up


def judge(job: dict[str, Any], link: Link) -> Suite:
    """Return how the suite went."""
    write_suite(job["suite"])
    checks = {c["test"]: CheckRun(id=c["id"], test=c["test"], visible=c["visible"]) for c in job["checks"]}
    suite = Suite(job["seed"], job["wall_seconds"], job["output_bytes"], checks)
    done: list[str] = []

    def tell(check: CheckRun) -> None:
        done.append(check.id)
        data = {"id": check.id, "passed": check.passed, "done": len(done), "total": len(checks)}
        link.tell({"type": "event", "name": "check.finished", "data": data})

    plugin = JudgePlugin(suite, ROOT / "data", tell)
    plugin.before_checks = lambda: prepare(job, link, suite, plugin)
    options = ["-q", "--tb=native", "-p", "no:cacheprovider", "--import-mode=importlib", f"--rootdir={ROOT}"]
    status = pytest.main([*options, "-c", os.devnull, str(ROOT / "tests")], plugins=[plugin])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not suite.ended:
        suite.end("judge_broke", reason=f"pytest ended with status {int(status)}")
    return suite


def prepare(job: dict[str, Any], link: Link, suite: Suite, plugin: JudgePlugin) -> None:
    """Bring the submission to where checks can look at it; ends the suite when it cannot be loaded."""
    with suppress(LimitHit):  # whoever raised it has said how the suite ended
        if job["kind"] == "sql":
            cluster = Cluster(suite, job["text"], job["mode"], schema_of(ROOT / "data"))
            link.tell({"type": "ready"})
            cluster.load()
            plugin.subject = cluster
        elif await_box(link, suite):
            link.tell({"type": "ready"})  # the worker now hands the files to the box, and the clock starts
            await_loaded(link, suite)
            plugin.subject = subject(job, link, suite)


def subject(job: dict[str, Any], link: Link, suite: Suite) -> Solution | Servers:
    """Return what authors' fixtures work on, for a kind with a box."""
    if job["kind"] == "calls":
        return Solution(link, suite)
    return Servers(Shim(link, suite), suite, job["command"], job["ready"])


def await_box(link: Link, suite: Suite) -> bool:
    """Return whether the box came up; it has seen nothing of the learner's yet, so failing is the platform's."""
    try:
        if link.receive(BOX_START_SECONDS) == {"type": "up"}:
            return True
    except LimitHit as hit:
        suite.end("box_broke", reason=f"the box did not come up: {hit}")
        return False
    suite.end("box_broke", reason="the box greeted in an unknown way")
    return False


def write_suite(files: dict[str, str]) -> None:
    """Put tests and data into ROOT."""
    (ROOT / "data").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
