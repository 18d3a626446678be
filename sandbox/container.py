"""One container: created and started apart from being used, so that a pool can do the first two ahead."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
from docker.types import LogConfig, Mount, Ulimit

from sandbox.job import MIB, Limits
from sandbox.needs import NOTHING, Needs
from sandbox.owner import owner_token

APP_LABEL = "greenroom.app"
SOCKET_DIR = "/run/greenroom"
DOOR_DIR = "/run/door"
SECCOMP = Path(__file__).parent / "seccomp"
ENGINE_LAG_SECONDS = 3.0
KILLED = 128 + 9  # also what a submission that kills itself leaves: no proof of anything
UIDS = range(20_000, 60_000)

_uids_in_use: set[int] = set()
_held: set[str] = set()  # ids of the containers that this process has and will destroy
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a container is for decides how it is confined."""

    name: str  # box, service, judge
    seccomp: str = "box"
    memory_bytes: int = 256 * MIB
    cpus: float = 1.0
    processes: int = 64
    disk_bytes: int = 32 * MIB
    inodes: int = 2048
    file_bytes: int = 16 * MIB
    open_files: int = 256


def box_role(limits: Limits, needs: Needs = NOTHING) -> Role:
    """Return the confinement of learner code in a runtime that itself `needs` something."""
    return Role(
        name="box",
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        processes=limits.processes + needs.processes,
        disk_bytes=limits.disk_bytes,
    )


def service_role(limits: Limits) -> Role:
    """Return the confinement of a database server that runs learner statements."""
    return Role(
        name="service",
        seccomp="database",
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        disk_bytes=320 * MIB,
        inodes=32_768,
        file_bytes=256 * MIB,
        open_files=1024,
    )


