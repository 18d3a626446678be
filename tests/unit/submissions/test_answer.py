"""What a learner may send, and what of a program's output is kept."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.submissions.answer import MAX_BYTES, AnswerError, checked, printable

FILES = {"app.py": "print(1)\n", "notes.md": ""}


def test_files_come_back_in_the_order_of_the_starter_with_plain_line_ends() -> None:
    sent = {"notes.md": "b", "app.py": "a\r\nb\r\n"}
    assert list(checked(sent, ["app.py", "notes.md"], may_be_empty=False).items()) == [
        ("app.py", "a\nb\n"),
        ("notes.md", "b"),
    ]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"app.py": "x"}, "Exactly these files"),
        ({**FILES, "extra.py": "x"}, "Exactly these files"),
        ({"app.py": "x", "../notes.md": "x"}, "Exactly these files"),
        ({}, "Exactly these files"),
        ({"app.py": "a\0b", "notes.md": ""}, "NUL"),
        ({"app.py": "a\ud800b", "notes.md": ""}, "not valid Unicode"),
        ({"app.py": "x" * (MAX_BYTES + 1), "notes.md": ""}, "too large"),
        ({"app.py": "é" * (MAX_BYTES // 2), "notes.md": "x"}, "too large"),
        ({"app.py": " \n\t", "notes.md": "\r\n"}, "every file is empty"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_words(sent: dict[str, str], told: str) -> None:
    with pytest.raises(AnswerError, match=told):
        checked(sent, list(FILES), may_be_empty=False)


def test_a_draft_may_be_empty() -> None:
    assert checked({"app.py": ""}, ["app.py"], may_be_empty=True) == {"app.py": ""}


def test_exactly_as_much_as_allowed_is_taken() -> None:
    assert checked({"app.py": "x" * MAX_BYTES}, ["app.py"], may_be_empty=False)


@given(st.text(), st.integers(1, 50))
def test_nothing_that_is_kept_can_steer_a_terminal_or_break_the_database(text: str, limit: int) -> None:
    kept = printable(text, limit)
    assert not [c for c in kept if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    assert len(kept) <= limit + len("\n… (cut)")


def test_colours_lose_their_escape_character() -> None:
    assert printable("\x1b[31mred\x1b[0m\r\nplain\x00\x07\u202e") == "[31mred[0m\nplain"


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_text_is_kept_as_it_is(text: str) -> None:
    assert printable(text) == text
