"""An engine is found, or started beside whatever a killed one left behind; never a second one."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import UnixStreamServer
from threading import Thread

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