# The services beside a learner's server: whatever the exercise allows its box, they hold the same data.
SERVICES_ROLE = Role(
    name="service",
    seccomp="database",
    memory_bytes=512 * MIB,
    processes=128,  # a server of PostgreSQL's is one per connection
    disk_bytes=256 * MIB,
    inodes=32_768,
    file_bytes=256 * MIB,
    open_files=2048,
)
JUDGE_ROLE = Role(name="judge", memory_bytes=512 * MIB, disk_bytes=64 * MIB, open_files=512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the kernel counted for one container, seen from outside."""

    out_of_memory: bool = False
    too_many_processes: bool = False
    cpu_time: timedelta = timedelta()
    max_memory_bytes: int = 0


def together(*facts: Facts) -> Facts:
    """Return what counts for a job of several containers: the limits that bit in any, and the time of all.

    The memory is the first's: it alone is what a submission is allowed.
    """
    return Facts(
        out_of_memory=any(each.out_of_memory for each in facts),
        too_many_processes=any(each.too_many_processes for each in facts),
        cpu_time=sum((each.cpu_time for each in facts), timedelta()),
        max_memory_bytes=facts[0].max_memory_bytes,
    )


def take_uid() -> int:
    """Return a uid that no other container of this process has: nproc is counted per uid across containers."""
    with _lock:
        while True:
            uid = UIDS[secrets.randbelow(len(UIDS))]
            if uid not in _uids_in_use:
                _uids_in_use.add(uid)
                return uid


def still_open(stream: socket.socket) -> bool:
    """Return whether the other end of `stream` is there; what it has sent stays unread."""
    try:
        return stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def held() -> frozenset[str]:
    """Return the ids of the containers that this process has not destroyed yet."""
    with _lock:
        return frozenset(_held)


def settings(role: Role, *, uid: int, runtime: str, volume: str, door: str, beside: str = "") -> dict[str, Any]:
    """Return the docker-py arguments that confine a container of `role`.

    `beside`: the id of a container whose network it shares, which has none but loopback.
    """
    tmpfs = f"rw,nosuid,nodev,noexec,size={role.disk_bytes},nr_inodes={role.inodes},uid={uid},gid={uid},mode=0700"
    confined: dict[str, Any] = {
        "user": f"{uid}:{uid}",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges=true", f"seccomp={(SECCOMP / f'{role.seccomp}.json').read_text()}"],
        "read_only": True,
        "tmpfs": {"/tmp": tmpfs, "/work": tmpfs},  # noqa: S108 - inside the container
        "pids_limit": role.processes,
        "mem_limit": role.memory_bytes,
        "memswap_limit": role.memory_bytes,
        "nano_cpus": int(role.cpus * 1e9),
        "ulimits": _ulimits(role),
        "network_disabled": True,
        "ipc_mode": "private",
        "cgroupns": "private",
        "shm_size": 16 * MIB,
        "hostname": role.name,
        "init": True,
        "log_config": LogConfig(type=LogConfig.types.NONE),
        "environment": {"LANG": "C.UTF-8", "HOME": "/tmp"},  # noqa: S108 - inside the container
        "labels": {
            APP_LABEL: "sandbox",
            "greenroom.owner": owner_token(),
            "greenroom.role": role.name,
            "greenroom.created": str(int(time.time())),
        },
        "stdin_open": True,
        "working_dir": "/work",
    }
    if runtime:
        confined["runtime"] = runtime
    if beside:
        # What is joined has no network either. The engine takes a host name only from what it is joined to.
        del confined["network_disabled"], confined["hostname"]
        confined["network_mode"] = f"container:{beside}"
    mounts = [Mount(target=SOCKET_DIR, source=volume, type="volume")] if volume else []
    mounts += [Mount(target=DOOR_DIR, source=door, type="bind", read_only=True)] if door else []
    return confined | {"mounts": mounts}


def _ulimits(role: Role) -> list[Ulimit]:
    # Never "as": runc's own init fails under it.
    hard = {
        "nofile": role.open_files,
        "fsize": role.file_bytes,
        "core": 0,
        "memlock": 0,
        "msgqueue": 0,
        "sigpending": 64,
        "nproc": 2 * role.processes,  # the other limit must bite first: it is the one that is counted
    }
    return [Ulimit(name=name, soft=value, hard=value) for name, value in hard.items()]


Engine = Callable[
    [], docker.DockerClient
]  # the calling thread's connection: a container outlives the thread of its job


@dataclass(slots=True)
class Container:
    """A created container; `start` attaches to it and starts it, `destroy` leaves nothing of it."""

    id: str
    engine: Engine
    role: Role
    uid: int
    stream: socket.socket | None = None
    _attached: Any = None  # docker-py's wrapper: collected, it would close the socket under us
    _cgroups: dict[str, Path] = field(default_factory=dict)
    _cpu_before: timedelta = timedelta()

    def start(self) -> socket.socket:
        """Attach, start, and return the attach stream. Raises docker.errors.DockerException."""
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._attached = self.engine().api.attach_socket(self.id, params=params)
        self.stream = getattr(self._attached, "_sock", self._attached)
        self.start_alone()
        assert self.stream is not None
        return self.stream

    def start_alone(self) -> None:
        """Start without attaching. Raises docker.errors.DockerException."""
        api = self.engine().api
        api.start(self.id)
        self._cgroups = cgroups_of(api, self.id)

    def memory_bytes(self) -> int:
        """Memory that is charged to the container now; 0 where the cgroup cannot be read."""
        return number_in(self._cgroups.get("memory"), ("memory.usage_in_bytes", "memory.current"))

    def mark(self) -> None:
        """Count CPU time from now on: what it took to get ready is not the job's."""
        self._cpu_before = cpu_time_in(self._cgroups.get("cpuacct"))

    def facts(self, *, ended: bool = False) -> Facts:
        """Return what the kernel counted so far; without readable cgroup files only what the engine tells.

        `ended`: the container's stream has closed, so the engine is about to learn how it ended.
        """
        oom = count_in(self._cgroups.get("memory"), ("memory.oom_control", "memory.events"), "oom_kill")
        if oom is None:
            oom = int(self._engine_saw_oom(ended or bool(self._cgroups)))
        pids = count_in(self._cgroups.get("pids"), ("pids.events",), "max")
        return Facts(
            out_of_memory=bool(oom),
            too_many_processes=bool(pids),
            cpu_time=max(timedelta(), cpu_time_in(self._cgroups.get("cpuacct")) - self._cpu_before),
            max_memory_bytes=number_in(self._cgroups.get("memory"), ("memory.max_usage_in_bytes", "memory.peak")),
        )

    def _engine_saw_oom(self, died: bool) -> bool:
        """Return what the engine tells. It learns of an end a little after the stream has closed: wait for that."""
        deadline = time.monotonic() + ENGINE_LAG_SECONDS
        with contextlib.suppress(docker.errors.DockerException):
            while True:
                state = self._state()
                if state.get("OOMKilled") or not died or time.monotonic() > deadline:
                    return bool(state.get("OOMKilled"))
                # Killed and not by us: the engine's word on why may still be under way.
                if not state["Running"] and state["ExitCode"] != KILLED:
                    return False
                time.sleep(0.02)
        return False

    def exit_code(self) -> int:
        """Return the exit code of a container that has ended, 0 while it runs."""
        return int(self._state()["ExitCode"])

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.engine().api.inspect_container(self.id)["State"]
        return state

    def destroy(self) -> None:
        """Close the stream first (an unread one blocks kill, wait and remove), then kill and remove."""
        if self.stream is not None:
            with contextlib.suppress(OSError):
                self.stream.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                self.stream.close()
        try:
            with contextlib.suppress(docker.errors.NotFound):
                self.engine().api.remove_container(self.id, force=True, v=True)
        finally:
            with _lock:
                _uids_in_use.discard(self.uid)
                _held.discard(self.id)


def create(
    engine: Engine,
    image: str,
    command: tuple[str, ...],
    role: Role,
    *,
    runtime: str = "",
    volume: str = "",
    door: str = "",
    beside: str = "",
) -> Container:
    """Return a container of `image`, created and not started. Raises docker.errors.DockerException."""
    uid = take_uid()
    try:
        confined = settings(role, uid=uid, runtime=runtime, volume=volume, door=door, beside=beside)
        made = engine().containers.create(image, list(command) or None, **confined)
        with _lock:
            _held.add(str(made.id))
        return Container(str(made.id), engine, role, uid)
    except BaseException:
        with _lock:
            _uids_in_use.discard(uid)
        raise


def cgroups_of(api: docker.APIClient, container_id: str) -> dict[str, Path]:
    """Return the container's cgroup folder per controller (v1 and v2), or {} where the engine is not on this host."""
    try:
        pid = api.inspect_container(container_id)["State"]["Pid"]
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines() if pid else []
    except (OSError, docker.errors.DockerException):
        return {}
    found: dict[str, Path] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if container_id not in path:
            continue  # a pid of another machine
        if not controllers:
            unified = Path("/sys/fs/cgroup") / path.lstrip("/")
            if (unified / "memory.events").exists():
                found |= dict.fromkeys(("memory", "pids", "cpuacct"), unified)
        for controller in set(controllers.split(",")) & {"memory", "pids", "cpuacct"}:
            found[controller] = Path("/sys/fs/cgroup") / controller / path.lstrip("/")
    return found


def count_in(folder: Path | None, names: tuple[str, ...], key: str) -> int | None:
    """Return the number after `key` in the first of the files that is there, or None."""
    if folder is None:
        return None
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            for line in (folder / name).read_text(encoding="ascii").splitlines():
                if line.split()[0] == key:
                    return int(line.split()[1])
    return None


def number_in(folder: Path | None, names: tuple[str, ...]) -> int:
    """Return the number in the first of the files that is there, or 0."""
    if folder is None:
        return 0
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            return int((folder / name).read_text(encoding="ascii"))
    return 0


def cpu_time_in(folder: Path | None) -> timedelta:
    """Return the CPU time used, from cgroup v1 (nanoseconds) or v2 (microseconds)."""
    nanoseconds = number_in(folder, ("cpuacct.usage",))
    if nanoseconds:
        return timedelta(microseconds=nanoseconds / 1000)
    return timedelta(microseconds=count_in(folder, ("cpu.stat",), "usage_usec") or 0)
