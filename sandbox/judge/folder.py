"""The suite's files, and every other place a test could write to: as they were, before each job."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

SCRATCH = (Path("/tmp"), Path("/dev/shm"), Path("/run/greenroom"))  # noqa: S108 - the judge's own


class Folder:
    """The tests and data of one suite under `root`."""

    def __init__(self, root: Path, files: Mapping[str, str]) -> None:
        self._root, self._files = root, dict(files)
        self._marks: dict[str, tuple[int, ...]] = {}

    def write(self) -> None:
        """Put the files there, and nothing else."""
        shutil.rmtree(self._root, ignore_errors=True)
        (self._root / "data").mkdir(parents=True, exist_ok=True)
        for name, text in self._files.items():
            path = self._root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._marks = dict(self._look())

    def restore(self) -> None:
        """Empty the scratch places; write the files again if any was touched."""
        for place in SCRATCH:
            for entry in os.scandir(place) if os.access(place, os.W_OK) else ():
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink()
        if dict(self._look()) != self._marks:
            for entry in os.scandir(self._root.parent):
                if entry.is_dir(follow_symlinks=False):
                    _open_up(Path(entry.path))
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink()
            self.write()

    def _look(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Give every entry below the root's parent with what changes when it is touched: a ctime cannot be set."""
        for folder, names, files in os.walk(self._root.parent):
            for name in (*names, *files):
                path = Path(folder, name)
                stat = path.lstat()
                yield str(path), (stat.st_ino, stat.st_size, stat.st_mode, stat.st_ctime_ns)


def _open_up(folder: Path) -> None:
    """Give back the rights that a test may have taken from its folders."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
