"""Every runtime's self-test: each way in which a submission can end is told apart from the others."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.docker_box import DockerBox
from sandbox.images import RUNTIMES
from sandbox.job import MIB, Check, Limits
from sandbox.outcome import Ended
from tests.sandbox.jobs import calls_job

FOLDERS = {path.parent.name: path.parent for path in RUNTIMES.glob("*/runtime.toml")}
TESTED = {
    name: tomllib.loads((folder / "runtime.toml").read_text()).get("selftest") for name, folder in FOLDERS.items()
}
CASES = [(name, case) for name, told in TESTED.items() if told for case in told["ends"]]
LIMITS = Limits(wall_time=timedelta(seconds=10), memory_bytes=192 * MIB)


def test_every_runtime_that_submissions_run_in_has_a_self_test() -> None:
    assert {name for name, told in TESTED.items() if told} == set(FOLDERS) - {"base"}


@pytest.mark.parametrize(("runtime", "case"), CASES)
def test_a_submission_ends_as_the_runtime_says(docker_box: DockerBox, runtime: str, case: str) -> None:
    told, folder = TESTED[runtime], FOLDERS[runtime] / "selftest"
    assert told is not None
    entry = Path(told["entry"])
    suite = {"tests/hidden/test_hidden.py": (folder / "suite.py").read_text()}
    if (folder / "schema.sql").exists():
        suite["data/schema.sql"] = (folder / "schema.sql").read_text()
    suite |= {f"variants/{path.name}": path.read_text() for path in (folder / "variants").glob("*.py")}
    job = calls_job(
        kind=told["kind"],
        runtime=told.get("runtime", runtime),
        mode="query",
        command=("python3", entry.name),
        services=tuple(told.get("services", ())),
        entry=entry.name,
        files={entry.name: (folder / f"{case}{entry.suffix}").read_text()},
        suite=suite,
        checks=(Check(id="double", test="test_double"),),
        limits=LIMITS,
    )
    outcome = docker_box.run(job, lambda _: None)
    assert outcome.ended is Ended(told["ends"][case]), outcome
    assert (case == "accepted") == (outcome.ended is Ended.COMPLETED and all(c.passed for c in outcome.checks))
