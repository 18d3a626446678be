"""The files of an exercise ⇄ a zip archive. Pure.

Nothing is lost on the way, byte for byte. An archive is read as if its sender meant harm: what it says of itself is
not believed, sizes are counted while reading, nothing is written anywhere, and an entry that is not plain text in
a plain place is refused by its name.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from app.catalog.format import (
    LEFT_BEHIND,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_FOLDER_BYTES,
    FormatError,
    Problem,
    is_path,
    nul_problems,
    path_problems,
)

ARCHIVE = "archive"  # where a problem is that belongs to no entry
MAX_ENTRIES = 2 * MAX_FILES  # folders may have entries of their own
MAX_RATIO = 200  # unpacked to packed, of an entry larger than SMALL_BYTES
SMALL_BYTES = 64 * 1024
ENOUGH = 50  # entries that cannot be read: the rest is not looked at
LONGEST_NAME = 120  # of an entry, as it is shown
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DOS_FOLDER = 0x10
_DAMAGED = (  # what zipfile raises, depending on where the bytes are wrong
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,
    IndexError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What was in an archive."""

    files: Mapping[str, str]  # relative path → text
    folder: str  # the one in which everything stood, which is not part of the paths; empty: there was none


def to_zip(files: Mapping[str, str], *, folder: str) -> bytes:
    """Return an archive that holds `files` in a folder called `folder`; the same files give the same bytes."""
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for name, text in sorted(files.items()):
            content = text.encode()
            info = ZipInfo(f"{folder}/{name}", date_time=_EPOCH)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.create_system = 3  # Unix: the mode above is read
            # What deflates beyond all measure is stored as it is: reading refuses it otherwise.
            info.compress_type = ZIP_STORED if _swells(len(content), len(zlib.compress(content, 9))) else ZIP_DEFLATED
            archive.writestr(info, content, compresslevel=9)
    return out.getvalue()


def from_zip(content: bytes) -> Unpacked:
    """Return the text files in an archive; a single folder around all of them is taken off their paths.

    Raises FormatError that names every entry at fault. The files need not be a well-formed exercise.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            entries = [info for info in archive.infolist() if not _is_left_behind(info)]
            _refuse(_archive_problems(entries))
            folder = _folder_around(info.filename for info in entries)
            start = len(folder) + 1 if folder else 0
            paths = {info.filename[start:]: info for info in entries if info.filename[start:]}
            _refuse([*_entry_problems(entries), *_path_problems(paths)])
            texts = _texts(archive, {path: info for path, info in paths.items() if not info.is_dir()})
    except _DAMAGED:
        raise FormatError([Problem(file=ARCHIVE, message="is not a zip archive, or is damaged")]) from None
    _refuse(nul_problems(texts))
    return Unpacked(files=texts, folder=folder)


def _texts(archive: ZipFile, entries: Mapping[str, ZipInfo]) -> dict[str, str]:
    """Return what the entries hold. Raises FormatError."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    total = 0
    for path, info in entries.items():
        try:
            content = _read(archive, info)
            texts[path] = content.decode()
            total += len(content)
        except FormatError as error:
            problems += error.problems
        except UnicodeDecodeError as error:
            problems.append(_problem(info, f"is not UTF-8 text: {error.reason} at byte {error.start}"))
        except _DAMAGED:
            problems.append(_problem(info, "is damaged"))
        if total > MAX_FOLDER_BYTES or len(problems) >= ENOUGH:
            problems += [Problem(file=ARCHIVE, message="holds more than 2 MB")] if total > MAX_FOLDER_BYTES else []
            break
    _refuse(problems)
    return texts


def _read(archive: ZipFile, info: ZipInfo) -> bytes:
    """Return what `info` holds, which is never more than a file may hold. Raises FormatError and what zipfile does."""
    with archive.open(info) as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise FormatError([_problem(info, f"is too large: more than {MAX_FILE_BYTES // 1024} KB")])
    if _swells(len(content), info.compress_size):
        raise FormatError([_problem(info, f"swells to more than {MAX_RATIO} times its packed size")])
    return content


def _archive_problems(entries: list[ZipInfo]) -> Iterator[Problem]:
    files = sum(not info.is_dir() for info in entries)
    if len(entries) > MAX_ENTRIES or files > MAX_FILES:
        yield Problem(file=ARCHIVE, message=f"holds more than {MAX_FILES} files")
    if not files:
        yield Problem(file=ARCHIVE, message="holds no file")


def _entry_problems(entries: list[ZipInfo]) -> Iterator[Problem]:
    """Yield what can be said of the entries before any of them is read."""
    seen: set[str] = set()
    for info in entries:
        if info.filename in seen:
            yield _problem(info, "is in the archive twice")
        elif info.filename != info.orig_filename:
            yield _problem(info, "has two names")
        elif said := _special(info):
            yield _problem(info, said)
        seen.add(info.filename)


def _path_problems(paths: Mapping[str, ZipInfo]) -> Iterator[Problem]:
    for path, info in paths.items():
        if info.is_dir() and not is_path(path[:-1]):
            yield _problem(info, "must be a relative path of letters, digits and . _ + @ -")
    for problem in path_problems(path for path, info in paths.items() if not info.is_dir()):
        yield Problem(file=_shown(problem.file), message=_shown(problem.message))


def _special(info: ZipInfo) -> str:
    """Return what makes the entry more than a plain file or folder; empty if nothing does."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    folder = kind == stat.S_IFDIR or bool(info.external_attr & _DOS_FOLDER)
    if kind == stat.S_IFLNK:
        return "is a symbolic link; expected a plain file"
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (folder and not info.is_dir()):
        return "is not a plain file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; expected an archive without a password"
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        return "is packed in a way that is not read here; expected deflate, as zip does by itself"
    return ""


def _swells(size: int, packed: int) -> bool:
    return size > SMALL_BYTES and size > MAX_RATIO * packed


def _is_left_behind(info: ZipInfo) -> bool:
    """Return whether a tool put the entry there, which is never part of an exercise."""
    parts = info.filename.split("/")
    return parts[0] == "__MACOSX" or not LEFT_BEHIND.isdisjoint(parts)


def _folder_around(names: Iterable[str]) -> str:
    """Return the folder in which all of `names` stand; empty if there is none."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    top = tops.pop() if len(tops) == 1 else ""
    return top if top not in {".", ".."} and top.isprintable() and not set(top) & {"\\", ":"} else ""


def _refuse(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise FormatError(found)


def _problem(info: ZipInfo, message: str) -> Problem:
    return Problem(file=_shown(info.filename), message=message)


def _shown(name: str) -> str:
    """Return the name of an entry as it may be shown: it may hold anything."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"
