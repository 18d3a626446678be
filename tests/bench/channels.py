"""How long one question and answer between judge and box takes: by the pump, by the handed line, and bare.

The pump carries the bytes between the engine's attach streams in the worker; the handed line is a Unix socket that the
box dialled and the judge was given. Both parse strictly and keep the books. The bare socket carries JSON lines only.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable

from sandbox import container
from sandbox.docker_box import DockerBox
from sandbox.images import image_name
from sandbox.job import Check
from tests.bench.report import Answer, Row
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


def answer(n: int) -> Answer:
    """Return a row per channel; `n` // 6 rounds in turn, of which each gives the median of ROUNDS questions."""
    direct, pumped = DockerBox(proven=True), DockerBox(proven=True)
    pumped._lines.direct = False  # as on an engine that runs on another kernel
    ways: dict[str, Callable[[], float]] = {
        "round trip, stdio pump through the worker": lambda: asked(pumped),
        "round trip, line handed to the judge": lambda: asked(direct),
        "round trip, bare Unix socket in a shared volume": lambda: unix_socket(direct),
    }
    taken: dict[str, list[float]] = {what: [] for what in ways}
    try:
        for _ in range(max(1, n // 6)):
            for what, measure in ways.items():
                taken[what].append(measure())
    finally:
        direct.close()
        pumped.close()
    note = f"of {ROUNDS} questions in a row, the median"
    return Answer(rows=[Row(what=what, values=values, note=note) for what, values in taken.items()])


def asked(box: DockerBox) -> float:
    """Return the median round trip as a check sees it, in milliseconds."""
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
