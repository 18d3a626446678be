"""How values of visible checks are written for people."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

from sandbox.judge.suite import TEXT_CAP, show


def test_rows_stand_one_to_a_line_as_the_database_writes_them() -> None:
    rows = [(dt.date(2024, 1, 1), 1, "Solo", None), (dt.datetime(2024, 2, 1, 12, tzinfo=dt.UTC), Decimal("1.50"), "x")]
    assert show(rows) == "(2024-01-01, 1, 'Solo', None)\n(2024-02-01 12:00:00+00:00, 1.50, 'x')"


def test_a_long_row_stays_on_its_line() -> None:
    assert "\n" not in show([("x" * 200, "y" * 200, [1, 2, 3])])


def test_json_values_are_written_as_python_does() -> None:
    assert show({"b": [1, None], "a": "x"}) == "{'b': [1, None], 'a': 'x'}"
    assert show([]) == "[]"
    assert show("two\nlines") == "two\nlines"
    assert show("one line") == "'one line'"


def test_dates_inside_other_values_are_readable_too() -> None:
    identity = UUID(int=1)
    assert show({"at": dt.date(2024, 3, 1), "ids": [identity]}) == f"{{'at': 2024-03-01, 'ids': [{identity}]}}"


def test_what_is_too_long_is_cut() -> None:
    assert len(show([(number,) for number in range(5000)])) == TEXT_CAP
