"""What a learner may send: checked once, at the edge. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from unicodedata import category

MAX_BYTES = 256 * 1024


class AnswerError(ValueError):
    """The files cannot be taken; the message says why, for the learner."""


def checked(files: Mapping[str, str], expected: Collection[str], *, may_be_empty: bool) -> dict[str, str]:
    """Return `files` with line ends as `\\n`, in the order of `expected`, the names that the starter has.

    Raises AnswerError for other names, more than MAX_BYTES in all, characters that no source file holds, and,
    unless `may_be_empty`, when there is nothing but white space.
    """
    if set(files) != set(expected):
        raise AnswerError(f"Exactly these files are expected: {', '.join(expected)}.")
    clean = {name: files[name].replace("\r\n", "\n") for name in expected}
    if any("\0" in text for text in clean.values()):
        raise AnswerError("A file holds a NUL character.")
    try:
        size = sum(len(text.encode()) for text in clean.values())
    except UnicodeEncodeError:
        raise AnswerError("A file is not valid Unicode text.") from None
    if size > MAX_BYTES:
        raise AnswerError(f"The files are too large: {size // 1024} KB, at most {MAX_BYTES // 1024} KB in all.")
    if not may_be_empty and not any(text.strip() for text in clean.values()):
        raise AnswerError("There is nothing to judge yet: every file is empty.")
    return clean


def printable(text: str, limit: int = 64 * 1024) -> str:
    """Return what is safe to store and show of a program's output: no control characters but newline and tab.

    Escape sequences lose their ESC and stay visible as text; characters that reorder text are dropped too.
    What is longer than `limit` characters is cut.
    """
    plain = text[:limit].replace("\r\n", "\n")
    kept = "".join(c for c in plain if c in "\n\t" or c.isprintable() or category(c) == "Zs")
    return kept if len(text) <= limit else kept + "\n… (cut)"
