"""An engine is found, or started beside whatever a killed one left behind; never a second one."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import UnixStreamServer
from threading import Thread, Timer

import pytest

from sandbox import engine
from sandbox.errors import EngineUnavailable


@pytest.fixture
def machine(tmp_path: Path) -> engine.Machine:
    """A machine of temporary paths on which nothing runs."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "containerd").mkdir()
    return engine.Machine(
        socket=tmp_path / "docker.sock",
        engine_pid=tmp_path / "docker.pid",
        containerd_pid=tmp_path / "containerd/containerd.pid",
        proc=tmp_path / "proc",
        log=tmp_path / "var/dockerd.log",
        lock=tmp_path / "var/engine.lock",
    )


def run_program(machine: engine.Machine, pid: int, name: str, state: str = "S", command: str = "") -> None:
    folder = machine.proc / str(pid)
    folder.mkdir()
    (folder / "comm").write_text(f"{name}\n")
    (folder / "stat").write_text(f"{pid} ({name}) {state} 1 1\n")
    (folder / "cmdline").write_bytes((command or name).replace(" ", "\0").encode())


def test_the_pid_file_of_a_killed_engine_is_removed(machine: engine.Machine) -> None:
    machine.engine_pid.write_text("4321")
    assert engine.clear_traces(machine) == [machine.engine_pid]
    assert not machine.engine_pid.exists()


def test_a_pid_that_another_program_has_by_now_is_stale(machine: engine.Machine) -> None:
    run_program(machine, 4321, "postgres")
    run_program(machine, 4322, "bash")
    machine.engine_pid.write_text("4321\n")
    machine.containerd_pid.write_text("4322")
    assert engine.clear_traces(machine) == [machine.engine_pid, machine.containerd_pid]


def test_a_zombie_engine_is_a_dead_one(machine: engine.Machine) -> None:
    run_program(machine, 4321, "dockerd", state="Z")
    machine.engine_pid.write_text("4321")
    assert engine.clear_traces(machine) == [machine.engine_pid]


@pytest.mark.parametrize("content", ["", "garbage", "../../etc"])
def test_a_pid_file_that_makes_no_sense_is_stale(machine: engine.Machine, content: str) -> None:
    machine.engine_pid.write_text(content)
    assert engine.clear_traces(machine) == [machine.engine_pid]


def test_a_living_engine_keeps_its_pid_file(machine: engine.Machine) -> None:
    run_program(machine, 4321, "dockerd")
    machine.engine_pid.write_text("4321")
    assert engine.clear_traces(machine) == []
    assert machine.engine_pid.exists()


def test_a_containerd_that_lives_is_left_for_the_engine_to_adopt(machine: engine.Machine) -> None:
    run_program(machine, 4322, "containerd")
    machine.containerd_pid.write_text("4322")
    machine.engine_pid.write_text("4321")
    assert engine.clear_traces(machine) == [machine.engine_pid]


def test_only_the_engines_own_containerd_is_a_leftover(machine: engine.Machine) -> None:
    run_program(machine, 10, "dockerd")
    run_program(machine, 11, "containerd", command=f"containerd --config {machine.containerd_pid.parent}/x.toml")
    run_program(machine, 12, "containerd", command="containerd --config /etc/kubernetes/containerd.toml")
    assert sorted(engine.leftovers(machine)) == [10, 11]


def test_a_name_with_spaces_and_brackets_does_not_confuse_the_process_list(machine: engine.Machine) -> None:
    run_program(machine, 77, "a) Z (b")
    run_program(machine, 78, "dockerd")
    assert engine._processes(machine.proc, "dockerd") == [78]


def test_this_machines_own_processes_are_read() -> None:
    name = Path("/proc/self/comm").read_text().strip()
    assert os.getpid() in engine._processes(Path("/proc"), name)


