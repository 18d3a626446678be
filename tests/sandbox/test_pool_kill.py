"""A process that is killed with full pools: what it held ready is swept, to the last socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox import container
from sandbox.docker_box import DockerBox
from sandbox.door import OWNER, PREFIX

HOARDER = """
import json, sys, time
from sandbox import owner
from sandbox.docker_box import DockerBox
from tests.sandbox.jobs import calls_job, http_job, sql_job
box = DockerBox(proven=True, pool_bytes=1 << 30)
box.expect(calls_job())
box.expect(http_job("", "def test_a(start): pass", "test_a"))
box.expect(sql_job("select 1", "def test_a(sql): pass", "test_a"))
print(json.dumps([box.pool.fill(240), owner.owner_token(), len(box.pool.ready())]), flush=True)
time.sleep(600)
"""


def test_what_a_killed_process_held_ready_is_swept(docker_box: DockerBox) -> None:
    with subprocess.Popen([sys.executable, "-c", HOARDER], stdout=subprocess.PIPE, text=True) as hoarder:
        try:
            assert hoarder.stdout is not None
            full, token, count = json.loads(hoarder.stdout.readline())
            assert full
            assert count == 5  # two boxes and three judges, one of them with a server
            assert len(owned(docker_box, token)) == 1 + 6
            assert doors(token)
        finally:
            hoarder.send_signal(signal.SIGKILL)
    assert owned(docker_box, token), "a killed process cannot clean up: otherwise this test shows nothing"
    docker_box.sweep()
    assert owned(docker_box, token) == []
    assert doors(token) == []


def owned(box: DockerBox, token: str) -> list[str]:
    """Return the containers and volumes that carry an owner's token."""
    wanted = {"label": [f"{container.APP_LABEL}=sandbox", f"greenroom.owner={token}"]}
    containers = [each["Id"] for each in box.engine().api.containers(all=True, filters=wanted)]
    return containers + [each["Name"] for each in box.engine().api.volumes(filters=wanted)["Volumes"] or ()]


def doors(token: str) -> list[Path]:
    """Return the folders for doors of an owner."""
    folders = Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{OWNER}")
    return [path.parent for path in folders if path.read_text(encoding="ascii") == token]
