"""How long one question and answer between judge and box takes: stdio pump against a shared Unix socket."""

from __future__ import annotations

import json
import secrets
import time

from sandbox import container
from sandbox.docker_box import DockerBox
from sandbox.images import image_name
from sandbox.job import Check
from tests.sandbox.jobs import calls_job, suite

ROUNDS = 400
ECHO = "def echo(x):\n    return x\n"
ASK = f"""
import time
def test_ask(solution):
    times = []
    for n in range({ROUNDS}):
        started = time.perf_counter()
        solution.echo(n)
        times.append(time.perf_counter() - started)
    assert False, sorted(times)[len(times) // 2] * 1000
"""
LISTEN = """
import json, os, socket
server = socket.socket(socket.AF_UNIX)
server.bind("/run/greenroom/new"); os.chmod("/run/greenroom/new", 0o777); server.listen(1)
os.rename("/run/greenroom/new", "/run/greenroom/box")
line = server.accept()[0].makefile("rwb")
for raw in line:
    line.write(json.dumps({"value": json.loads(raw)}).encode() + b"\\n"); line.flush()
"""
DIAL = f"""
import json, os, socket, time
while not os.path.exists("/run/greenroom/box"): time.sleep(0.01)
peer = socket.socket(socket.AF_UNIX); peer.connect("/run/greenroom/box")
line, times = peer.makefile("rwb"), []
for n in range({ROUNDS}):
    started = time.perf_counter()
    line.write(json.dumps(n).encode() + b"\\n"); line.flush(); json.loads(line.readline())
    times.append(time.perf_counter() - started)
os.write(1, json.dumps(sorted(times)[len(times) // 2] * 1000).encode() + b"\\n")
time.sleep(1)
"""


def pump(box: DockerBox) -> float:
    """Return the median round trip through the worker, in milliseconds, as a check sees it."""
    job = calls_job(ECHO, suite=suite(ASK), checks=(Check(id="ask", test="test_ask", visible=True),))
    return float(box.run(job, lambda _: None).checks[0].message)


def unix_socket(box: DockerBox) -> float:
    """Return the median round trip between two containers over a socket in a shared volume, in milliseconds."""
    volume = box.engine().volumes.create(name=f"greenroom-bench-{secrets.token_hex(4)}")
    made = []
    try:
        for script in (LISTEN, DIAL):
            role = container.Role(name="judge")
            command = ("python3", "-I", "-u", "-c", script)
            image = image_name("judge")  # its /run/greenroom is writable, and a new volume takes that over
            made.append(container.create(box.engine, image, command, role, volume=volume.name))
            stream = made[-1].start()
        return _number(stream.recv)
    finally:
        for each in made:
            each.destroy()
        volume.remove(force=True)


def _number(receive: object) -> float:
    data, deadline = b"", time.monotonic() + 30
    while b"\n" not in data[8:] and time.monotonic() < deadline:
        data += receive(4096)  # type: ignore[operator]
    return float(json.loads(data[8:]))


def rows(box: DockerBox) -> list[tuple[str, float, str]]:
    """Return (what, milliseconds, beside what) per channel, measured in turn three times, medians."""
    pumped, dialled = zip(*((pump(box), unix_socket(box)) for _ in range(3)), strict=True)
    return [
        ("round trip, stdio pump through the worker", sorted(pumped)[1], "strict parsing and bookkeeping included"),
        ("round trip, Unix socket in a shared volume", sorted(dialled)[1], "bare JSON lines"),
    ]
