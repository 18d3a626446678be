"""Runs jobs on a Docker engine: a box or service for the learner's side, a judge for ours, a pump between."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import docker
import requests
from docker.errors import DockerException

from sandbox import container, owner, wire
from sandbox.container import Container, Facts
from sandbox.errors import EngineUnavailable, LimitsUnproven
from sandbox.images import image_name
from sandbox.job import Job
from sandbox.kinds import Plan, plan_for
from sandbox.outcome import CheckOutcome, Ended, Event, Outcome
from sandbox.pump import Peer, Pump, Stop
from sandbox.sandbox import OnEvent

ENGINE_ERRORS = (DockerException, requests.RequestException, OSError)
ENGINE_SECONDS = 60
MAX_AGE = timedelta(minutes=15)  # no job lives longer: what is older has been forgotten


@dataclass(slots=True)
class Rig:
    """The running containers of one job."""

    judge: Container
    box: Container | None
    service: Container | None

    @property
    def learner_side(self) -> Container:
        """The container that learner code or statements run in."""
        side = self.box or self.service
        assert side is not None  # every kind has one
        return side


@dataclass(slots=True)
class DockerBox:
    """The real sandbox. Refuses learner code until `doctor.examine` has proven the limits of this engine."""

    runtime: str = ""  # an OCI runtime known to the engine, e.g. runsc; empty: the engine's default
    proven: bool = False
    _local: threading.local = field(default_factory=threading.local)

    @property
    def client(self) -> docker.DockerClient:
        """This thread's connection to the engine. Raises EngineUnavailable."""
        client: docker.DockerClient | None = getattr(self._local, "client", None)
        if client is None:
            try:
                client = self._local.client = docker.from_env(timeout=ENGINE_SECONDS)
            except DockerException as error:
                raise EngineUnavailable(f"No Docker engine answers: {error}") from error
        return client

    def run(self, job: Job, on_event: OnEvent) -> Outcome:
        """Return what happened to `job`; blocks until its containers are gone.

        Raises JobRefused, ImageMissing, EngineUnavailable or LimitsUnproven before anything is started;
        afterwards every failure is an Outcome.
        """
        job.validate()
        plan = plan_for(job)
        if not self.proven:
            raise LimitsUnproven("the doctor has not proven that the limits bite: run `flask sandbox doctor`")
        images = {name: image_name(name) for name in ("judge", plan.service or job.runtime)}
        on_event(Event(name="box.starting"))
        with ExitStack() as cleanup:
            try:
                rig = self._start(job, plan, images, cleanup)
            except ENGINE_ERRORS as error:
                return Outcome(ended=Ended.ENGINE_BROKE, reason=f"starting: {error}")
            on_event(Event(name="box.started"))
            try:
                return _pump(job, plan, rig, on_event)
            except ENGINE_ERRORS as error:
                return Outcome(ended=Ended.ENGINE_BROKE, reason=f"running: {error}")

    def _start(self, job: Job, plan: Plan, images: dict[str, str], cleanup: ExitStack) -> Rig:
        """Return the started containers; `cleanup` destroys them and their volume, side by side."""
        volume = cleanup.enter_context(self._volume(job)) if plan.service else ""
        made: list[Container] = []
        cleanup.callback(_destroy_all, made)

        def make(image: str, command: tuple[str, ...], role: container.Role) -> Container:
            new = container.create(
                self.client, image, command, role, job_id=job.id, runtime=self.runtime, volume=volume
            )
            made.append(new)
            new.start()
            return new

        learner = plan.service or job.runtime
        role = container.service_role(job.limits) if plan.service else container.box_role(job.limits)
        with ThreadPoolExecutor(max_workers=2) as pool:
            # The pool's exit waits for both, so that `made` is complete whatever failed.
            judge = pool.submit(make, images["judge"], (), container.JUDGE_ROLE)
            side = pool.submit(make, images[learner], plan.box_command, role)
        if plan.service:
            return Rig(judge.result(), None, side.result())
        return Rig(judge.result(), side.result(), None)

    @contextmanager
    def _volume(self, job: Job) -> Iterator[str]:
        """Give the name of a volume for the Unix socket of the job's service."""
        labels = {container.APP_LABEL: "sandbox", "greenroom.owner": owner.owner_token(), "greenroom.job": job.id}
        volume = self.client.volumes.create(name=f"greenroom-{secrets.token_hex(8)}", labels=labels)
        try:
            yield volume.name
        finally:
            with suppress(*ENGINE_ERRORS):
                volume.remove(force=True)

    def sweep(self) -> int:
        """Remove containers and volumes whose process is gone or that are too old; return how many."""
        oldest = time.time() - MAX_AGE.total_seconds()
        removed = 0
        wanted: dict[str, str | list[str] | bool] = {"label": f"{container.APP_LABEL}=sandbox"}
        try:
            for each in self.client.containers.list(all=True, filters=wanted, ignore_removed=True):
                created = float(each.labels.get("greenroom.created", "0"))
                if created < oldest or not owner.lives(each.labels.get("greenroom.owner", "")):
                    removed += _removed(partial(each.remove, force=True, v=True))
            for volume in self.client.volumes.list(filters=wanted):
                labels = volume.attrs.get("Labels") or {}
                if not owner.lives(labels.get("greenroom.owner", "")):
                    removed += _removed(partial(volume.remove, force=True))
        except ENGINE_ERRORS as error:
            raise EngineUnavailable(f"No Docker engine answers: {error}") from error
        return removed


