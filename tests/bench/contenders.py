"""Who judges in the benchmarks: our sandbox warm and cold, and what people use in its place."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from config import ROOT
from sandbox import container
from sandbox.docker_box import DockerBox
from sandbox.images import image_name
from sandbox.job import Limits
from sandbox.outcome import Ended, Outcome
from tests.bench.jobs import CHECKS, Task

POOL_BYTES = 2 << 30
PAUSE = 0.3  # seconds of quiet before a job that is timed
FILL_SECONDS = 120.0
PASSED = f"{CHECKS} passed"
VENV = ROOT / "var" / "bench-venv"
EPICBOX = ("epicbox==1.1.0", "urllib3<2", "requests<2.32")  # its adapter is written for urllib3 1
OFF = (
    "cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "logging", "pastebin", "recwarn",
    "setuponly", "setupplan", "stepwise", "threadexception", "unittest", "unraisableexception",
)  # fmt: skip


class Absent(Exception):
    """A contender cannot take part here; the message says why."""


class Contender(Protocol):
    """Judges one task; every method may be called again and again, `judge` from several threads at once."""

    name: str
    note: str
    memory_mb: float | None  # the most that one job was seen to hold
    processes: tuple[int, ...]  # that work for it beside this one and the engine

    def ready(self) -> None:
        """Get ready for a job that is timed."""
        ...

    def judge(self) -> None:
        """Judge once. Raises AssertionError when that does not end in acceptance."""
        ...

    def settle(self) -> None:
        """Wait until what was left to do after the verdict is done."""
        ...


class Ours:
    """Our sandbox. Warm: with a pool, full before each job that is timed. Cold: all is made for the job."""

    processes: tuple[int, ...] = ()

    def __init__(self, box: DockerBox, task: Task) -> None:
        self._box, self._job = box, task.job
        self.warm = bool(box.pool.budget_bytes)
        self.name = f"ours, {'warm' if self.warm else 'cold'}"
        self.note = "pool full" if self.warm else "no pool"
        self.memory_mb: float | None = None

    def ready(self) -> None:
        """Wait until the pool is full and quiet."""
        self.settle()
        time.sleep(PAUSE)

    def judge(self) -> None:
        """Judge once."""
        outcome = accepted(self._box.run(self._job, lambda _: None))
        self.memory_mb = max(self.memory_mb or 0.0, outcome.max_memory_bytes / 1e6)

    def settle(self) -> None:
        """Wait until the used box is gone and, if warm, another has taken its place."""
        assert self._box.pool.fill(FILL_SECONDS) if self.warm else self._box.pool.settle(FILL_SECONDS)


def accepted(outcome: Outcome) -> Outcome:
    """Return `outcome`. Raises AssertionError unless every check passed."""
    assert outcome.ended is Ended.COMPLETED, outcome
    assert all(check.passed for check in outcome.checks), outcome
    return outcome


class Bare:
    """`python -m pytest` on this machine, in a folder of its own, with no isolation at all.

    `tuned`: what makes pytest start faster is done: its own plugins that nothing here needs are off, assertions are
    not rewritten, the interpreter is isolated and without user site, and the folder is kept so that the tests stay
    compiled. Neither loads plugins of other packages, which took up to a second more in this project's environment.
    """

    processes: tuple[int, ...] = ()

    def __init__(self, task: Task, folder: Path, *, tuned: bool = False) -> None:
        self._task, self._folder, self._tuned = task, folder, tuned
        self.name = f"bare pytest{', tuned' if tuned else ''}"
        client = " through app.test_client()" if task.name == "flask" else ""
        self.note = f"no isolation; the same tests{client}"
        self.memory_mb: float | None = None
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
        self._environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        if tuned:
            write_files(folder, task.files)

    def ready(self) -> None:
        """Nothing to get ready."""

    def judge(self) -> None:
        """Judge once."""
        if self._tuned:
            off = [word for name in OFF for word in ("-p", f"no:{name}")]
            flags = ["--assert=plain", "-c", os.devnull, f"--rootdir={self._folder}", str(self._folder / "test_it.py")]
            self._run(["-I", "-m", "pytest", "-q", *off, *flags], self._folder)
            return
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            write_files(Path(folder), self._task.files)
            self._run(["-m", "pytest", "-q"], Path(folder))

    def settle(self) -> None:
        """Nothing is left."""

    def _run(self, arguments: list[str], folder: Path) -> None:
        with tempfile.TemporaryFile() as output:
            started = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, env=self._environment, stdout=output, stderr=output
            )
            _, status, used = os.wait4(started.pid, 0)
            started.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            said = output.read().decode()
        assert started.returncode == 0 and PASSED in said, said
        self.memory_mb = max(self.memory_mb or 0.0, used.ru_maxrss * 1024 / 1e6)


class DockerRun:
    """`docker run --rm` for each job, confined exactly as our boxes are; the files are mounted."""

    memory_mb: float | None = None  # its cgroup is gone with the container
    processes: tuple[int, ...] = ()

    def __init__(self, task: Task, folder: Path) -> None:
        if shutil.which("docker") is None:
            raise Absent("there is no docker command")
        self._task, self._folder, self._image = task, folder, image_name(task.image)
        self._users = itertools.count(61_000)  # beyond those of our boxes
        self.name = "docker run"
        self.note = how_in_container(task)
        write_files(folder, task.files)

    def ready(self) -> None:
        """Nothing to get ready."""

    def judge(self) -> None:
        """Judge once."""
        role = container.service_role(Limits()) if self._task.name == "sql" else container.box_role(Limits())
        flags = confinement(role, uid=next(self._users))
        mount = ["--mount", f"type=bind,source={self._folder},target=/code,readonly"]
        command = ["docker", "run", "--rm", *flags, *mount, self._image, *_program(self._task, "/code")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0 and PASSED in done.stdout, done.stdout + done.stderr

    def settle(self) -> None:
        """Nothing is left: the command returns when its container is gone."""


class Epicbox:
    """epicbox in an environment of its own, as a process that stays up and answers one line per job."""

    memory_mb: float | None = None  # it does not tell
    processes: tuple[int, ...]

    def __init__(self, task: Task, server: subprocess.Popen[str]) -> None:
        self._task, self._server, self._image = task, server, image_name(task.image)
        self.processes = (server.pid,)
        self.name = "epicbox"
        self.note = how_in_container(task)

    def ready(self) -> None:
        """Nothing to get ready."""

    def judge(self) -> None:
        """Judge once; not from several threads."""
        assert self._server.stdin is not None and self._server.stdout is not None
        command = " ".join(_program(self._task, "."))
        job = {"image": self._image, "command": command, "files": self._task.files}
        with suppress(BrokenPipeError):
            self._server.stdin.write(json.dumps(job) + "\n")
            self._server.stdin.flush()
        said = json.loads(self._server.stdout.readline() or '{"error": "epicbox ended"}')
        assert said.get("exit_code") == 0 and PASSED in said["stdout"], said["error"]

    def settle(self) -> None:
        """Nothing is left: epicbox removes the container before it answers."""


def _program(task: Task, folder: str) -> tuple[str, ...]:
    """Return the command that judges `task` in a container, its files in `folder`."""
    return {
        "pure": ("python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", folder),
        "flask": ("python3", f"{folder}/asserts.py"),
        "sql": ("sh", f"{folder}/judge.sh"),
    }[task.name]


def how_in_container(task: Task) -> str:
    """Return what a rival's container runs, in words."""
    return {
        "pure": "python3 -m pytest in the judge's image",
        "flask": "no image has both Flask and pytest: the same tests as plain asserts over app.test_client()",
        "sql": "one container: PostgreSQL from the same template, then createdb and psql for each check",
    }[task.name]


