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
from tests.factories import make_exercise, make_person, make_submission

WAITING = 200


def rows() -> list[tuple[str, float, str]]:
    """Return (what, milliseconds per claim, beside what)."""
    found = []
    for threads in (1, 4):
        with tempfile.TemporaryDirectory() as folder:
            claimed, seconds = _drain(_site(Path(folder)), threads)
        assert len(set(claimed)) == WAITING, "a submission was claimed twice or never"
        found.append(
            (f"claim, {threads} worker thread(s)", seconds / WAITING * 1000, f"{WAITING} waiting, each claimed once")
        )
    return found


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
