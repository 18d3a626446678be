"""An exercise folder ⇄ `Source`: every authoring error starts here. No database, no Flask.

`load` reads a folder, `from_files` takes the same files from elsewhere; both raise FormatError with everything that
is wrong. `restore` takes the files of a stored revision, which were checked when it was made. `write` is the way back.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from app.catalog import manifest, rules
from app.catalog.problems import FormatError, Problem
from app.catalog.spec import CheckSpec, ExerciseSpec, Group, Language, LimitsSpec, WrongSpec

__all__ = [
    "CheckSpec",
    "ExerciseSpec",
    "FormatError",
    "Group",
    "Language",
    "LimitsSpec",
    "Problem",
    "Source",
    "WrongSpec",
    "digest_of",
    "from_files",
    "is_path",
    "load",
    "nul_problems",
    "path_problems",
    "read",
    "replace",
    "restore",
    "write",
]

MAX_FILE_BYTES = 256 * 1024
MAX_FOLDER_BYTES = 2 * 1024 * 1024
MAX_FILES = 500
MAX_PATH_CHARS = 200
MAX_DEPTH = 8  # folders in each other
LEFT_BEHIND = frozenset(  # by tools; never part of an exercise
    {"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis", ".DS_Store", ".git"}
)
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+@-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One state of an exercise: every file of its folder, and what `exercise.yaml` says."""

    files: Mapping[str, str]  # relative POSIX path → text
    spec: ExerciseSpec

    @property
    def statement(self) -> str:
        """The statement, in Markdown."""
        return self.files.get("README.md", "")

    @property
    def notes(self) -> str:
        """What is said about the solution, in Markdown; empty if nothing is."""
        return self.files.get("solutions/notes.md", "")

    @property
    def digest(self) -> str:
        """SHA-256 over paths and contents, in hex."""
        return digest_of(self.files)

    def starter(self, language: str) -> dict[str, str]:
        """Return the files a learner starts from."""
        return self._below(f"starter/{language}/")

    def solution(self, language: str) -> dict[str, str]:
        """Return the reference solution."""
        return self._below(f"solutions/{language}/")

    def wrong(self, name: str) -> dict[str, str]:
        """Return the files of one wrong solution."""
        return self._below(f"wrong/{name}/")

    def visible_tests(self) -> dict[str, str]:
        """Return the tests that learners may read."""
        return self._below("tests/visible/")

    def suite(self) -> dict[str, str]:
        """Return what the judge is given: tests/…, data/… and variants/…."""
        return {name: text for name, text in self.files.items() if name.startswith(("tests/", "data/", "variants/"))}

    def checks(self, *, visible_only: bool = False) -> list[CheckSpec]:
        """Return the checks in the author's order."""
        return [check for check in self.spec.checks if check.visible or not visible_only]

    def _below(self, folder: str) -> dict[str, str]:
        return {name.removeprefix(folder): text for name, text in self.files.items() if name.startswith(folder)}


def digest_of(files: Mapping[str, str]) -> str:
    """Return SHA-256 over paths and contents, in hex."""
    total = hashlib.sha256()
    for name, text in sorted(files.items()):
        content = text.encode()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def load(folder: Path) -> Source:
    """Return the exercise in `folder`. Raises FormatError; its problems name files as `folder` is written."""
    files, problems = read(folder)
    try:
        source = from_files(files)
    except FormatError as error:
        problems = _without_echoes(problems, error.problems)
    if problems:
        raise FormatError(problem.below(str(folder)) for problem in problems)
    return source


def from_files(files: Mapping[str, str]) -> Source:
    """Return the exercise made of `files`. Raises FormatError with everything that is wrong with it."""
    problems = [*path_problems(files), *nul_problems(files), *_size_problems(files)]
    if manifest.NAME not in files:
        raise FormatError([*problems, Problem(file=manifest.NAME, message="is missing")])
    try:
        spec, lines = manifest.parse(files[manifest.NAME])
    except FormatError as error:
        raise FormatError([*problems, *error.problems]) from None
    problems += rules.problems(files, spec, lines)
    if problems:
        raise FormatError(problems)
    return Source(files=MappingProxyType(dict(sorted(files.items()))), spec=spec)


def restore(files: Mapping[str, str]) -> Source:
    """Return the exercise in the files of a stored revision, checking its schema alone."""
    return Source(files=MappingProxyType(dict(files)), spec=manifest.parse(files[manifest.NAME])[0])


