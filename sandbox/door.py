"""Unix sockets that a container dials once, before anything of a learner's is in it.

Each door is a socket in a folder of its own, mounted read-only into one container. Whoever comes
through is that container (its user id says so), and then the door is gone: nobody else can use it.
The connection can be handed on to another container, so that no byte of a job passes through here.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import struct
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from sandbox import owner

PREFIX = "greenroom-doors-"
OWNER = "owner"  # file that names the process whose doors these are
CREDENTIALS = struct.Struct("iII")  # SO_PEERCRED: process, user, group

_lock = threading.Lock()
_root: Path | None = None


class DoorShut(Exception):
    """Nobody came through in time, or not the one who was to."""


def _folder() -> Path:
    """Return a new folder among this process's folders for doors."""
    global _root
    with _lock:
        if _root is None or not _root.exists():
            _root = Path(tempfile.mkdtemp(prefix=PREFIX))
            _root.chmod(0o711)
            (_root / OWNER).write_text(owner.owner_token(), encoding="ascii")
        return Path(tempfile.mkdtemp(dir=_root))


class Door:
    """One socket that one container dials."""

    def __init__(self) -> None:
        self.folder = _folder()
        self.folder.chmod(0o711)
        self._listener = socket.socket(socket.AF_UNIX)
        # By a path that says nothing of this machine: a box reads the address in /proc/net/unix.
        here = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self._listener.bind(f"/proc/self/fd/{here}/door")
        finally:
            os.close(here)
        (self.folder / "door").chmod(0o777)
        self._listener.listen(1)

    def admit(self, uid: int, seconds: float) -> socket.socket:
        """Return the connection of the container that runs as `uid`, and close the door. Raises DoorShut."""
        try:
            if not select.select([self._listener], [], [], seconds)[0]:
                raise DoorShut(f"nobody dialled within {seconds:g} s")
            connection = self._listener.accept()[0]
        finally:
            self.close()
        said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        if CREDENTIALS.unpack(said)[1] != uid:
            connection.close()
            raise DoorShut("somebody else dialled")
        return connection

    def close(self) -> None:
        """Stop listening and remove the folder; a container keeps its empty mount."""
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def close_all() -> None:
    """Remove this process's folder."""
    with _lock:
        if _root is not None:
            shutil.rmtree(_root, ignore_errors=True)


def sweep() -> None:
    """Remove the folders of processes that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            mine = folder.stat().st_uid == os.getuid()  # in a shared place others could plant one
            if mine and not folder.is_symlink() and not owner.lives((folder / OWNER).read_text(encoding="ascii")):
                shutil.rmtree(folder, ignore_errors=True)
