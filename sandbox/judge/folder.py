"""The suite's files, and every other place a test could write to: as they were, before each job."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

SCRATCH = (Path("/tmp"), Path("/dev/shm"), Path("/run/greenroom"))  # noqa: S108 - the judge's own


class Folder:
    """The tests and data of one suite under `root`, which is alone in its parent."""

    def __init__(self, root: Path, files: Mapping[str, str]) -> None:
        self._root, self._files = root, dict(files)
        self._marks: dict[str, tuple[int, ...]] = {}
        self._modes = {place: place.stat().st_mode for place in (*SCRATCH, root.parent) if place.exists()}

    def write(self) -> None:
        """Put the files there, and nothing else."""
        self._clear(self._root.parent)
        (self._root / "data").mkdir(parents=True)
        for name, text in self._files.items():
            path = self._root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._marks = dict(self._look())

    def restore(self) -> None:
        """Empty the scratch places; write the files again if any was touched. Raises OSError when that fails."""
        for place in SCRATCH:
            self._clear(place)
        if dict(self._look()) != self._marks:
            self.write()

    def _clear(self, place: Path) -> None:
        """Leave nothing in `place`, and its rights as they were."""
        if place in self._modes:
            _empty(place)
            if any(os.scandir(place)):  # too deep for a path, say
                raise OSError(f"{place} cannot be emptied")
            with suppress(OSError):  # not ours: then nobody here changed it either
                place.chmod(self._modes[place])

    def _look(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Give the root's parent and all below it, with what changes when it is touched: a ctime cannot be set."""
        top = self._root.parent
        yield str(top), (top.lstat().st_mode,)
        for folder, names, files in os.walk(top):
            for name in (*names, *files):
                path = Path(folder, name)
                stat = path.lstat()
                yield str(path), (stat.st_ino, stat.st_size, stat.st_mode, stat.st_ctime_ns)


def _empty(folder: Path) -> None:
    """Remove everything in `folder`, also where a test took its own rights away."""
    with suppress(OSError):
        folder.chmod(0o700)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    _empty(path)
                    path.rmdir()
                else:
                    path.unlink()
