"""A list of people as CSV → lines, each with an e-mail or with what is wrong with it. Pure.

Columns: email and, if there is one, name. A header is optional; commas, semicolons and tabs separate.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

MAX_BYTES = 256 * 1024
MAX_ROWS = 1000
MAX_NAME = 80
MAX_EMAIL = 254
SEPARATORS = (",", ";", "\t")
EMAIL_HEADINGS = {"email", "e-mail", "mail", "email address", "e-mail address"}
NAME_HEADINGS = {"name", "full name"}

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class RosterError(Exception):
    """The file as a whole cannot be read; the message is a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person of the file. `problem` is empty where the line can be used."""

    number: int  # in the file, from 1
    email: str
    name: str = ""
    problem: str = ""


def parse(raw: bytes) -> list[Line]:
    """Return the lines of the file, empty ones left out. Raises RosterError, naming the limit or the encoding."""
    if len(raw) > MAX_BYTES:
        raise RosterError(f"Send a file of at most {MAX_BYTES // 1024} KB.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError("Save the file as CSV in UTF-8 and send it again.") from None
    rows = _rows(text)
    if not rows:
        raise RosterError("Choose a file with one e-mail per line.")
    email_at, name_at = _columns(rows[0][1])
    if email_at is None:
        email_at, name_at = 0, 1
    else:
        rows = rows[1:]
    if not rows:
        raise RosterError("The file holds a header and nobody below it.")
    if len(rows) > MAX_ROWS:
        raise RosterError(f"Send at most {MAX_ROWS} people at a time; this file holds {len(rows)}.")
    return _checked([(number, _cell(row, email_at), _cell(row, name_at)) for number, row in rows])


def _rows(text: str) -> list[tuple[int, list[str]]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise RosterError(f"Line {reader.line_num} cannot be read as CSV.") from error


def _columns(header: list[str]) -> tuple[int | None, int | None]:
    """Return where the header has e-mails and names; None for e-mails: it is no header."""
    headings = [cell.strip().casefold() for cell in header]
    email_at = next((at for at, heading in enumerate(headings) if heading in EMAIL_HEADINGS), None)
    name_at = next((at for at, heading in enumerate(headings) if heading in NAME_HEADINGS), None)
    return email_at, name_at


def _cell(row: list[str], at: int | None) -> str:
    return row[at] if at is not None and at < len(row) else ""


def _checked(people: list[tuple[int, str, str]]) -> list[Line]:
    seen: dict[str, int] = {}
    lines = []
    for number, typed, called in people:
        email = typed.strip().lower()
        name = " ".join(_UNPRINTABLE.sub(" ", called).split())
        problem = _problem(email, name)
        if not problem and email in seen:
            problem = f"the same e-mail as line {seen[email]}"
        if not problem:
            seen[email] = number
        lines.append(Line(number=number, email=email[:MAX_EMAIL], name=name[:MAX_NAME], problem=problem))
    return lines


def _problem(email: str, name: str) -> str:
    if not email:
        return "no e-mail in it"
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email):
        return "not an e-mail address like name@example.com"
    return f"a name longer than {MAX_NAME} characters" if len(name) > MAX_NAME else ""
