"""A script's statements, told apart at the semicolons that PostgreSQL's own scanner would take for their ends. Pure."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"--[^\n]*"
    r"|/\*"
    r"|;"
    r"|[eE]'(?:[^'\\]|\\.|'')*'"  # before the words, which would take the E
    r"|'[^']*'"  # a doubled quote ends one and begins the next
    r'|"[^"]*"'
    r"|(?P<dollar>\$(?:[^\W\d]\w*)?\$)"
    r"|[^\W\d][\w$]*"  # a word, so that a dollar sign within it quotes nothing
    r"|\d[\w$]*",
    re.DOTALL,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")


def split(text: str) -> list[str]:
    """Return the statements of `text` in their order, without those that say nothing.

    A text that PostgreSQL could not scan is cut somewhere; the server then refuses one of its pieces.
    """
    found: list[str] = []
    begin = at = 0
    says_something = False
    while (piece := _PIECE.search(text, at)) is not None:
        says_something = says_something or bool(text[at : piece.start()].strip())
        at = piece.end()
        if piece.group() == "/*":
            at, closed = _end_of_comment(text, at)
            says_something = says_something or not closed  # PostgreSQL refuses it, and shall
        elif piece.group() == ";":
            if says_something:
                found.append(text[begin : piece.start()].strip())
            begin, says_something = at, False
        elif not piece.group().startswith("--"):
            says_something = True
            if piece["dollar"]:
                close = text.find(piece["dollar"], at)
                at = len(text) if close < 0 else close + len(piece["dollar"])
    if says_something or text[at:].strip():
        found.append(text[begin:].strip())
    return found


def _end_of_comment(text: str, at: int) -> tuple[int, bool]:
    """Return where the comment ends whose opening mark stands before `at`, and whether it does; comments nest."""
    depth = 1
    while depth:
        mark = _COMMENT_MARK.search(text, at)
        if mark is None:
            return len(text), False
        depth += 1 if mark.group() == "/*" else -1
        at = mark.end()
    return at, True
