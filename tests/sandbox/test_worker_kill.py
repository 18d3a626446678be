"""A worker killed in the middle of judging loses nothing, judges nothing twice, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from flask import Flask

from app import create_app
from app.catalog.services import find, sync
from app.db import db
from app.live.models import Event
from app.progress.models import Attempt
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.services import LEASE, submit
from app.submissions.verdict import Verdict
from config import ROOT, TestConfig
from sandbox.docker_box import DockerBox
from tests.factories import make_person

SLOW = "import time\n\ntime.sleep(1.5)\n"
LEARNERS = 2


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    """The site on an SQLite file, with the shipped exercises and without worker threads of its own."""
    app = create_app(TestConfig(var_dir=tmp_path))
    with app.app_context():
        db.create_all()
        sync(ROOT / "exercises")
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `flask worker` processes on the same database; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, "GREENROOM_VAR": str(tmp_path), "DATABASE_URL": "", "PYTHONPATH": str(ROOT)}

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(running)}.log").open("wb") as log:
            command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "--threads", "2"]
            running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_a_worker_killed_in_the_middle_loses_nothing_and_judges_nothing_twice(
    docker_box: DockerBox, site: Flask, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    with site.app_context():
        ids = [_submit_slowly(make_person().id) for _ in range(LEARNERS) for _ in range(2)]
    worker = start_worker()
    _until(lambda: _judging(site) == LEARNERS and len(_containers(worker)) >= 2, 60, "running jobs")
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert _judging(site) == LEARNERS
    assert _containers(worker), "a killed worker cannot clean up: otherwise this test shows nothing"

    again = start_worker()
    patience = LEASE.total_seconds() + 90
    _until(lambda: all(row.stage == Stage.JUDGED for row in _rows(site)), patience, "all verdicts")
    assert [row.verdict for row in _rows(site)] == [Verdict.ACCEPTED] * len(ids)
    assert sorted(row.claims for row in _rows(site)) == [1, 1, 2, 2]
    with site.app_context():
        assert sorted(a.submission_id for a in db.session.query(Attempt)) == sorted(ids)
        judged = db.session.query(Event).filter_by(name="submission.judged")
        assert sorted(event.topic for event in judged) == sorted(f"submission:{id}" for id in ids)
    again.send_signal(signal.SIGTERM)
    assert again.wait(30) == 0
    assert _containers(worker) + _containers(again) == []


def _submit_slowly(learner_id: int) -> int:
    exercise = find("welcome", "keys-in-the-log")
    solution = (ROOT / "exercises/welcome/keys-in-the-log/solutions/python/mask.py").read_text(encoding="utf-8")
    files = {"mask.py": SLOW + solution}
    return submit(learner_id, exercise, language="python", files=files, purpose=Purpose.SUBMIT).id


def _rows(site: Flask) -> list[Submission]:
    with site.app_context():  # leaving it ends the transaction: an open one would keep the worker from writing
        return list(db.session.scalars(db.select(Submission)))


def _judging(site: Flask) -> int:
    return sum(row.stage == Stage.JUDGING for row in _rows(site))


def _containers(worker: subprocess.Popen[bytes]) -> list[Container]:
    """Return the containers that belong to a worker's process: its owner token names the pid in the middle."""
    every = docker.from_env().containers.list(all=True, filters={"label": "greenroom.app=sandbox"}, ignore_removed=True)
    return [each for each in every if each.labels["greenroom.owner"].split("/")[1] == str(worker.pid)]


def _until(true: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"no {what} within {seconds:.0f} s"
        time.sleep(0.1)
