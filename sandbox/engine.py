"""A Docker engine that answers: found, or on a bare Debian or Ubuntu machine installed and started."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException

from sandbox.errors import EngineUnavailable

Report = Callable[[str], None]

VAR = Path(__file__).resolve().parent.parent / "var"
PING_SECONDS = 5
PACKAGES = ("docker.io", "iptables")

INSTALL = (
    "No Docker engine answers: install and start Docker Desktop or Docker Engine, then run the same command again."
)
START = "No Docker engine answers: start it (`sudo systemctl start docker`), then run the same command again."
JOIN = (
    "A Docker engine is running but this user may not use it: run `sudo usermod -aG docker $USER`, "
    "sign in again, then run the same command again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where an engine leaves its traces; other values in tests."""

    socket: Path = Path("/var/run/docker.sock")
    engine_pid: Path = Path("/var/run/docker.pid")
    containerd_pid: Path = Path("/var/run/docker/containerd/containerd.pid")
    proc: Path = Path("/proc")
    systemd: Path = Path("/run/systemd/system")
    program: str = "dockerd"
    start_seconds: float = 60
    log: Path = VAR / "dockerd.log"
    lock: Path = VAR / "engine.lock"


def ensure_engine(report: Report, machine: Machine | None = None) -> None:
    """Return once a Docker engine answers; `DOCKER_HOST` is honoured.

    As root on Debian or Ubuntu, installs and starts one if need be (about 20 s the first time).
    Raises EngineUnavailable with one sentence on what to do.
    """
    if answers() or _adopt_desktop():
        return
    machine = machine or Machine()
    _refuse_what_we_cannot_start(machine)
    with _alone(machine.lock):
        if answers():  # another command started it while this one waited
            return
        if shutil.which("dockerd") is None:
            _install(report)
        start(machine, report)


def answers() -> bool:
    """Return whether the engine that `docker.from_env` means answers now."""
    try:
        client = docker.from_env(timeout=PING_SECONDS)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, OSError):
        return False


def _adopt_desktop() -> bool:
    """Point this process at Docker Desktop's own socket where the usual path has none; say if it answers."""
    if "DOCKER_HOST" in os.environ:
        return False
    for path in (Path.home() / ".docker/run/docker.sock", Path.home() / ".docker/desktop/docker.sock"):
        if path.is_socket():
            os.environ["DOCKER_HOST"] = f"unix://{path}"
            if answers():
                return True
            del os.environ["DOCKER_HOST"]
    return False


def _refuse_what_we_cannot_start(machine: Machine) -> None:
    if host := os.environ.get("DOCKER_HOST"):
        raise EngineUnavailable(
            f"No Docker engine answers at DOCKER_HOST={host}: start it, or unset DOCKER_HOST to use this machine's own."
        )
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        return
    if machine.socket.is_socket() and not os.access(machine.socket, os.R_OK | os.W_OK):
        raise EngineUnavailable(JOIN)
    raise EngineUnavailable(START if shutil.which("dockerd") else INSTALL)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold `lock`, so that of two commands started together only one starts the engine."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _install(report: Report) -> None:
    report(f"installing {' and '.join(PACKAGES)} with apt")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        command = ["apt-get", *arguments]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
            raise EngineUnavailable(
                f"`{' '.join(command)}` failed ({'; '.join(last)}): "
                "install a Docker engine, then run the same command again."
            )


def start(machine: Machine, report: Report) -> None:
    """Return once the engine that this starts, or finds starting, answers. Raises EngineUnavailable."""
    if _processes(machine.proc, "dockerd"):
        report("an engine is running but does not answer yet")
        if _wait(machine):
            return
        raise EngineUnavailable(f"dockerd is running but did not answer for {machine.start_seconds:.0f} s: restart it.")
    if machine.systemd.is_dir():
        report("starting the engine with systemctl")
        subprocess.run(["systemctl", "start", "docker"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if _wait(machine):
            return
        raise EngineUnavailable("`systemctl start docker` did not bring up an engine: see `journalctl -u docker`.")
    report(f"starting dockerd (log: {machine.log})")
    clear_traces(machine)
    if _wait(machine, _launch(machine)):
        return
    # An engine that was killed can leave a containerd that neither serves nor goes away.
    report("the engine did not come up: stopping what an earlier one left, and trying once more")
    _stop_leftovers(machine)
    clear_traces(machine)
    if not _wait(machine, _launch(machine)):
        end = " / ".join(machine.log.read_text(errors="replace").splitlines()[-3:])
        raise EngineUnavailable(f"dockerd does not start: see {machine.log}, which ends with: {end}")


def _launch(machine: Machine) -> subprocess.Popen[bytes]:
    machine.log.parent.mkdir(parents=True, exist_ok=True)
    with machine.log.open("ab") as log:
        # A session of its own: Ctrl-C in this terminal stops the site and not the engine.
        return subprocess.Popen(
            [machine.program], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )


def _wait(machine: Machine, engine: subprocess.Popen[bytes] | None = None) -> bool:
    """Return whether an engine answers in time; at once when `engine`, just started, ends instead."""
    deadline = time.monotonic() + machine.start_seconds
    while time.monotonic() < deadline:
        if answers():
            return True
        if engine is not None and engine.poll() is not None:
            return False
        time.sleep(0.2)
    return False


def clear_traces(machine: Machine) -> list[Path]:
    """Remove and return the pid files that name no living engine: dockerd refuses to start beside them.

    A pid that another program has by now counts as stale; containerd that lives is left for dockerd to adopt.
    """
    removed = []
    for path, program in ((machine.engine_pid, "dockerd"), (machine.containerd_pid, "containerd")):
        if path.is_file() and not _is_program(machine.proc, path.read_text().strip(), program):
            path.unlink()
            removed.append(path)
    return removed


def leftovers(machine: Machine) -> list[int]:
    """Return the pids of a dockerd that hangs and of the containerd it started, and of nobody else's."""
    own = str(machine.containerd_pid.parent)
    containerds = _processes(machine.proc, "containerd")
    return _processes(machine.proc, "dockerd") + [pid for pid in containerds if own in _command_line(machine.proc, pid)]


def _stop_leftovers(machine: Machine) -> None:
    pids = leftovers(machine)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + PING_SECONDS
    while time.monotonic() < deadline and any((machine.proc / str(pid)).exists() for pid in pids):
        time.sleep(0.1)


def _processes(proc: Path, program: str) -> list[int]:
    return [int(path.name) for path in proc.glob("[0-9]*") if _is_program(proc, path.name, program)]


def _is_program(proc: Path, pid: str, program: str) -> bool:
    try:
        # A zombie holds its pid but nothing else: it is gone.
        state = (proc / pid / "stat").read_text().rpartition(")")[2].split()[0] if pid else "Z"
        return state != "Z" and (proc / pid / "comm").read_text().strip() == program
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError, IndexError):
        return False


def _command_line(proc: Path, pid: int) -> str:
    try:
        return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        return ""
