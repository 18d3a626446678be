"""How long a verdict takes, cold, per kind; beside the same tests run bare with pytest on this machine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.docker_box import DockerBox
from sandbox.job import Job
from sandbox.outcome import Ended
from tests.sandbox.jobs import ADD, calls_job, http_job, sql_job
from tests.sandbox.test_docker_box import FLASK

ROUNDS = 5
BARE = """
from solution import add
import pytest
def test_small(): assert add(1, 2) == 3
def test_large(): assert add(10, 20) == 30
def test_text():
    with pytest.raises(TypeError): add(1, "x")
"""
HTTP = "def test_up(shared):\n    assert shared().get('/health').status_code == 200\n"
SQL = "def test_rows(sql):\n    assert sql.database('insert into t values (1)').run().rows == [(1,)]\n"


def judged(box: DockerBox, job: Job) -> float:
    """Return the milliseconds from asking to having the outcome and nothing left behind."""
    started = time.perf_counter()
    outcome = box.run(job, lambda _: None)
    assert outcome.ended is Ended.COMPLETED, outcome
    return (time.perf_counter() - started) * 1000


def bare_pytest() -> float:
    """Return the milliseconds of `python -m pytest` over three trivial tests, with no isolation at all."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "solution.py").write_text(ADD)
        Path(folder, "test_solution.py").write_text(BARE)
        started = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", folder]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        return (time.perf_counter() - started) * 1000


def rows(box: DockerBox) -> list[tuple[str, float, str]]:
    """Return (what, median milliseconds, beside what); all are measured in turn in each of ROUNDS rounds."""
    runs = {
        "calls, cold box and judge": lambda: judged(box, calls_job()),
        "http (Flask), cold box and judge": lambda: judged(box, http_job(FLASK, HTTP, "test_up")),
        "sql, cold PostgreSQL and judge": lambda: judged(
            box, sql_job("select id from t", SQL, "test_rows", schema="create table t (id int)")
        ),
        "bare pytest on this machine": bare_pytest,
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            taken[name].append(run())
    return [
        (name, sorted(times)[len(times) // 2], f"{min(times):.0f}-{max(times):.0f} ms over {ROUNDS} rounds")
        for name, times in taken.items()
    ]
