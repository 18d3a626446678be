"""Runs jobs on a Docker engine: a box or service for the learner's side, a judge for ours, a pump between."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import docker
from docker.errors import DockerException

from sandbox import container, door, owner, wire
from sandbox.container import Facts
from sandbox.errors import EngineUnavailable, LimitsUnproven
from sandbox.images import image_name
from sandbox.job import Job
from sandbox.kinds import Plan, plan_for
from sandbox.needs import needs_of
from sandbox.outcome import CheckOutcome, Ended, Event, Outcome
from sandbox.pool import Pool
from sandbox.pump import Pump, Stop
from sandbox.sandbox import OnEvent
from sandbox.shelf import PoolStatus, Sort
from sandbox.station import ENGINE_ERRORS, Box, Broken, Judge, Lines, make_box, make_judge, with_suite
from sandbox.suite import Beside, Service, Suite

ENGINE_SECONDS = 60
MAX_AGE = timedelta(hours=24)  # of a container whose owner cannot be seen from here
JUST_MADE = timedelta(minutes=2)  # not yet on any list of ours
MOST_DATABASES = 100
SETUP_SECONDS = 10.0  # for a fresh box to take its files
RETURNING = 3.0  # seconds to wait for a judge that is on its way back: making another takes about as long


@dataclass(slots=True)
class Rig:
    """What one job runs on."""

    judge: Judge
    box: Box | None

    def facts(self) -> list[Facts]:
        """Return what the kernel counted for each container that learner code or statements reached: box, service."""
        found = [self.box.container.facts(ended=not self.box.alive())] if self.box is not None else []
        if (service := self.judge.service) is not None:
            found.append(service.facts(ended=bool(found) and not self.judge.served()))
        return found  # every kind has one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorts:
    """What the pool may hold ready for a job."""

    suite: Suite
    judge: Sort[Judge]
    blank: Sort[Judge]
    box: Sort[Box] | None


class DockerBox:
    """The real sandbox. Refuses learner code until `doctor.examine` has proven the limits of this engine.

    `pool_bytes` is the memory that boxes and judges made ahead may hold; with 0 everything is made for its job.
    Whoever gives more calls `close` in the end. Without `doors` the bytes of boxes go through the engine's streams.
    """

    def __init__(self, runtime: str = "", *, proven: bool = False, pool_bytes: int = 0, doors: bool = True) -> None:
        self.runtime = runtime  # an OCI runtime known to the engine, e.g. runsc; empty: the engine's default
        self.proven = proven
        self.pool = Pool(pool_bytes)
        self._lines = Lines(direct=doors)
        self._local = threading.local()

    def engine(self) -> docker.DockerClient:
        """Return this thread's connection to the engine. Raises EngineUnavailable."""
        client: docker.DockerClient | None = getattr(self._local, "client", None)
        if client is None:
            try:
                # Keeps a connection for each of the last 25 addresses it asked, and a container's id is part of those.
                client = self._local.client = docker.from_env(timeout=ENGINE_SECONDS)
            except DockerException as error:
                raise EngineUnavailable(f"No Docker engine answers: {error}") from error
        return client

    def run(self, job: Job, on_event: OnEvent) -> Outcome:
        """Return what happened to `job`; its box is destroyed meanwhile or right after.

        Raises JobRefused, ImageMissing, EngineUnavailable or LimitsUnproven before anything is started;
        afterwards every failure is an Outcome.
        """
        job.validate()
        plan = plan_for(job)
        self._refuse_unproven()
        sorts = self._sorts(job, plan)
        on_event(Event(name="box.starting"))
        with self.pool.job():
            try:
                rig = self._take(sorts)
            except Broken as error:
                return Outcome(ended=Ended(error.ended), reason=str(error))
            except ENGINE_ERRORS as error:
                return Outcome(ended=Ended.ENGINE_BROKE, reason=f"starting: {error}")
            sound = False
            try:
                on_event(Event(name="box.started"))
                outcome, sound = _pump(job, plan, rig, on_event)
            except ENGINE_ERRORS as error:
                outcome = Outcome(ended=Ended.ENGINE_BROKE, reason=f"running: {error}")
            finally:
                self._leave(rig, sorts, sound=sound)
        return outcome

    def expect(self, job: Job) -> None:
        """Have ready what `job` would need: a hint, which costs the caller nothing. Raises as `run` does."""
        self._refuse_unproven()
        sorts = self._sorts(job, plan_for(job))
        for sort in (sorts.box, sorts.judge):
            if sort is not None:
                self.pool.want(sort)

    def keep_ready(self, pool_bytes: int) -> None:
        """Let boxes and judges made ahead hold so much memory from now on."""
        self.pool.budget_bytes = pool_bytes

    def status(self) -> PoolStatus:
        """Return what is held ready, and how often it served."""
        return self.pool.status()

    def close(self) -> None:
        """Destroy everything that is held ready."""
        self._lines.closed = True
        self.pool.close()
        door.close_all()

    def _refuse_unproven(self) -> None:
        if not self.proven:
            raise LimitsUnproven("the doctor has not proven that the limits bite: run `flask sandbox doctor`")

    def _sorts(self, job: Job, plan: Plan) -> Sorts:
        """Return what `job` needs. Raises ImageMissing."""
        judge_image = image_name("judge")
        service, box = None, None
        image = image_name(job.runtime)
        role = container.box_role(job.limits, needs_of(job.runtime))
        if plan.service:
            # Made with the service, on whose loopback it is: the judge has it, not a shelf of its own.
            beside = Beside(image=image, command=plan.box_command, role=role) if plan.box_command else None
            service = Service(
                image=image_name(plan.service),
                command=plan.service_command,
                role=container.SERVICES_ROLE if plan.box_command else container.service_role(job.limits),
                setup=plan.service_setup,
                box=beside,
            )
        else:
            box = self._box_sort(image, plan.box_command, role)
        suite = Suite(files=job.suite, checks=len(job.checks), service=service)
        meets_boxes = service is None or service.box is not None
        parts = f"{', with a volume' if service else ''}{' and a door' if service and meets_boxes else ''}"
        blank = Sort(
            key=("blank", judge_image, service is not None, meets_boxes),
            label=f"judge, blank{parts}",
            make=partial(make_judge, self.engine, self._lines, judge_image, service, self.runtime),
        )

        def make() -> Judge:
            return with_suite(make_judge(self.engine, self._lines, judge_image, service, self.runtime), suite)

        label = f"judge of {job.exercise or 'a suite'}"
        judge = Sort(key=("judge", judge_image, suite.key()), label=label, make=make, reusable=True)
        return Sorts(suite=suite, judge=judge, blank=blank, box=box)

    def _box_sort(self, image: str, command: tuple[str, ...], role: container.Role) -> Sort[Box]:
        return Sort(
            key=("box", image, command, role),
            label=f"box {image.partition('/')[2].partition(':')[0]} {command[-1].rpartition('/')[2]} "
            f"{role.memory_bytes >> 20} MiB",
            make=partial(make_box, self.engine, self._lines, image, command, role, self.runtime),
        )

    def _take(self, sorts: Sorts) -> Rig:
        """Return a rig from the pool; what is not there is made now, side by side. Raises Broken, ENGINE_ERRORS."""
        judge = self.pool.take(sorts.judge, patience=RETURNING)
        box = self.pool.take(sorts.box) if sorts.box is not None else None
        if judge is not None and (box is not None or sorts.box is None):
            return Rig(judge, box or judge.box)
        with ThreadPoolExecutor(max_workers=2) as makers:
            judges = makers.submit(lambda: judge or self._suited(sorts))
            boxes = makers.submit(lambda: box or (sorts.box.make() if sorts.box is not None else None))
        # Both have come to their end; where only one came up, it must not be left behind.
        failure = judges.exception() or boxes.exception()
        if failure is not None:
            self.pool.lose(sorts.judge, None if judges.exception() else judges.result())
            if sorts.box is not None:
                self.pool.lose(sorts.box, None if boxes.exception() else boxes.result())
            raise failure
        return Rig(judges.result(), boxes.result() or judges.result().box)

    def _suited(self, sorts: Sorts) -> Judge:
        """Return a judge with the suite: a blank one that is ready has done the slower half."""
        return with_suite(self.pool.take(sorts.blank) or sorts.blank.make(), sorts.suite)

    def _leave(self, rig: Rig, sorts: Sorts, *, sound: bool) -> None:
        """Clear away what a job was run on, beside the jobs; a sound judge comes back."""
        if sorts.box is not None:
            self.pool.lose(sorts.box, rig.box)
        if sound and self.pool.budget_bytes:
            self.pool.give_back(sorts.judge, rig.judge, partial(rig.judge.refresh, sorts.suite.service))
        else:
            self.pool.lose(sorts.judge, rig.judge)

    def sweep(self) -> int:
        """Remove containers and volumes that nobody can use any more; return how many.

        Those are what a process that is gone left behind, and what this one has lost sight of.
        """
        door.sweep()
        removed = 0
        wanted: dict[str, str | list[str] | bool] = {"label": f"{container.APP_LABEL}=sandbox"}
        try:
            for each in self.engine().containers.list(all=True, filters=wanted, ignore_removed=True):
                if _forgotten(str(each.id), each.labels):
                    removed += _removed(partial(each.remove, force=True, v=True))
            for volume in self.engine().volumes.list(filters=wanted):
                labels = volume.attrs.get("Labels") or {}
                if not owner.lives(labels.get("greenroom.owner", "")):
                    removed += _removed(partial(volume.remove, force=True))
        except ENGINE_ERRORS as error:
            raise EngineUnavailable(f"No Docker engine answers: {error}") from error
        return removed


