"""Containers that are ready for a job: boxes whose driver waits for files, judges that hold a collected suite.

A judge of an exercise with services has those and a box of its own: the box shares their loopback.

They are made here, ahead of a job or for one; `docker_box` joins them and judges.
"""

from __future__ import annotations

import json
import logging
import secrets
import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests
from docker.errors import DockerException

from sandbox import container, owner, wire
from sandbox.container import Container, Engine, Role
from sandbox.door import Door, DoorShut
from sandbox.errors import EngineUnavailable, SandboxError, WireError
from sandbox.outcome import Ended
from sandbox.pump import Peer
from sandbox.suite import Service, Suite

ENGINE_ERRORS = (DockerException, requests.RequestException, OSError)
log = logging.getLogger("greenroom.sandbox")
DOOR_SECONDS = 40.0
LOOK_UP_SECONDS = 0.5  # while waiting for a judge
START_SECONDS = 60.0  # guards for the platform's own part
RETURN_SECONDS = 10.0
FIRST_DATABASES = 3  # made ahead for the first job of an exercise with services


class Broken(SandboxError):
    """A station did not get ready, or not again; the message says why, `ended` what it means for a job."""

    ended = Ended.JUDGE_BROKE


class BoxBroken(Broken):
    """A box did not come up, before it saw anything of the learner's."""

    ended = Ended.BOX_BROKE


class Lines:
    """How boxes and judges are reached from this process, and whether any more are to be made.

    `direct`: they can dial us. Not so where the engine runs on another kernel, which the first one shows.
    """

    def __init__(self, *, direct: bool) -> None:
        self.direct = direct
        self.closed = False
        self._worked = False

    def refuse_when_closed(self) -> None:
        """Raise Broken once nothing is to be made any more."""
        if self.closed:
            raise Broken("the sandbox is being closed")

    def door(self) -> Door | None:
        """Return a new door, or None where doors do not work."""
        return Door() if self.direct else None

    def used(self) -> None:
        """Note that somebody came through a door."""
        self._worked = True

    def unused(self, error: DoorShut) -> None:
        """Note that nobody came. Raises BoxBroken where doors have worked before."""
        if self._worked:
            raise BoxBroken(f"the box did not come up: {error}") from error
        log.warning("sandbox.no_doors: %s; bytes go through the engine's attach streams", error)
        self.direct = False


@dataclass(slots=True)
class Box:
    """A started box whose driver has said that it is up; it has seen nothing of any learner."""

    container: Container
    peer: Peer

    @property
    def direct(self) -> bool:
        """Whether its line is a socket that can be handed to the judge."""
        return not self.peer.framed

    @property
    def containers(self) -> tuple[Container, ...]:
        """What it is made of."""
        return (self.container,)

    def alive(self) -> bool:
        """Whether it can still be used."""
        return container.still_open(self.peer.sock)

    def memory_bytes(self) -> int:
        """Memory that it holds now."""
        return self.container.memory_bytes()

    def discard(self) -> None:
        """Destroy it; what fails is left to the sweep."""
        with suppress(OSError):
            self.peer.sock.close()
        _destroy(self.container)


def make_box(
    engine: Engine, lines: Lines, image: str, command: tuple[str, ...], role: Role, runtime: str, *, beside: str = ""
) -> Box:
    """Return a box that is up, on the loopback of container `beside` if one is named. Raises Broken, ENGINE_ERRORS."""
    while True:
        lines.refuse_when_closed()
        door = lines.door()
        made = None
        try:
            made = container.create(
                engine, image, command, role, runtime=runtime, door=str(door.folder) if door else "", beside=beside
            )
            if door is None:
                peer = Peer(made.start())
            else:
                made.start_alone()
                peer = Peer(door.admit(made.uid, DOOR_SECONDS), framed=False)
                lines.used()
            _await_line(peer, {"type": "up"})
            made.mark()
            return Box(made, peer)
        except DoorShut as error:
            _destroy(made)
            lines.unused(error)
        except BaseException:
            _destroy(made)
            raise
        finally:
            if door is not None:
                door.close()


def _destroy(one: Container | None) -> None:
    """Destroy a container; what fails is left to the sweep."""
    if one is not None:
        with suppress(*ENGINE_ERRORS, EngineUnavailable):
            one.destroy()