def is_path(name: str) -> bool:
    """Return whether `name` may be the path of a file of an exercise: relative, and without surprises in it."""
    parts = PurePosixPath(name).parts
    return (
        bool(parts) and name == "/".join(parts) and all(_NAME.fullmatch(part) for part in parts) and ".." not in parts
    )


def path_problems(names: Iterable[str]) -> Iterator[Problem]:
    """Yield what is wrong with `names` as the paths of files in one folder, on whatever system it stands."""
    files = list(dict.fromkeys(names))
    known = {name.casefold() for name in files}
    spelt: dict[str, str] = {}  # every file and every folder, as it was first written
    for name in files:
        parents = [name[:end] for end, letter in enumerate(name) if letter == "/"]
        first = {path: spelt.setdefault(path.casefold(), path) for path in (*parents, name)}
        other = next((before for path, before in first.items() if before != path), "")
        inside = next((parent for parent in parents if parent.casefold() in known), "")
        if not is_path(name):
            yield Problem(file=name, message="must be a relative path of letters, digits and . _ + @ -")
        elif len(name) > MAX_PATH_CHARS or len(parents) > MAX_DEPTH:
            message = f"must be at most {MAX_PATH_CHARS} characters long and at most {MAX_DEPTH} folders deep"
            yield Problem(file=name, message=message)
        elif inside:
            yield Problem(file=name, message=f"stands in {inside}, which is a file")
        elif other:
            yield Problem(file=name, message=f"must not differ from {other} in capitals alone")


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write `files` below `folder`, which must not exist yet or be empty. Raises FileExistsError."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def replace(files: Mapping[str, str], folder: Path) -> None:
    """Make `files` all the files below `folder`; what tools left behind there stays."""
    for path in _walk(folder):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != text.encode():
            path.write_bytes(text.encode())
    for parent, _, _ in sorted(os.walk(folder), reverse=True):
        if not any(Path(parent).iterdir()):
            Path(parent).rmdir()


def _without_echoes(reading: list[Problem], found: list[Problem]) -> list[Problem]:
    """Return both, leaving out that a file is missing when it is there and could not be read."""
    unread = {problem.file for problem in reading}
    return [*reading, *(problem for problem in found if problem.file not in unread)]


def read(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """Return the text files below `folder` by relative path, and what could not be read and why."""
    if folder.is_symlink() or not folder.is_dir():
        return {}, [Problem(file="", message="is not a folder")]
    files: dict[str, str] = {}
    problems: list[Problem] = []
    total = 0
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            problems.append(Problem(file=name, message="is a symbolic link; expected a plain file"))
        elif not stat.S_ISREG(found.st_mode):
            problems.append(Problem(file=name, message="is not a plain file"))
        elif found.st_size > MAX_FILE_BYTES:
            problems.append(Problem(file=name, message=_too_large(found.st_size)))
        else:
            total += found.st_size
            if total > MAX_FOLDER_BYTES or len(files) >= MAX_FILES:
                problems.append(Problem(file="", message=f"holds more than {MAX_FILES} files or 2 MB"))
                break
            try:
                files[name] = path.read_bytes().decode()
            except UnicodeDecodeError as error:
                problems.append(Problem(file=name, message=f"is not UTF-8 text: {error.reason} at byte {error.start}"))
    return files, problems


def _walk(folder: Path) -> Iterator[Path]:
    """Yield what stands below `folder`, links as themselves, in the order of names."""
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in LEFT_BEHIND and name not in links)
        for name in sorted([*names, *links]):
            if name not in LEFT_BEHIND:
                yield Path(parent) / name


def nul_problems(files: Mapping[str, str]) -> Iterator[Problem]:
    """Yield which of `files` hold the character that no text has."""
    for name, text in files.items():
        if "\0" in text:
            yield Problem(file=name, line=text[: text.index("\0")].count("\n") + 1, message="holds a NUL character")


def _size_problems(files: Mapping[str, str]) -> Iterator[Problem]:
    sizes = {name: len(text.encode()) for name, text in files.items()}
    for name, size in sizes.items():
        if size > MAX_FILE_BYTES:
            yield Problem(file=name, message=_too_large(size))
    if sum(sizes.values()) > MAX_FOLDER_BYTES or len(files) > MAX_FILES:
        yield Problem(file="", message=f"holds more than {MAX_FILES} files or 2 MB")


def _too_large(size: int) -> str:
    return f"is too large: {size // 1024} KB, at most {MAX_FILE_BYTES // 1024} KB"
