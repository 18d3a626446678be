"""What a worker does for regrades while no learner waits, and after the proofs: judges one submission again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from flask import Flask

from app.db import now, only_reads
from app.submissions import worker
from app.submissions.line import regrades_wait

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox


_turn = threading.Lock()  # one at a time in this process: another worker stays free for whoever submits


def work_once(app: Flask, sandbox: Sandbox, name: str) -> bool:
    """Judge the next shadow, or a learner's submission that has come meanwhile; return False if nothing waited."""
    if not _turn.acquire(blocking=False):
        return False
    try:
        with app.app_context():
            only_reads()
            if not regrades_wait(now()):
                return False
        with app.app_context():
            return worker.work_once(app, sandbox, name)
    finally:
        _turn.release()
