"""Claim → judge → record, for ever; and a keeper beside it that sweeps and takes back what dead workers held."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from typing import cast

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.models import Revision
from app.catalog.services import source_of
from app.db import db, now, only_reads
from app.live.services import forget
from app.submissions import sidework
from app.submissions.heartbeat import dismiss_worker, report_worker
from app.submissions.judge import job_for
from app.submissions.models import Purpose
from app.submissions.sandboxes import EXTENSION, sandbox_of, unproven
from app.submissions.services import (
    LEASE,
    Claim,
    anything_waits,
    claim_next,
    likely_next,
    put_back,
    record,
    renew,
    requeue_expired,
    work_waiting,
)
from config import Config
from sandbox.errors import EngineUnavailable, LimitsUnproven, SandboxError
from sandbox.job import Job
from sandbox.outcome import Ended, Event, Outcome
from sandbox.sandbox import OnEvent, Sandbox

log = structlog.get_logger("greenroom")

POLL = 0.5  # seconds between looks at the queue, for what other processes put there
POLL_BESIDE_SITE = 5.0  # where the site is this process and wakes its workers itself
TELL_EVERY = 0.1  # seconds: events in between go together, which also blurs how long one hidden check took
SWEEP_EVERY = 60.0
REPORT_EVERY = 10.0
EXPECT_EVERY = 600.0  # what was published meanwhile is got ready at the latest then
EXAMINE_EVERY = 20.0  # while there is no engine, or a limit was not seen to bite
RETRY_AFTER = 2.0  # after a fault of the platform: an engine that restarts needs a moment
KEEP_EVENTS = timedelta(days=1)
NOT_STARTED = (EngineUnavailable, LimitsUnproven)  # says nothing about the submission: it waits
Chore = Callable[[Sandbox], float]  # returns the seconds until it is due again
LEAVING = 10.0  # seconds that a stopping process waits for the job at hand


def work_forever(app: Flask, sandbox: Sandbox, name: str, stop: threading.Event, poll: float = POLL) -> None:
    """Judge what is queued until `stop` is set, and do other work when nothing is; the job at hand is finished first.

    Submissions of this process wake it at once; for those of others it looks every `poll` seconds.
    """
    while not stop.is_set():
        try:
            with app.app_context():
                only_reads()
                busy = anything_waits(now())
            with app.app_context():
                busy = busy and work_once(app, sandbox, name)
            busy = busy or sidework.do_one(app, sandbox, name)
        except Exception:  # the one broad except: whatever one submission did, the next one is judged
            log.exception("worker.failed", worker=name)
            stop.wait(RETRY_AFTER)
            continue
        if not busy and work_waiting.wait(poll):
            work_waiting.clear()


def work_once(app: Flask, sandbox: Sandbox, name: str) -> bool:
    """Claim the next submission, judge it and record it; return False if none waited."""
    claim = claim_next(name, now())
    if claim is None:
        return False
    revision = db.session.get_one(Revision, claim.revision_id)
    source = source_of(revision)
    db.session.remove()  # no connection is held while learner code runs
    job = job_for(
        source,
        language=claim.language,
        files=claim.files,
        purpose=claim.purpose,
        seed=claim.seed,
        job_id=f"{claim.id}-{claim.number}",
    )
    started = time.perf_counter()
    with Progress(app=app, claim=claim) as progress:
        try:
            outcome = run_job(sandbox, job, progress.heard)
        except NOT_STARTED as error:
            put_back(claim, reason=str(error), counted=False)
            raise
    checks = source.checks(visible_only=claim.purpose is Purpose.RUN)
    verdict = record(claim, outcome, checks, now())
    log.info(
        "submission.judged" if verdict else "submission.not_judged",
        submission=claim.id,
        claim=claim.number,
        worker=name,
        verdict=verdict,
        ended=outcome.ended,
        ms=round((time.perf_counter() - started) * 1000),
    )
    if outcome.ended in {Ended.ENGINE_BROKE, Ended.BOX_BROKE, Ended.JUDGE_BROKE}:
        time.sleep(RETRY_AFTER)
    return True


def run_job(sandbox: Sandbox, job: Job, on_event: OnEvent) -> Outcome:
    """Return the outcome of `job`. What the sandbox refuses is the platform's fault; NOT_STARTED passes through."""
    try:
        return sandbox.run(job, on_event)
    except NOT_STARTED:
        raise
    except SandboxError as error:
        return Outcome(ended=Ended.ENGINE_BROKE, reason=f"{type(error).__name__}: {error}")