def _forgotten(id: str, labels: dict[str, str]) -> bool:
    age = time.time() - float(labels.get("greenroom.created", "0"))
    token = labels.get("greenroom.owner", "")
    if token == owner.owner_token():
        return age > JUST_MADE.total_seconds() and id not in container.held()
    return age > MAX_AGE.total_seconds() or not owner.lives(token)


def _removed(remove: Callable[[], None]) -> int:
    """Return 1 when `remove` did, 0 when something else was quicker or still uses it."""
    try:
        remove()
    except DockerException:
        return 0
    return 1


def _pump(job: Job, plan: Plan, rig: Rig, on_event: OnEvent) -> tuple[Outcome, bool]:
    """Return the outcome of a rig, and whether its judge can be used again."""
    nonce = secrets.token_hex(32)
    spliced = None  # the box's stream, where it goes through here
    direct = rig.box is not None and rig.box.direct
    if rig.box is not None:
        setup = wire.line(dict(plan.box_setup))
        if direct:
            rig.box.peer.sock.settimeout(SETUP_SECONDS)
            rig.box.peer.sock.sendall(setup)
            rig.box.peer.sock.settimeout(None)  # the judge's copy shares this
            rig.judge.hand(rig.box.peer.sock, nonce)
        else:
            spliced = rig.box.peer
            spliced.out += setup
    rig.judge.begin(_job_message(job, plan, nonce) | {"direct": direct})

    def on_control(message: dict[str, Any]) -> None:
        if message["type"] == "event":
            on_event(Event(name=str(message["name"]), data=dict(message["data"])))
        else:
            rig.judge.note(message)

    started = time.monotonic()
    pump = Pump(rig.judge.peer, rig.judge.frames, spliced, job.limits.wall_time.total_seconds(), on_control)
    stop = pump.run()
    if stop is Stop.DEADLINE and rig.judge.frames.torn:
        stop = Stop.JUDGE_CLOSED  # it died in the middle of a word: the time ran out on us, not on the learner
    wall = timedelta(seconds=time.monotonic() - started)
    sides = rig.facts()
    facts = container.together(*sides)
    outcome = _outcome(stop, pump.end, nonce, facts, rig.judge.peer.stderr.decode("utf-8", "replace"))
    if any(each.out_of_memory for each in sides[1:]):
        outcome = replace(outcome, detail="A service that the program uses ran out of memory.")
    if pump.end is not None and outcome.ended is not Ended.JUDGE_BROKE:
        rig.judge.databases = max(rig.judge.databases, min(int(pump.end["databases"]), MOST_DATABASES))
    sound = stop is Stop.END and outcome.ended is not Ended.JUDGE_BROKE
    return replace(outcome, wall_time=wall, cpu_time=facts.cpu_time, max_memory_bytes=facts.max_memory_bytes), sound


