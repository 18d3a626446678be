"""Whatever a test of a suite does to the judge's files, the next job finds them as they were."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.judge import folder as folder_module
from sandbox.judge.folder import Folder

NOBODY = 65_534
FILES = {
    "tests/hidden/test_hidden.py": "def test_it():\n    pass\n",
    "tests/visible/test_visible.py": "def test_that():\n    assert 1 == 1\n",
    "data/rows.json": '[1, 2, 3, "Übung"]\n',
    "data/deep/er/schema.sql": "create table t (id int)\n",
}
Tree = dict[str, tuple[str, int, bytes]]


class Place:
    """A judge's file system: the suite below work/, and two places to scribble in."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.work, self.root = base / "work", base / "work/suite"
        self.tmp, self.shm = base / "tmp", base / "shm"
        self.outside = base / "outside"
        for each in (self.work, self.tmp, self.shm, self.outside):
            each.mkdir(mode=0o700)
        (self.outside / "kept").write_text("kept")
        self.folder = Folder(self.root, FILES)
        self.folder.write()
        self.before = self.tree()

    def tree(self) -> Tree:
        """Return every entry with its sort, its mode and what is in it. Nothing may be closed."""
        found: Tree = {}
        for place, names, files in os.walk(os.fsencode(self.base), onerror=_raise):
            for name in (*names, *files):
                path = Path(os.fsdecode(os.path.join(place, name)))  # noqa: PTH118 - bytes
                mode = path.lstat().st_mode
                content = path.read_bytes() if stat.S_ISREG(mode) else b""
                found[str(path.relative_to(self.base))] = (stat.filemode(mode)[0], stat.S_IMODE(mode), content)
        return found

    def restored(self) -> None:
        """Restore, and everything is as it was; outside nothing was ever touched."""
        self.folder.restore()
        assert self.tree() == self.before