def _await_line(peer: Peer, wanted: Mapping[str, Any]) -> None:
    said, deadline = bytearray(), time.monotonic() + START_SECONDS
    while b"\n" not in said:
        if not select.select([peer.sock], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise BoxBroken(f"the box said nothing for {START_SECONDS:g} s")
        said += peer.read()
        if not peer.open:
            raise BoxBroken(f"the box did not come up: {peer.stderr.decode('utf-8', 'replace')[-2000:]}")
    if bytes(said) != wire.line(dict(wanted)):
        raise BoxBroken("the box greeted in an unknown way")
    peer.received = 0


class Judge:
    """A judge container: blank, then with a collected suite, then used for one job after the other."""

    def __init__(self, engine: Engine, lines: Lines, image: str, runtime: str) -> None:
        self._engine, self._lines, self._image, self._runtime = engine, lines, image, runtime
        self._resync = secrets.token_hex(32)
        self._volume = ""
        self._services = 0
        self.service: Container | None = None
        self.box: Box | None = None  # beside the service
        self.databases = 0  # that the last job used
        self.frames = wire.FrameReader()
        self._hatch: socket.socket | None = None  # through which boxes' lines are handed
        self._heard: deque[dict[str, Any]] = deque()

    def start(self, service: Service | None) -> None:
        """Start the container, and for `service` make the place where both meet. Raises ENGINE_ERRORS."""
        if service is not None:
            labels = {container.APP_LABEL: "sandbox", "greenroom.owner": owner.owner_token()}
            self._volume = f"greenroom-{secrets.token_hex(8)}"
            self._engine().volumes.create(name=self._volume, labels=labels)
        meets_boxes = service is None or service.box is not None
        door = self._lines.door() if meets_boxes else None
        try:
            self.container = container.create(
                self._engine, self._image, (), container.JUDGE_ROLE,
                runtime=self._runtime, volume=self._volume, door=str(door.folder) if door else "",
            )  # fmt: skip
            self.peer = Peer(self.container.start())
            if door is not None:
                self._hatch = door.admit(self.container.uid, DOOR_SECONDS)
        except DoorShut as error:
            self._lines.unused(error)
        finally:
            if door is not None:
                door.close()

    def collect(self, suite: Suite) -> None:
        """Give it its suite. Raises Broken with the reason when the suite cannot be collected."""
        beside_box = suite.service is not None and suite.service.box is not None
        message = {"type": "suite", "files": dict(suite.files), "resync": self._resync, "services": beside_box}
        self.peer.out += wire.control(message)
        reason = self.hear("collected", START_SECONDS)["reason"]
        if reason:
            raise Broken(str(reason))
        self.hear("idle", START_SECONDS)
        # One each, and one to try the submission on; of those that a server is started on, what the jobs show.
        self.databases = FIRST_DATABASES if beside_box else suite.checks + 1

    def serve(self, service: Service) -> None:
        """Start a server of its own for the next job and let the judge make it ready. Raises Broken."""
        self._services += 1
        socket = f"{container.SOCKET_DIR}/{self._services}"
        self.service = container.create(
            self._engine, service.image, (*service.command, socket), service.role,
            runtime=self._runtime, volume=self._volume,
        )  # fmt: skip
        drained = Peer(self.service.start())
        self.peer.out += wire.control(
            {"type": "service", "socket": socket, "databases": self.databases, **service.setup}
        )
        if (how := service.box) is not None:  # while the judge prepares
            self.peer.flush()
            image, command, role = how.image, how.command, how.role
            self.box = make_box(self._engine, self._lines, image, command, role, self._runtime, beside=self.service.id)
        if reason := self.hear("prepared", START_SECONDS, beside=drained)["reason"]:
            raise Broken(str(reason))
        self.service.mark()

    def refresh(self, service: Service | None) -> bool:
        """Return whether it is as new after a job whose last frame has come: another child waits for the next."""
        if self.box is not None:
            self.box.discard()
            self.box = None
        if self.service is not None:
            self.service.destroy()
            self.service = None
        self.hear("over", RETURN_SECONDS)
        self.peer.out[:] = self._resync.encode()
        self.hear("idle", RETURN_SECONDS)
        if service is not None:
            self.serve(service)
        return True

    def hand(self, line: socket.socket, nonce: str) -> bool:
        """Hand it the line of the job's box; return False when it has no hatch for that."""
        if self._hatch is None:
            return False
        socket.send_fds(self._hatch, [nonce.encode()], [line.fileno()])
        return True

    def begin(self, message: Mapping[str, Any]) -> None:
        """Queue a job for it."""
        self._heard.clear()
        self.peer.stderr.clear()
        self.peer.stderr_bytes = self.peer.received = 0
        self.peer.out += wire.control(dict(message))

    def hear(self, wanted: str, seconds: float, *, beside: Peer | None = None) -> dict[str, Any]:
        """Return its next message of type `wanted`, passing over others. Raises Broken."""
        deadline = time.monotonic() + seconds
        while True:
            while self._heard:
                message = self._heard.popleft()
                if message["type"] == wanted:
                    return message
            self._lines.refuse_when_closed()
            left = deadline - time.monotonic()
            if left <= 0:
                raise Broken(f"the judge did not say {wanted!r} within {seconds:g} s")
            self._exchange(min(left, LOOK_UP_SECONDS), beside)

    def _exchange(self, seconds: float, beside: Peer | None) -> None:
        """Send what waits and take what comes within `seconds`. Raises Broken when somebody is gone."""
        self.peer.flush()
        peers = [self.peer.sock] + ([beside.sock] if beside is not None else [])
        readable = select.select(peers, [self.peer.sock] if self.peer.out else [], [], seconds)[0]
        if beside is not None and beside.sock in readable:
            beside.read()
            if not beside.open:
                raise Broken(f"the service ended: {beside.stderr.decode('utf-8', 'replace')[-2000:]}")
        if self.peer.sock in readable:
            self._take()
            if not self.peer.open and not self._heard:
                raise Broken(f"the judge ended: {self.peer.stderr.decode('utf-8', 'replace')[-2000:]}")

    def note(self, message: dict[str, Any]) -> None:
        """Keep a message that came during a job and is about what follows it."""
        self._heard.append(message)

    def _take(self) -> None:
        try:
            for channel, payload in self.frames.feed(self.peer.read()):
                if channel == wire.CONTROL:
                    message = json.loads(payload)
                    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
                        raise ValueError("a message is an object with a type")
                    self._heard.append(message)
        except (WireError, ValueError, RecursionError) as error:
            raise Broken(f"the judge garbled its frames: {error}") from error

    @property
    def containers(self) -> tuple[Container, ...]:
        """What it is made of."""
        return self._own if self.box is None else (*self._own, *self.box.containers)

    @property
    def _own(self) -> tuple[Container, ...]:
        return (self.container,) if self.service is None else (self.container, self.service)

    def alive(self) -> bool:
        """Whether it can still be used."""
        up = all(each.stream is not None and container.still_open(each.stream) for each in self._own)
        return up and (self.box is None or self.box.alive())

    def served(self) -> bool:
        """Whether its service still runs."""
        stream = self.service.stream if self.service is not None else None
        return stream is not None and container.still_open(stream)

    def memory_bytes(self) -> int:
        """Memory that it holds now."""
        return sum(each.memory_bytes() for each in self.containers)

    def discard(self) -> None:
        """Destroy it with its service and its volume; what fails is left to the sweep."""
        if self._hatch is not None:
            self._hatch.close()
        if self.box is not None:
            self.box.discard()
        for each in (self.service, getattr(self, "container", None)):
            _destroy(each)
        if self._volume:
            with suppress(*ENGINE_ERRORS, EngineUnavailable):
                self._engine().volumes.get(self._volume).remove(force=True)


def make_judge(engine: Engine, lines: Lines, image: str, service: Service | None, runtime: str) -> Judge:
    """Return a started judge without a suite. Raises ENGINE_ERRORS."""
    judge = Judge(engine, lines, image, runtime)
    try:
        judge.start(service)
    except BaseException:
        judge.discard()
        raise
    return judge


def with_suite(judge: Judge, suite: Suite) -> Judge:
    """Return `judge` with `suite` collected and its service ready; discards it and raises Broken otherwise."""
    try:
        judge.collect(suite)
        if suite.service is not None:
            judge.serve(suite.service)
    except BaseException:
        judge.discard()
        raise
    return judge