def test_a_docker_host_that_is_down_is_named_and_nothing_is_started(
    machine: engine.Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    said: list[str] = []
    with pytest.raises(EngineUnavailable, match=r"nobody\.sock: start it, or unset DOCKER_HOST"):
        engine.ensure_engine(said.append, machine)
    assert said == []
    assert not machine.log.exists()


class TinyEngine(BaseHTTPRequestHandler):
    """Answers what a client asks first, on a Unix socket."""

    def do_GET(self) -> None:
        body = b'{"ApiVersion": "1.41"}' if self.path == "/version" else b"OK"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        return


class UnixHTTPServer(UnixStreamServer, HTTPServer):
    """An HTTP server on a Unix socket."""

    def server_bind(self) -> None:
        UnixStreamServer.server_bind(self)
        self.server_name, self.server_port = "engine", 0


def test_an_engine_that_answers_is_used_without_a_word(
    machine: engine.Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with UnixHTTPServer(f"{tmp_path}/engine.sock", TinyEngine) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        said: list[str] = []
        engine.ensure_engine(said.append, machine)
        server.shutdown()
    assert said == []
    assert not machine.lock.exists()


@pytest.fixture
def starting(machine: engine.Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[engine.Machine]:
    """A machine whose `dockerd` answers at a socket of its own and behaves as the test asks."""
    program = tmp_path / "dockerd"
    program.write_text(
        f"#!{sys.executable}\n"
        "import importlib.util, pathlib, sys\n"
        f"spec = importlib.util.spec_from_file_location('stub', {__file__!r})\n"
        f"sys.path.insert(0, {str(Path(engine.__file__).parents[1])!r})\n"
        "stub = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(stub)\n"
        f"stub.be_an_engine(pathlib.Path({str(tmp_path)!r}))\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    yield dataclasses.replace(machine, program=str(program), systemd=tmp_path / "no-systemd", start_seconds=8)
    if (tmp_path / "running.pid").exists():
        os.kill(int((tmp_path / "running.pid").read_text()), signal.SIGKILL)


def be_an_engine(folder: Path) -> None:
    """What the stand-in for dockerd does: count its starts, refuse beside a pid file, fail as often as asked."""
    with (folder / "starts").open("a") as starts:
        starts.write("start\n")
    failures = folder / "failures"
    if (folder / "docker.pid").exists():
        sys.exit("failed to start daemon: pid file found, ensure docker is not running")
    if failures.exists() and len((folder / "starts").read_text().split()) <= int(failures.read_text()):
        sys.exit("failed to start containerd: timeout waiting for containerd to start")
    (folder / "running.pid").write_text(str(os.getpid()))
    with UnixHTTPServer(f"{folder}/engine.sock", TinyEngine) as server:
        server.serve_forever()


def starts(tmp_path: Path) -> int:
    path = tmp_path / "starts"
    return len(path.read_text().split()) if path.exists() else 0


def test_an_engine_starts_beside_the_pid_file_of_a_killed_one(starting: engine.Machine, tmp_path: Path) -> None:
    starting.engine_pid.write_text("4321")
    engine.start(starting, [].append)
    assert engine.answers()
    assert starts(tmp_path) == 1


def test_an_engine_that_does_not_come_up_is_tried_once_more(starting: engine.Machine, tmp_path: Path) -> None:
    (tmp_path / "failures").write_text("1")
    said: list[str] = []
    engine.start(starting, said.append)
    assert engine.answers()
    assert starts(tmp_path) == 2
    assert any("trying once more" in line for line in said)


def test_an_engine_that_never_comes_up_says_what_its_log_ends_with(starting: engine.Machine, tmp_path: Path) -> None:
    (tmp_path / "failures").write_text("9")
    with pytest.raises(EngineUnavailable, match=r"see .*dockerd\.log, which ends with: .*timeout waiting"):
        engine.start(starting, [].append)
    assert starts(tmp_path) == 2


def test_beside_an_engine_that_is_starting_no_second_one_is_started(starting: engine.Machine, tmp_path: Path) -> None:
    run_program(starting, 4321, "dockerd")
    late = Timer(1.0, lambda: subprocess.Popen([starting.program], start_new_session=True))
    late.start()
    engine.start(starting, [].append)
    late.join()
    assert engine.answers()
    assert starts(tmp_path) == 1  # the one that was starting; ours would have been another


def test_an_engine_that_hangs_is_not_doubled_but_named(starting: engine.Machine, tmp_path: Path) -> None:
    run_program(starting, 4321, "dockerd")
    with pytest.raises(EngineUnavailable, match="did not answer for 1 s: restart it"):
        engine.start(dataclasses.replace(starting, start_seconds=1), [].append)
    assert starts(tmp_path) == 0
