"""What a worker does for searches while no learner waits: one search."""

from __future__ import annotations

import time

import structlog
from flask import Flask

from app.db import db, now, only_reads
from app.similarity import services
from app.similarity.matching import LibraryMissing, matches

log = structlog.get_logger("greenroom")


def work_once(app: Flask, *_: object) -> bool:
    """Do the search that waits longest and record what it found; return False if none waits. Seconds, not minutes."""
    with app.app_context():
        only_reads()
        if not services.anything_waits(now()):
            return False
    with app.app_context():
        search = services.claim_next(now())
        if search is None:
            return False
        candidates, starter, threshold = services.candidates(search)
        db.session.remove()  # no connection is held while files are compared
        started = time.perf_counter()
        try:
            found = matches(candidates, starter, threshold=threshold)
        except LibraryMissing as error:
            log.error("similarity.failed", run=search.id, reason=str(error))
            services.fail(search)
            return True
        services.record(search, found, compared=len(candidates))
        took = round((time.perf_counter() - started) * 1000)
        log.info("similarity.searched", run=search.id, submissions=len(candidates), pairs=len(found), ms=took)
    return True
