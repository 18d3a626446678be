"""Sites to measure: the queue and its workers in this process, or the whole site as another one; the real sandbox."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from app import create_app
from app.catalog.services import find, sync
from app.db import db
from app.errors import TooMany
from app.live.models import Event
from app.submissions import heartbeat, services
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.sandboxes import EXTENSION
from app.submissions.verdict import Verdict
from app.submissions.worker import Crew
from config import ROOT, TestConfig
from sandbox.docker_box import DockerBox
from tests.bench.contenders import FILL_SECONDS
from tests.browser.site import Site, live_site
from tests.browser.solving import answer
from tests.factories import make_person

WORKERS = 2
LOOK_EVERY = 0.02  # seconds
JUDGED_WITHIN = 300.0
STARTS_WITHIN = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When one submission went where."""

    learner_id: int
    sent: datetime
    claimed: datetime
    judged: datetime

    @property
    def waited_ms(self) -> float:
        """From being sent to being claimed."""
        return (self.claimed - self.sent).total_seconds() * 1000

    @property
    def took_ms(self) -> float:
        """From being sent to the verdict."""
        return (self.judged - self.sent).total_seconds() * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A site whose workers judge."""

    app: Flask
    box: DockerBox

    def learners(self, count: int) -> list[int]:
        """Return the ids of so many new accounts."""
        with self.app.app_context():
            return [make_person().id for _ in range(count)]

    def submit(self, learner_id: int, path: str, files: Mapping[str, str], *, insist: bool = False) -> int:
        """Submit for the exercise at `path` and return the id; with `insist` again and again while it is too much."""
        with self.app.app_context():
            while True:
                exercise = find(*path.split("/"))
                try:
                    sent = services.submit(
                        learner_id, exercise, language=exercise.languages[0], files=files, purpose=Purpose.SUBMIT
                    )
                    return int(sent.id)
                except TooMany:
                    db.session.rollback()
                    if not insist:
                        raise
                    time.sleep(LOOK_EVERY)

    def wait(self, ids: Collection[int], *, accepted: bool = True) -> None:
        """Wait until all are judged. Raises AssertionError when they are not, or not `accepted`."""
        deadline = time.monotonic() + JUDGED_WITHIN
        with self.app.app_context():
            judged = select(func.count()).where(Submission.id.in_(ids), Submission.stage == Stage.JUDGED)
            while (db.session.scalar(judged) or 0) < len(ids):
                db.session.remove()  # or the workers could not write
                assert time.monotonic() < deadline, "not all were judged"
                time.sleep(LOOK_EVERY)
            verdicts = set(db.session.scalars(select(Submission.verdict).where(Submission.id.in_(ids))))
            assert verdicts == {Verdict.ACCEPTED} or not accepted, verdicts

    def times(self, ids: Collection[int]) -> list[Times]:
        """Return when each was sent, last claimed and judged, in the order in which they were sent."""
        with self.app.app_context():
            rows = db.session.scalars(select(Submission).where(Submission.id.in_(ids)).order_by(Submission.id)).all()
            told = {
                (event.topic, event.name): event.created_at
                for event in db.session.scalars(
                    select(Event).where(Event.topic.in_([row.topic for row in rows])).order_by(Event.id)
                )
            }
            return [
                Times(
                    learner_id=row.learner_id,
                    sent=row.created_at,
                    claimed=told[row.topic, "submission.judging"],
                    judged=told[row.topic, "submission.judged"],
                )
                for row in rows
            ]


@contextmanager
def queue(workers: int = WORKERS) -> Iterator[Queue]:
    """Let a crew of so many workers judge until the block is left; its pool is full when the block begins."""
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
        app = create_app(TestConfig(var_dir=Path(folder)))
        logging.getLogger("greenroom").setLevel(logging.WARNING)
        with app.app_context():
            upgrade()
            sync(ROOT / "exercises")
        box = DockerBox()
        app.extensions[EXTENSION] = box
        crew = Crew(app=app, threads=workers)
        crew.start()
        try:
            _await_workers(crew)
            yield Queue(app=app, box=box)
        finally:
            crew.finish()
            box.close()
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


def _await_workers(crew: Crew) -> None:
    """Wait until the doctor has let the workers begin, and all that they expect is ready."""
    deadline = time.monotonic() + STARTS_WITHIN
    config = crew.app.extensions["greenroom.config"]
    while not any(thread.name == f"{config.worker_name}-1" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "no worker has started"
        time.sleep(0.1)
    box = crew.app.extensions[EXTENSION]
    time.sleep(1)  # what is expected is told right after the workers have started
    assert box.pool.fill(FILL_SECONDS)


@contextmanager
def served_site() -> Iterator[Site]:
    """Serve a site of its own until the block is left; what it keeps ready is ready when the block begins."""
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder, live_site(Path(folder)) as site:
        logging.getLogger("greenroom").setLevel(logging.WARNING)
        _await_full_pool(site)
        yield site


def _await_full_pool(site: Site) -> None:
    """Wait until the site's worker reports that its pool holds all it is to hold."""
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        with site.app.app_context():
            shelves = [shelf for worker in heartbeat.workers() for shelf in worker.pool["shelves"]]
        if shelves and all(shelf["ready"] >= shelf["target"] for shelf in shelves):
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"the pool of the site did not fill:\n{site.log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.5)


def reference(path: str) -> dict[str, str]:
    """Return the files of the reference solution of the exercise at `path`."""
    return answer(path)