@dataclass(slots=True, kw_only=True)
class Progress:
    """Tells the page how a job goes, at most every TELL_EVERY, and renews the lease while it lasts.

    Telling never holds up judging by more than one short commit, and a lost lease silences it.
    """

    app: Flask
    claim: Claim
    _events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _news: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        self._thread = threading.Thread(target=self._keep, name=f"lease-{self.claim.id}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()

    def heard(self, event: Event) -> None:
        """Take one event of the sandbox; returns at once."""
        with self._lock:
            self._events.append((event.name, dict(event.data)))
        self._news.set()

    def _keep(self) -> None:
        renewed = time.monotonic()
        while not self._over.is_set():
            self._news.wait(LEASE.total_seconds() / 3)
            self._news.clear()
            if self._over.wait(TELL_EVERY):
                return  # judged within the blink of an eye: the verdict itself is the news
            with self._lock:
                events, self._events = self._events, []
            if events or time.monotonic() - renewed >= LEASE.total_seconds() / 4:
                if not self._tell(events):
                    return
                renewed = time.monotonic()

    def _tell(self, events: list[tuple[str, dict[str, object]]]) -> bool:
        try:
            with self.app.app_context():
                return renew(self.claim, now(), events)
        except Exception:  # the thread must outlive a busy database: the lease hangs on it
            log.exception("worker.renewal_failed", submission=self.claim.id)
            return True


@dataclass(slots=True, kw_only=True)
class Crew:
    """The worker threads of this process and their keeper."""

    app: Flask
    threads: int
    poll: float = POLL
    stop: threading.Event = field(default_factory=threading.Event)
    _running: list[threading.Thread] = field(default_factory=list)
    _reported: dict[str, object] = field(default_factory=dict)
    _reported_at: float = 0.0

    def start(self) -> None:
        """Start the keeper; it starts the workers once the doctor has seen every limit bite."""
        self._spawn(self._keep, "keeper")

    def finish(self, patience: float = LEAVING) -> None:
        """Ask all threads to stop and wait up to `patience` seconds for the jobs at hand.

        A job that takes longer is left to its lease: the next worker judges it again.
        """
        self.stop.set()
        work_waiting.set()
        end = time.monotonic() + patience
        for thread in list(self._running):
            thread.join(max(0.0, end - time.monotonic()))
        if EXTENSION in self.app.extensions:
            sandbox_of(self.app).close()
            with suppress(SQLAlchemyError), self.app.app_context():
                dismiss_worker(self._config.worker_name)

    def _keep(self) -> None:
        sandbox: Sandbox | None = None
        due: dict[Chore, float] = dict.fromkeys((self._sweep, self._expect, self._report), 0.0)
        while not self.stop.is_set():
            try:
                sandbox = sandbox or self._prepare()
                with self.app.app_context():
                    if sandbox is None:
                        upkeep(None)
                    else:
                        self._do(due, sandbox)
            except Exception:  # an engine that is away must not end the upkeep
                log.exception("keeper.failed")
            self.stop.wait(REPORT_EVERY if sandbox else EXAMINE_EVERY)

    def _do(self, due: dict[Chore, float], sandbox: Sandbox) -> None:
        """Do the chores that are due, and note when each is again."""
        for chore, when in due.items():
            if when <= time.monotonic():
                due[chore] = time.monotonic() + chore(sandbox)
                db.session.remove()

    def _sweep(self, sandbox: Sandbox) -> float:
        """Do the upkeep."""
        upkeep(sandbox)
        return SWEEP_EVERY

    def _expect(self, sandbox: Sandbox) -> float:
        """Have ready what the next submissions will need."""
        for revision, language in likely_next():
            try:
                source = source_of(revision)
                files = source.starter(language)
                sandbox.expect(
                    job_for(source, language=language, files=files, purpose=Purpose.SUBMIT, seed=0, job_id="expected")
                )
            except SandboxError as error:
                log.warning("worker.not_expected", revision=revision.id, language=language, reason=str(error))
        return EXPECT_EVERY

    def _report(self, sandbox: Sandbox) -> float:
        """Say what the pool holds when that has changed, and from time to time that this worker is alive."""
        pool = asdict(sandbox.status())
        if pool != self._reported or time.monotonic() - self._reported_at >= SWEEP_EVERY:
            report_worker(self._config.worker_name, pool, now())
            self._reported, self._reported_at = pool, time.monotonic()
        return REPORT_EVERY

    @property
    def _config(self) -> Config:
        return cast(Config, self.app.extensions["greenroom.config"])

    def _prepare(self) -> Sandbox | None:
        """Return the sandbox with workers at it, or None while a limit is unproven: jobs wait."""
        sandbox = sandbox_of(self.app)
        sandbox.sweep()
        failed = unproven(sandbox)
        if failed:
            log.error("doctor.refused", failed=failed)
            return None
        sandbox.keep_ready(self._config.pool_bytes)
        for number in range(1, self.threads + 1):
            name = f"{self._config.worker_name}-{number}"
            self._spawn(partial(work_forever, self.app, sandbox, name, self.stop, self.poll), name)
        return sandbox

    def _spawn(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._running.append(thread)
        thread.start()


def upkeep(sandbox: Sandbox | None) -> None:
    """Take back expired leases, forget old events, and remove containers that nobody owns."""
    requeue_expired(now())
    forget(now() - KEEP_EVENTS)
    db.session.commit()
    db.session.remove()
    if sandbox is not None:
        sandbox.sweep()


def start_in_process(app: Flask, threads: int | None = None) -> Crew | None:
    """Start the configured number of worker threads in this process and return them; None if that number is 0.

    They finish the job at hand when the process leaves.
    """
    config = cast(Config, app.extensions["greenroom.config"])
    count = config.workers if threads is None else threads
    if count == 0:
        return None
    crew = Crew(app=app, threads=count, poll=POLL_BESIDE_SITE)
    crew.start()
    atexit.register(crew.finish)
    return crew