def confinement(role: container.Role, *, uid: int) -> list[str]:
    """Return the flags of `docker run` that confine like `container.settings`, from which they are made."""
    given = container.settings(role, uid=uid, runtime="", volume="", door="")
    flags: dict[str, Any] = {
        "user": given["user"],
        "cap-drop": given["cap_drop"],
        "security-opt": ["no-new-privileges=true", f"seccomp={container.SECCOMP / f'{role.seccomp}.json'}"],
        "read-only": given["read_only"],
        "tmpfs": [f"{path}:{options}" for path, options in given["tmpfs"].items()],
        "pids-limit": given["pids_limit"],
        "memory": given["mem_limit"],
        "memory-swap": given["memswap_limit"],
        "cpus": given["nano_cpus"] / 1e9,
        "ulimit": [f"{each.name}={each.soft}:{each.hard}" for each in given["ulimits"]],
        "network": "none",
        "ipc": given["ipc_mode"],
        "cgroupns": given["cgroupns"],
        "shm-size": given["shm_size"],
        "hostname": given["hostname"],
        "init": given["init"],
        "log-driver": "none",
        "env": [f"{name}={value}" for name, value in given["environment"].items()],
        "workdir": given["working_dir"],
    }
    pairs = [(name, each) for name, value in flags.items() for each in (value if isinstance(value, list) else [value])]
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in pairs]


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write `files` into `folder`, readable for all."""
    folder.chmod(0o755)
    for name, text in files.items():
        (folder / name).write_text(text)


@contextmanager
def epicbox_server() -> Iterator[subprocess.Popen[str]]:
    """Run epicbox until the block is left, installing it first where it is missing. Raises Absent."""
    python = VENV / "bin" / "python"
    if not (VENV / "ready").exists():
        uv = next((each for each in ("uv", str(ROOT / "var/uv/bin/uv")) if _runs(each, "--version")), None)
        if uv is None:
            raise Absent("uv was not found: run `make env`")
        make = ("venv", "--clear", "--python", sys.executable, str(VENV))
        install = ("pip", "install", "--python", str(python), *EPICBOX)
        if not (_runs(uv, *make) and _runs(uv, *install)):
            raise Absent("epicbox could not be installed from the Python index")
        (VENV / "ready").touch()
    script = Path(__file__).with_name("epicbox_line.py")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # Isolated, or modules beside the script would stand in for those of the standard library.
    command = [str(python), "-I", str(script)]
    server = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield server
    finally:
        server.kill()
        with suppress(BrokenPipeError), server:
            pass


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=300).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def contenders(task: Task, warm: DockerBox, cold: DockerBox) -> Iterator[tuple[list[Contender], dict[str, str]]]:
    """Give everybody who can judge `task` here, and why the others cannot, by name."""
    absent: dict[str, str] = {}
    found: list[Contender] = [Ours(warm, task), Ours(cold, task)]
    if task.name == "services":  # nobody else offers them
        yield found, absent
        return
    with ExitStack() as stack:

        def folder() -> Path:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-bench-")))

        if task.name != "sql":
            found += [Bare(task, folder()), Bare(task, folder(), tuned=True)]
        try:
            found.append(DockerRun(task, folder()))
        except Absent as why:
            absent["docker run"] = str(why)
        try:
            found.append(Epicbox(task, stack.enter_context(epicbox_server())))
        except Absent as why:
            absent["epicbox"] = str(why)
        yield found, absent
