"""Lists of people as CSV, as spreadsheets and people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.roster import MAX_BYTES, MAX_ROWS, RosterError, parse


def read(text: str) -> list[tuple[int, str, str, bool]]:
    """Return number, e-mail, name, and whether the line can be used."""
    return [(line.number, line.email, line.name, not line.problem) for line in parse(text.encode())]


LENA = (1, "lena@example.com", "Lena L", True)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_of_three_separators_is_understood(separator: str) -> None:
    assert read(f"lena@example.com{separator}Lena L\n") == [LENA]


def test_a_header_names_the_columns_in_any_order() -> None:
    assert read("Full name;E-Mail\nLena L;lena@example.com\n") == [(2, "lena@example.com", "Lena L", True)]


def test_a_header_without_names_is_a_header_too() -> None:
    assert read("email\nlena@example.com\n") == [(2, "lena@example.com", "", True)]


def test_emails_alone_are_enough_and_empty_lines_are_left_out() -> None:
    assert read("lena@example.com\n\n ,\nolaf@example.com") == [
        (1, "lena@example.com", "", True),
        (4, "olaf@example.com", "", True),
    ]


def test_quotes_capitals_spaces_and_a_byte_order_mark_are_no_trouble() -> None:
    assert read('\ufeff" Lena@Example.com ","Lena  L"\r\n') == [LENA]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Lena", "not an e-mail"),
        (",Lena", "no e-mail"),
        ("a@b@c", "not an e-mail"),
        ("a b@c", "not an e-mail"),
        (f"{'x' * 260}@example.com", "not an e-mail"),
        (f"x@example.com,{'x' * 81}", "longer than 80"),
        ("x\x00@example.com", "not an e-mail"),
    ],
)
def test_a_line_that_cannot_be_used_says_why_and_the_others_stand(line: str, problem: str) -> None:
    bad, good = parse(f"{line}\nolaf@example.com,Olaf".encode())
    assert problem in bad.problem
    assert good.problem == ""


def test_the_second_line_of_a_person_names_the_first() -> None:
    first, second = parse(b"lena@example.com\nLENA@example.com")
    assert (first.problem, second.problem) == ("", "the same e-mail as line 1")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "one e-mail per line"),
        (b" \n ;; \n", "one e-mail per line"),
        (b"email,name\n", "nobody below it"),
        (b"x" * (MAX_BYTES + 1), "256 KB"),
        (b"a@example.com\n" * (MAX_ROWS + 1), "1000 people"),
        ("Zo\u00eb;zoe@example.com".encode("cp1252"), "UTF-8"),
        (b'a@example.com,"' + b"x" * 140_000, "Line 1"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_was_expected(raw: bytes, said: str) -> None:
    with pytest.raises(RosterError, match=said):
        parse(raw)


@given(st.binary(max_size=400))
def test_whatever_is_sent_is_read_or_refused_in_a_sentence(raw: bytes) -> None:
    try:
        lines = parse(raw)
    except RosterError as error:
        assert str(error).endswith(".")
        return
    usable = [line.email for line in lines if not line.problem]
    assert len(usable) == len(set(usable))
    assert all("@" in email and email == email.lower() for email in usable)