def _job_message(job: Job, plan: Plan, nonce: str) -> dict[str, Any]:
    return {
        "type": "job",
        "nonce": nonce,
        "kind": job.kind,
        "checks": [asdict(check) for check in job.checks],
        "seed": job.seed,
        "wall_seconds": job.limits.wall_time.total_seconds(),
        "output_bytes": job.limits.output_bytes,
        **plan.judge_fields,
    }


def _outcome(stop: Stop, end: dict[str, Any] | None, nonce: str, facts: Facts, log: str) -> Outcome:
    """Return what happened, from how the pump stopped, the judge's last frame and the kernel's counts."""
    if end is None:
        return Outcome(ended=_ended(stop, Ended.JUDGE_BROKE, facts), reason=log[-4000:])
    if not secrets.compare_digest(str(end.get("nonce")).encode("utf-8", "replace"), nonce.encode()):
        return Outcome(ended=Ended.JUDGE_BROKE, reason="the last frame did not carry the nonce")
    fallen = str(end.get("fallen", ""))  # services
    try:
        return Outcome(
            ended=_ended(stop, Ended(end["ended"]), facts, fallen),
            checks=tuple(_check(told) for told in end["checks"]),
            detail=str(end["detail"]),
            output=str(end["output"]),
            reason=str(end["reason"]) or (f"{fallen} ended by itself" if fallen else ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        return Outcome(ended=Ended.JUDGE_BROKE, reason=f"the last frame is malformed: {error!r}")


def _ended(stop: Stop, said: Ended, facts: Facts, fallen: str = "") -> Ended:
    """Return how the job ended: the platform's own faults first, then what limits did, then what the judge said.

    `fallen`: services that ended by themselves. A limit of theirs is the learner's doing, the rest is ours.
    """
    if stop is Stop.END and said is Ended.JUDGE_BROKE:
        return said
    if facts.out_of_memory:
        return Ended.OUT_OF_MEMORY
    if fallen:
        return Ended.JUDGE_BROKE
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
