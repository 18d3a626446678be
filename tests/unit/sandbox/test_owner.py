"""A container's owner is a process: this one lives, one that has ended does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sandbox.owner import lives, owner_token

ASK = "from sandbox.owner import owner_token; print(owner_token())"


def test_this_process_lives() -> None:
    assert lives(owner_token())


def test_a_process_that_has_ended_does_not_live() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert not lives(done.stdout.strip())


def test_a_new_process_with_an_old_number_is_somebody_else() -> None:
    boot, pid, started = owner_token().split("/")
    assert pid == str(os.getpid())
    assert not lives(f"{boot}/{pid}/{int(started) - 1}")


@pytest.mark.parametrize("token", ["", "nonsense", "another-boot/1/1", "//"])
def test_what_is_no_token_of_this_boot_does_not_live(token: str) -> None:
    assert not lives(token)