def _raise(error: OSError) -> None:
    raise error


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place that belongs to an ordinary user, as whom the test runs: nothing is closed to root."""
    base = Path(tempfile.mkdtemp(prefix="greenroom-folder-"))
    is_root = os.getuid() == 0
    if is_root:
        os.chown(base, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        monkeypatch.setattr(folder_module, "SCRATCH", (base / "tmp", base / "shm", base / "not-there"))
        yield Place(base)
    finally:
        if is_root:
            os.setresuid(0, 0, 0)
        for command in (["chmod", "-R", "u+rwx", str(base)], ["rm", "-rf", str(base)]):
            subprocess.run(command, check=False, capture_output=True)


def close(*folders: Path) -> None:
    """Take all rights from folders, the innermost first."""
    for each in reversed(folders):
        each.chmod(0)


# Writing


def test_the_suites_files_are_there_and_nothing_else(place: Place) -> None:
    assert {name: content.decode() for name, (sort, _, content) in place.tree().items() if sort == "-"} == {
        "outside/kept": "kept"
    } | {f"work/suite/{name}": text for name, text in FILES.items()}


def test_a_suite_without_data_has_an_empty_folder_for_it(place: Place) -> None:
    Folder(place.root, {"tests/test_it.py": ""}).write()
    assert sorted(path.name for path in place.root.iterdir()) == ["data", "tests"]
    assert list((place.root / "data").iterdir()) == []


def test_what_nobody_touched_is_not_written_again(place: Place) -> None:
    def numbers() -> list[int]:
        return [path.stat().st_ino for path in sorted(place.root.rglob("*"))]

    before = numbers()
    place.folder.restore()
    assert numbers() == before


# Harm to the suite

Harm = Callable[[Place], object]


def change_secretly(place: Place) -> None:
    """As long as before, and as old."""
    path = place.root / "data/rows.json"
    was = path.stat()
    path.write_bytes(path.read_bytes().replace(b"1", b"9"))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def swap(place: Place) -> None:
    one, other = place.root / "tests/hidden/test_hidden.py", place.root / "tests/visible/test_visible.py"
    one.rename(place.tmp / "kept")
    other.rename(one)
    (place.tmp / "kept").rename(other)


def replace_folder_by_link(place: Place) -> None:
    shutil.rmtree(place.root / "data")
    (place.root / "data").symlink_to(place.outside)


def replace_root_by_link(place: Place) -> None:
    place.root.rename(place.work / "moved")
    place.root.symlink_to(place.outside)


def replace_file_by_link(place: Place) -> None:
    (place.root / "data/rows.json").unlink()
    (place.root / "data/rows.json").symlink_to(place.outside / "kept")


def replace_file_by_folder(place: Place) -> None:
    (place.root / "data/rows.json").unlink()
    (place.root / "data/rows.json").mkdir()


def listen(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place.root / "socket"))


def closed_within_closed(place: Place) -> None:
    """Each level can be seen only once the one above is open."""
    levels = [place.root / "data" / "/".join("abcd"[: n + 1]) for n in range(4)]
    levels[-1].mkdir(parents=True)
    (levels[-1] / "planted").write_text("planted")
    close(*levels)


def close_everything(place: Place) -> None:
    (place.root / "data/planted").write_text("planted")
    close(place.work, place.root, place.root / "data", place.root / "data/deep")


def plant_in_odd_names(place: Place) -> None:
    for name in (b"with\nnewline", b"\xff\xfe", b"x" * 255, b"-rf", b" "):
        Path(os.fsdecode(os.fsencode(place.root / "data") + b"/" + name)).write_text("planted")


def plant_deep(place: Place) -> None:
    (place.root / ("d/" * 200)).mkdir(parents=True)


HARMS: dict[str, Harm] = {
    "nothing": lambda place: None,
    "a file changed": lambda place: (place.root / "data/rows.json").write_text("[]"),
    "a file changed so that it looks the same": change_secretly,
    "a test module changed": lambda place: (place.root / "tests/hidden/test_hidden.py").write_text("def test_it(): 0"),
    "a file removed": lambda place: (place.root / "data/rows.json").unlink(),
    "everything removed": lambda place: shutil.rmtree(place.root),
    "two files swapped": swap,
    "a file moved away": lambda place: (place.root / "data/rows.json").rename(place.tmp / "rows.json"),
    "a folder moved away": lambda place: (place.root / "data").rename(place.tmp / "data"),
    "a new file": lambda place: (place.root / "data/planted").write_text("planted"),
    "a new file beside the suite": lambda place: (place.work / "planted").write_text("planted"),
    "a new folder beside the suite": lambda place: (place.work / "planted/deep").mkdir(parents=True),
    "a conftest": lambda place: (place.root / "tests/conftest.py").write_text("raise SystemExit"),
    "files of odd names": plant_in_odd_names,
    "folders in folders": plant_deep,
    "a link to a file": replace_file_by_link,
    "a link to a folder": replace_folder_by_link,
    "a link in place of the suite": replace_root_by_link,
    "a link in a circle": lambda place: (place.root / "circle").symlink_to(place.root),
    "a link to nowhere": lambda place: (place.root / "data/dangling").symlink_to("/nowhere"),
    "a hard link": lambda place: os.link(place.root / "data/rows.json", place.tmp / "rows.json"),
    "a folder in place of a file": replace_file_by_folder,
    "a pipe": lambda place: os.mkfifo(place.root / "pipe"),
    "a socket": listen,
    "a file closed": lambda place: (place.root / "data/rows.json").chmod(0),
    "a file made executable": lambda place: (place.root / "data/rows.json").chmod(0o755),
    "a folder closed": lambda place: close(place.root / "data"),
    "a folder that cannot be changed": lambda place: (place.root / "data").chmod(0o500),
    "closed folders in closed folders": closed_within_closed,
    "the suite closed": lambda place: close(place.root),
    "the folder above closed": lambda place: close(place.work),
    "the folder above made unwritable": lambda place: place.work.chmod(0o500),
    "all of them closed": close_everything,
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_after_any_harm_the_suite_is_as_it_was(place: Place, harm: Harm) -> None:
    harm(place)
    place.restored()


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_harm_that_comes_again_is_seen_again(place: Place, harm: Harm) -> None:
    for _ in range(2):
        harm(place)
        place.restored()


# Harm to the places where a test may scribble


def scribble(place: Path) -> None:
    (place / "file").write_text("planted")
    (place / "folder/in/folder").mkdir(parents=True)
    (place / "folder/in/file").write_text("planted")
    (place / ".hidden").write_text("planted")
    os.mkfifo(place / "pipe")


def closed_folder(place: Path) -> None:
    (place / "folder").mkdir()
    (place / "folder/file").write_text("planted")
    close(place / "folder")


def closed_folders(place: Path) -> None:
    (place / "a/b/c").mkdir(parents=True)
    (place / "a/b/c/file").write_text("planted")
    close(place / "a", place / "a/b", place / "a/b/c")


def closed_place(place: Path) -> None:
    (place / "file").write_text("planted")
    close(place)


def unwritable_place(place: Path) -> None:
    (place / "file").write_text("planted")
    place.chmod(0o500)


def links(place: Path) -> None:
    outside = place.parent / "outside"
    (place / "file").symlink_to(outside / "kept")
    (place / "folder").symlink_to(outside)
    (place / "dangling").symlink_to("/nowhere")


SCRIBBLES: dict[str, Callable[[Path], None]] = {
    "files and folders": scribble,
    "a closed folder": closed_folder,
    "closed folders in closed folders": closed_folders,
    "files in a place that is closed": closed_place,
    "files in a place that cannot be written": unwritable_place,
    "links": links,
}


@pytest.mark.parametrize("scribbles", SCRIBBLES.values(), ids=SCRIBBLES.keys())
@pytest.mark.parametrize("where", ["tmp", "shm"])
def test_what_was_scribbled_elsewhere_is_gone(place: Place, where: str, scribbles: Callable[[Path], None]) -> None:
    scribbles(getattr(place, where))
    place.restored()


# What cannot be cleared away


def plant_deeper(folder: Path) -> None:
    """Deeper than any path can say: each step is made from the one before."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("planted", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.mark.parametrize("where", ["tmp", "shm", "work", "work/suite/data"])
def test_what_is_deeper_than_a_path_can_say_is_gone_or_the_judge_ends(place: Place, where: str) -> None:
    plant_deeper(place.base / where)
    try:
        place.folder.restore()
    except OSError:
        return  # which nobody catches: the judge ends, and another takes its place
    assert place.tree() == place.before
