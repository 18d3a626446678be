"""What a worker does for proofs while no learner waits: one run of one of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import structlog
from flask import Flask

from app.authoring import prover
from app.authoring.prover import LEASE, Claim
from app.db import db, now, only_reads
from app.submissions.worker import NOT_STARTED, RETRY_AFTER, run_job
from sandbox.outcome import PLATFORM_FAULTS, Event
from sandbox.sandbox import Sandbox

log = structlog.get_logger("greenroom")


def work_once(app: Flask, sandbox: Sandbox, name: str) -> bool:
    """Run what is next of the oldest proof and record it; return False if there was nothing to do."""
    with app.app_context():
        only_reads()
        if not prover.anything_waits():
            return False
    with app.app_context():
        claim = prover.claim_next(name, now())
        if claim is None:
            return prover.give_up_lost(now()) > 0
        _run(app, sandbox, claim)
        return True


def _run(app: Flask, sandbox: Sandbox, claim: Claim) -> None:
    job = prover.job_for_claim(claim)
    if job is None:
        prover.drop_outdated(claim.run_id, now())
        return
    db.session.remove()  # no connection is held while programs run
    started = time.perf_counter()
    with Lease(app=app, claim=claim):
        try:
            outcome = run_job(sandbox, job, _ignore)
        except NOT_STARTED:
            prover.put_back(claim)
            raise
    verdict = prover.record(claim, outcome, now())
    log.info(
        "trial.finished" if verdict else "trial.lost",
        proof=claim.run_id,
        trial=claim.id,
        claim=claim.number,
        telling=claim.telling,
        worker=claim.worker,
        verdict=verdict,
        ms=round((time.perf_counter() - started) * 1000),
    )
    if outcome.ended in PLATFORM_FAULTS:
        time.sleep(RETRY_AFTER)


def _ignore(_event: Event) -> None:
    """Nobody watches a proof check by check."""


@dataclass(slots=True, kw_only=True)
class Lease:
    """Renews the lease of `claim` while the block lasts."""

    app: Flask
    claim: Claim
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Lease:
        self._thread = threading.Thread(target=self._keep, name=f"trial-{self.claim.id}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(LEASE.total_seconds() / 3):
            try:
                with self.app.app_context():
                    if not prover.renew(self.claim, now()):
                        return
            except Exception:  # the thread must outlive a busy database: the lease hangs on it
                log.exception("worker.renewal_failed", trial=self.claim.id)
