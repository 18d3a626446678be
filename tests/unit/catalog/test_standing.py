"""Which side changed is decided by what the folder held when it was last taken over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.standing import Side, Standing, differing, standing

DIGESTS = st.sampled_from(["a", "b", "c"])
SEEN = st.none() | DIGESTS


@pytest.mark.parametrize(
    ("folder", "current", "seen", "expected"),
    [
        ("new", "old", "old", Standing.FOLDER_AHEAD),
        ("old", "new", "old", Standing.SITE_AHEAD),
        ("new", "other", "old", Standing.CONFLICT),
        ("new", "old", None, Standing.CONFLICT),
        ("same", "same", None, Standing.SAME),
        ("same", "same", "old", Standing.SAME),
    ],
)
def test_who_changed_is_ahead(folder: str, current: str, seen: str | None, expected: Standing) -> None:
    assert standing(folder=folder, current=current, seen=seen) is expected


@given(folder=DIGESTS, current=DIGESTS, seen=SEEN)
def test_nothing_is_written_over_unless_it_was_seen(folder: str, current: str, seen: str | None) -> None:
    found = standing(folder=folder, current=current, seen=seen)
    if found is Standing.FOLDER_AHEAD:
        assert current == seen
    if found is Standing.SITE_AHEAD:
        assert folder == seen


@given(folder=DIGESTS, current=DIGESTS, seen=SEEN, side=st.sampled_from(Side))
def test_a_decision_leaves_no_conflict(folder: str, current: str, seen: str | None, side: Side) -> None:
    found = standing(folder=folder, current=current, seen=seen, decided=side)
    expected = {Side.FOLDER: Standing.FOLDER_AHEAD, Side.SITE: Standing.SITE_AHEAD}[side]
    assert found is (Standing.SAME if folder == current else expected)


def test_files_differ_where_they_are_added_removed_or_changed() -> None:
    assert differing({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == ("b", "c", "d")
