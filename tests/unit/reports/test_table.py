"""CSV that spreadsheets open without running anything."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.table import FORMULA_STARTS, cell_text, to_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_text_that_would_be_a_formula_gets_an_apostrophe(start: str) -> None:
    assert cell_text(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


def test_ordinary_text_stays_as_it_is() -> None:
    assert cell_text("Zoë O'Neil, 2 = two") == "Zoë O'Neil, 2 = two"


def test_a_negative_number_is_a_number_not_a_formula() -> None:
    assert cell_text(-3) == "-3"


def test_times_are_iso_in_utc() -> None:
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=13)))
    assert cell_text(noon) == "2026-02-28T23:00:00Z"
    assert cell_text(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00Z"


def test_truth_is_yes_or_no_and_nothing_is_empty() -> None:
    assert [cell_text(True), cell_text(False), cell_text(None)] == ["yes", "no", ""]


def test_lines_end_as_rfc_4180_says() -> None:
    assert to_csv(["a", "b"], [["x,y", 'say "hi"']]) == 'a,b\r\n"x,y","say ""hi"""\r\n'


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), min_size=2, max_size=2)
    )
)
def test_every_text_comes_back_and_none_starts_a_formula(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(to_csv(["a", "b"], rows), newline="")))
    assert read[0] == ["a", "b"]
    assert len(read) == len(rows) + 1
    for cells, texts in zip(read[1:], rows, strict=True):
        assert not any(cell.startswith(FORMULA_STARTS) for cell in cells)
        assert [
            cell.removeprefix("'") if cell != text else cell for cell, text in zip(cells, texts, strict=True)
        ] == texts
