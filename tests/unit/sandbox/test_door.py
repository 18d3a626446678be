"""Through a door comes one container, the right one, and then the door is gone."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox import door as door_module
from sandbox.door import OWNER, PREFIX, Door, DoorShut, close_all, sweep
from sandbox.owner import owner_token

PATIENCE = 20.0  # a hang guard, not a speed claim
UNIX_PATH_BYTES = 107
ME = os.getuid()


@pytest.fixture(autouse=True)
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short temporary folder of the test's own, in which this process has no doors yet."""
    base = Path(tempfile.mkdtemp(prefix="d", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    monkeypatch.setattr(door_module, "_root", None)
    yield base
    shutil.rmtree(base)


def dial(door: Door) -> socket.socket:
    """Return a connection to `door`, which need not have been admitted."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    sock.connect(str(door.folder / "door"))
    return sock


def test_whoever_runs_as_the_right_user_is_admitted_and_both_can_speak() -> None:
    door = Door()
    with dial(door) as outside, door.admit(ME, PATIENCE) as inside:
        outside.sendall(b"ping")
        assert inside.recv(10) == b"ping"
        inside.sendall(b"pong")
        assert outside.recv(10) == b"pong"


def test_whoever_comes_late_is_waited_for() -> None:
    door, dialled = Door(), []
    caller = threading.Timer(0.05, lambda: dialled.append(dial(door)))
    caller.start()
    with door.admit(ME, PATIENCE):
        caller.join(PATIENCE)
    dialled[0].close()


def test_another_user_is_refused_and_the_door_is_gone_all_the_same() -> None:
    door = Door()
    with dial(door) as outside:
        with pytest.raises(DoorShut, match="somebody else"):
            door.admit(ME + 1, PATIENCE)
        assert outside.recv(1) == b""  # hung up
    assert not door.folder.exists()


def test_when_nobody_dials_the_door_shuts() -> None:
    door = Door()
    with pytest.raises(DoorShut, match=r"nobody dialled within 0\.01 s"):
        door.admit(ME, 0.01)
    assert not door.folder.exists()


def test_after_the_first_nobody_gets_in() -> None:
    door = Door()
    with dial(door), door.admit(ME, PATIENCE):
        with pytest.raises(OSError, match="No such file"):
            dial(door)
        assert not door.folder.exists()


def test_nobody_gets_in_by_the_old_place_of_the_socket() -> None:
    door = Door()
    held = os.open(door.folder, os.O_RDONLY)  # as a mount holds the folder when its name is gone
    old = Path(f"/proc/self/fd/{held}")
    with dial(door), door.admit(ME, PATIENCE), socket.socket(socket.AF_UNIX) as late:
        with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
            late.connect(str(old / "door"))
        assert list(old.iterdir()) == []
    os.close(held)


def test_who_dialled_at_the_same_time_is_hung_up_on() -> None:
    door = Door()
    with dial(door) as first, dial(door) as second, door.admit(ME, PATIENCE) as inside:
        inside.sendall(b"for the first")
        assert first.recv(100) == b"for the first"
        with suppress(ConnectionResetError):
            assert second.recv(1) == b""


def test_of_many_diallers_exactly_one_is_admitted() -> None:
    door, through = Door(), []
    gate = threading.Barrier(8)

    def try_it() -> None:
        gate.wait(PATIENCE)
        with suppress(OSError), dial(door) as mine:
            if mine.recv(10) == b"hello":
                through.append(1)

    diallers = [threading.Thread(target=try_it, daemon=True) for _ in range(8)]
    for each in diallers:
        each.start()
    with door.admit(ME, PATIENCE) as inside:
        inside.sendall(b"hello")
        for each in diallers:
            each.join(PATIENCE)
    assert through == [1]


def test_the_connection_can_be_handed_on_to_another_process() -> None:
    door = Door()
    ours, theirs = socket.socketpair()
    with dial(door) as outside, ours, theirs:
        with door.admit(ME, PATIENCE) as inside:
            socket.send_fds(ours, [b"nonce"], [inside.fileno()])
        message, fds, _, _ = socket.recv_fds(theirs, 5, 1)
        assert message == b"nonce"
        with socket.socket(fileno=fds[0]) as handed:
            outside.sendall(b"ping")
            assert handed.recv(10) == b"ping"


def test_any_user_may_dial_but_nobody_can_look_around_or_plant_anything(temp: Path) -> None:
    door = Door()
    root = next(temp.iterdir())
    assert [stat.S_IMODE(path.stat().st_mode) for path in (root, door.folder)] == [0o711, 0o711]
    assert stat.S_IMODE((door.folder / "door").stat().st_mode) == 0o777
    door.close()


def test_each_door_has_a_folder_of_its_own(temp: Path) -> None:
    doors = [Door() for _ in range(3)]
    assert len({door.folder for door in doors}) == 3
    assert [sorted(path.name for path in door.folder.iterdir()) for door in doors] == [["door"]] * 3
    for door in doors:
        door.close()
    assert [path.name for path in next(temp.iterdir()).iterdir()] == [OWNER]


def test_closing_twice_does_nothing() -> None:
    door = Door()
    door.close()
    door.close()
    with pytest.raises((OSError, ValueError)):
        door.admit(ME, 0.01)


def test_a_doors_path_fits_into_a_unix_address_on_every_system() -> None:
    as_long_as_on_a_mac = "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T"
    door = Door()
    assert len(as_long_as_on_a_mac) + len(str((door.folder / "door").relative_to(tempfile.gettempdir()))) + 1 <= (
        UNIX_PATH_BYTES
    )
    door.close()


def test_closing_all_removes_this_processs_folder_and_a_later_door_gets_a_new_one(temp: Path) -> None:
    close_all()  # of none
    Door()
    close_all()
    assert list(temp.iterdir()) == []
    with dial(door := Door()), door.admit(ME, PATIENCE):
        pass


def dead_owner() -> str:
    """Return the token of a process that has ended."""
    ask = "from sandbox.owner import owner_token; print(owner_token())"
    root = Path(__file__).parents[3]
    return subprocess.run([sys.executable, "-c", ask], cwd=root, capture_output=True, text=True, check=True).stdout


def folder_of(temp: Path, name: str, token: str | None) -> Path:
    """Return a folder like those that processes keep their doors in."""
    folder = temp / f"{PREFIX}{name}"
    (folder / "tmp1/door").mkdir(parents=True)
    if token is not None:
        (folder / OWNER).write_text(token.strip())
    return folder


def test_a_sweep_removes_the_folders_of_the_dead_and_of_nobody_else(temp: Path) -> None:
    mine = Door()
    dead = folder_of(temp, "dead", dead_owner())
    living = folder_of(temp, "living", owner_token())
    starting = folder_of(temp, "starting", None)
    unlike = temp / "other-program"
    unlike.mkdir()
    (unlike / OWNER).write_text("")
    sweep()
    assert [path.exists() for path in (mine.folder, dead, living, starting, unlike)] == [True, False, True, True, True]
    mine.close()


def test_a_sweep_follows_no_link(temp: Path) -> None:
    elsewhere = temp / "elsewhere"
    folder_of(temp, "dead", dead_owner()).rename(elsewhere)
    (temp / f"{PREFIX}planted").symlink_to(elsewhere)
    sweep()
    assert (elsewhere / "tmp1/door").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_sweep_leaves_what_another_user_planted(temp: Path) -> None:
    planted = folder_of(temp, "planted", dead_owner())
    os.chown(planted, 12_345, 12_345)
    sweep()
    assert planted.exists()
