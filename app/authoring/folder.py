"""The files of a working copy, and what may be done to them. Pure: files in, files out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.catalog.format import MAX_FILE_BYTES, MAX_FILES, MAX_FOLDER_BYTES, is_path
from app.catalog.manifest import NAME

_TITLE = re.compile(r"^title:[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s#'\"].*?))[ \t]*(?:[ \t]#.*)?$", re.MULTILINE)


class FolderError(ValueError):
    """That cannot be done to the files; the message says why, for the author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file, or a folder with what is in it."""

    name: str
    path: str
    entries: tuple[Entry, ...] = ()  # empty: a file


def checked(files: Mapping[str, str]) -> dict[str, str]:
    """Return `files` by path with line ends as `\\n`. They need not be an exercise yet, but could stand in a folder.

    Raises FolderError for paths, characters or sizes that no exercise may have.
    """
    clean = {path: text.replace("\r\n", "\n") for path, text in sorted(files.items())}
    for path, text in clean.items():
        _check_path(path)
        if "\0" in text:
            raise FolderError(f"{path} holds a NUL character: only text can be kept.")
        for parent in _parents(path):
            if parent in clean:
                raise FolderError(f"{parent} is a file, so {path} cannot be inside it.")
    try:
        sizes = {path: len(text.encode()) for path, text in clean.items()}
    except UnicodeEncodeError:
        raise FolderError("A file is not valid Unicode text.") from None
    for path, size in sizes.items():
        if size > MAX_FILE_BYTES:
            raise FolderError(f"{path} is too large: {size // 1024} KB, at most {MAX_FILE_BYTES // 1024} KB.")
    if len(clean) > MAX_FILES or sum(sizes.values()) > MAX_FOLDER_BYTES:
        raise FolderError(f"An exercise holds at most {MAX_FILES} files and {MAX_FOLDER_BYTES // 1024**2} MB.")
    return clean


def added(files: Mapping[str, str], path: str, text: str = "") -> dict[str, str]:
    """Return `files` with a new one. Raises FolderError where there is one already."""
    _check_path(path)
    if path in files:
        raise FolderError(f"{path} is there already.")
    return checked({**files, path: text})


def uploaded(files: Mapping[str, str], folder: str, uploads: Mapping[str, bytes]) -> dict[str, str]:
    """Return `files` with `uploads` in `folder`, in place of those of the same name. Raises FolderError."""
    if not uploads:
        raise FolderError("Choose one file or more.")
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    texts = {}
    for name, content in uploads.items():
        try:
            texts[prefix + name] = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FolderError(f"{name} is not UTF-8 text: an exercise holds text files only.") from None
    return checked({**files, **texts})


def renamed(files: Mapping[str, str], path: str, to: str) -> dict[str, str]:
    """Return `files` with the file or folder `path` at `to`. Raises FolderError."""
    _check_path(to)
    moved = _below(files, path)
    kept = {name: text for name, text in files.items() if name not in moved}
    for name in moved:
        if to + name.removeprefix(path) in kept:
            raise FolderError(f"{to + name.removeprefix(path)} is there already.")
    return checked({**kept, **{to + name.removeprefix(path): files[name] for name in moved}})


def removed(files: Mapping[str, str], path: str) -> dict[str, str]:
    """Return `files` without the file or folder `path`. Raises FolderError when there is none."""
    gone = _below(files, path)
    return {name: text for name, text in files.items() if name not in gone}


def tree(paths: Iterable[str]) -> tuple[Entry, ...]:
    """Return files and folders as they stand in each other: files first, each in the order of names."""
    return _entries("", [(path, path.split("/")) for path in sorted(paths)])


def title_of(files: Mapping[str, str], otherwise: str) -> str:
    """Return the title that `exercise.yaml` says, also where the rest of it is not well-formed yet."""
    found = _TITLE.search(files.get(NAME, ""))
    return next(filter(None, found.groups()), otherwise) if found else otherwise


def with_id(files: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """Return `files` with `new` for the id `old` in `exercise.yaml`; comments and everything else stay as they are."""
    text = files[NAME]
    line = re.compile(rf"^(id:[ \t]*[\"']?){re.escape(old)}", re.MULTILINE)
    changed, count = line.subn(rf"\g<1>{new}", text, count=1)
    return {**files, NAME: changed if count else text.replace(old, new, 1)}


def _check_path(path: str) -> None:
    if not is_path(path) or len(path) > 200:
        expected = "a name of letters, digits and . _ + @ -, with / between folders, at most 200 characters"
        raise FolderError(f"{path!r} cannot be a path: expected {expected}.")


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _below(files: Mapping[str, str], path: str) -> list[str]:
    """Return the file `path`, or the files in the folder `path`."""
    found = [name for name in files if name == path or name.startswith(f"{path}/")]
    if not path or not found:
        raise FolderError(f"There is no file or folder {path!r}.")
    return found


def _entries(folder: str, paths: list[tuple[str, list[str]]]) -> tuple[Entry, ...]:
    files = [Entry(name=steps[0], path=path) for path, steps in paths if len(steps) == 1]
    below: dict[str, list[tuple[str, list[str]]]] = {}
    for path, steps in paths:
        if len(steps) > 1:
            below.setdefault(steps[0], []).append((path, steps[1:]))
    folders = [
        Entry(name=name, path=f"{folder}{name}", entries=_entries(f"{folder}{name}/", inside))
        for name, inside in below.items()
    ]
    return (*files, *folders)
