"""Filters combine, live in the URL, and survive whatever stands there."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.catalog.filters import Filters, Sort, Standing, fits, parse
from app.catalog.status import Status

CACHE = SimpleNamespace(
    title="A cache that expires",
    track="caching",
    kind="calls",
    difficulty=3,
    skills=["lru-eviction", "expiry"],
    languages=["python"],
    summary="Write a cache.",
)


def of(query: str) -> Filters:
    """What a query string asks for."""
    return parse(MultiDict(parse_qsl(query, keep_blank_values=True)))


@pytest.mark.parametrize(
    ("query", "status", "fitting"),
    [
        ("", Status.SOLVED, True),
        ("kind=calls&difficulty=3&track=caching&skill=expiry&language=python", Status.SOLVED, True),
        ("kind=calls&difficulty=2", Status.SOLVED, False),
        ("kind=sql&kind=calls", Status.SOLVED, True),
        ("kind=", Status.SOLVED, True),
        ("kind=nonsense", Status.SOLVED, False),
        ("skill=joins", Status.SOLVED, False),
        ("status=not-solved", Status.TRIED, True),
        ("status=not-solved", Status.NOT_STARTED, True),
        ("status=not-solved", Status.SOLVED, False),
        ("status=tried", Status.TRIED, True),
        ("status=tried", Status.NOT_STARTED, False),
        ("status=nonsense", Status.NOT_STARTED, True),
        ("q=EXPIRES+cache", Status.TRIED, True),
        ("q=lru", Status.TRIED, True),
        ("q=cache+sql", Status.TRIED, False),
    ],
)
def test_filters_combine(query: str, status: Status, fitting: bool) -> None:
    assert fits(of(query), CACHE, status) is fitting


def test_an_unknown_order_is_the_usual_one() -> None:
    assert of("sort=backwards").sort is Sort.TRACK
    assert not of("sort=hardest&q=+").active


words = st.lists(st.text(min_size=1, max_size=8).map(str.strip).filter(bool), max_size=3, unique=True).map(tuple)


@given(
    st.builds(
        Filters,
        q=st.text(max_size=30).map(lambda text: " ".join(text.split())),
        track=words,
        kind=words,
        difficulty=words,
        skill=words,
        language=words,
        status=st.lists(st.sampled_from(Standing), unique=True).map(tuple),
        sort=st.sampled_from(Sort),
    )
)
def test_what_is_asked_for_survives_the_url(filters: Filters) -> None:
    assert of(filters.query()) == filters


def test_a_link_can_change_one_filter_and_keep_the_others() -> None:
    assert of("q=a&kind=sql").query(skill=("joins",)) == "q=a&kind=sql&skill=joins"
    assert of("q=a").query(q="") == ""


@given(st.text(max_size=80))
def test_any_query_string_is_understood(query: str) -> None:
    of(query)
