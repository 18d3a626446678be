"""How long one claim of the queue takes: one worker thread against four on the same SQLite file."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask

from app import create_app
from app.db import db, now
from app.submissions.services import claim_next
from config import TestConfig
from tests.bench.report import Answer, Row
from tests.factories import make_exercise, make_person, make_submission

WAITING = 200
THREADS = (1, 4)


def answer(n: int) -> Answer:
    """Return the milliseconds per claim; `n` // 6 rounds in turn."""
    taken: dict[int, list[float]] = {threads: [] for threads in THREADS}
    for _ in range(max(1, n // 6)):
        for threads, values in taken.items():
            with tempfile.TemporaryDirectory() as folder:
                claimed, seconds = _drain(_site(Path(folder)), threads)
            assert len(claimed) == len(set(claimed)) == WAITING, "a submission was claimed twice or never"
            values.append(seconds / WAITING * 1000)
    note = f"{WAITING} waiting, each claimed once"
    rows = [
        Row(what=f"claim, {threads} worker thread(s)", values=values, note=note) for threads, values in taken.items()
    ]
    return Answer(rows=rows)


def _site(folder: Path) -> Flask:
    app = create_app(TestConfig(var_dir=folder))
    with app.app_context():
        db.create_all()
        learner, exercise = make_person(), make_exercise()
        for _ in range(WAITING):
            make_submission(learner, exercise)
        db.session.commit()
    return app


def _drain(app: Flask, threads: int) -> tuple[list[int], float]:
    def work(name: int) -> list[int]:
        claimed = []
        with app.app_context():
            while (claim := claim_next(f"worker-{name}", now())) is not None:
                claimed.append(claim.id)
        return claimed

    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        ids = [i for part in pool.map(work, range(threads)) for i in part]
    return ids, time.perf_counter() - started