def _removed(remove: Callable[[], None]) -> int:
    """Return 1 when `remove` did, 0 when something else was quicker or still uses it."""
    try:
        remove()
    except DockerException:
        return 0
    return 1


def _destroy_all(made: list[Container]) -> None:
    """Destroy containers side by side; a failure is left to the sweep."""

    def destroy(one: Container) -> None:
        with suppress(*ENGINE_ERRORS):
            one.destroy()

    with ThreadPoolExecutor(max_workers=max(1, len(made))) as pool:
        list(pool.map(destroy, made))


def _pump(job: Job, plan: Plan, rig: Rig, on_event: OnEvent) -> Outcome:
    """Return the outcome of a started rig."""
    nonce = secrets.token_hex(32)
    assert rig.judge.stream is not None
    judge = Peer(rig.judge.stream)
    judge.out += wire.control(_job_message(job, plan, nonce))
    box = Peer(rig.box.stream) if rig.box is not None and rig.box.stream is not None else None
    if rig.service is not None and rig.service.stream is not None:
        drain = threading.Thread(target=_drain, args=(rig.service.stream,), daemon=True)
        drain.start()

    def on_control(message: dict[str, Any]) -> None:
        if message.get("type") == "event":
            on_event(Event(name=str(message["name"]), data=dict(message["data"])))

    setup = wire.line(dict(plan.box_setup)) if plan.box_command else b""
    pump = Pump(judge, box, setup, job.limits.wall_time.total_seconds(), on_control)
    stop = pump.run()
    wall = timedelta(seconds=time.monotonic() - pump.started_at) if pump.started_at is not None else timedelta()
    facts = rig.learner_side.facts(ended=box is not None and not box.open)
    outcome = _outcome(stop, pump.end, nonce, facts, judge.stderr.decode("utf-8", "replace"))
    return replace(outcome, wall_time=wall, cpu_time=facts.cpu_time, max_memory_bytes=facts.max_memory_bytes)


def _drain(stream: Any) -> None:
    """Read and drop what a service prints: an unread stream blocks kill, wait and remove."""
    with suppress(OSError):
        while stream.recv(65536):
            pass


def _job_message(job: Job, plan: Plan, nonce: str) -> dict[str, Any]:
    return {
        "type": "job",
        "nonce": nonce,
        "kind": job.kind,
        "suite": dict(job.suite),
        "checks": [{"id": c.id, "test": c.test, "visible": c.visible} for c in job.checks],
        "seed": job.seed,
        "wall_seconds": job.limits.wall_time.total_seconds(),
        "output_bytes": job.limits.output_bytes,
        **plan.judge_fields,
    }


def _outcome(stop: Stop, end: dict[str, Any] | None, nonce: str, facts: Facts, log: str) -> Outcome:
    """Return what happened, from how the pump stopped, the judge's last frame and the kernel's counts."""
    if end is not None and not secrets.compare_digest(str(end.get("nonce")), nonce):
        return Outcome(ended=Ended.JUDGE_BROKE, reason="the last frame did not carry the nonce")
    checks = tuple(_check(told) for told in end["checks"]) if end is not None else ()
    detail, output = (str(end["detail"]), str(end["output"])) if end is not None else ("", "")
    reason = str(end["reason"]) if end is not None else log[-4000:]
    ended = _ended(stop, Ended(end["ended"]) if end is not None else Ended.JUDGE_BROKE, facts)
    return Outcome(ended=ended, checks=checks, detail=detail, output=output, reason=reason)


def _ended(stop: Stop, said: Ended, facts: Facts) -> Ended:
    """Return how the job ended: the platform's own faults first, then what limits did, then what the judge said."""
    if stop is Stop.JUDGE_SILENT or said is Ended.BOX_BROKE or (stop is Stop.END and said is Ended.JUDGE_BROKE):
        return Ended.JUDGE_BROKE if stop is Stop.JUDGE_SILENT else said
    if facts.out_of_memory:
        return Ended.OUT_OF_MEMORY
    if stop is Stop.FLOOD:
        return Ended.TOO_MUCH_OUTPUT
    if stop is Stop.DEADLINE:
        return Ended.OUT_OF_TIME
    if facts.too_many_processes and said in {Ended.COMPLETED, Ended.CRASHED}:
        return Ended.TOO_MANY_PROCESSES
    return said


def _check(told: dict[str, Any]) -> CheckOutcome:
    return CheckOutcome(
        id=str(told["id"]),
        passed=told["passed"] is True,
        limit=str(told["limit"]),
        message=str(told.get("message", "")),
        steps=tuple(str(step) for step in told.get("steps", ())),
        expected=str(told.get("expected", "")),
        actual=str(told.get("actual", "")),
        output=str(told.get("output", "")),
    )
