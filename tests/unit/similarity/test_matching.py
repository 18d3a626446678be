"""What counts as the same code, and where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.similarity.matching import Candidate, Match, matches

STARTER = {
    "app.py": '''\
def read_lines(path):
    """Return the lines of a file."""
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\\n") for line in file if line.strip()]


def total(rows):
    raise NotImplementedError
'''
}
WRITTEN = STARTER["app.py"].replace(
    "    raise NotImplementedError\n",
    """\
    result = {}
    for row in rows:
        name, _, amount = row.partition(",")
        if not amount.isdigit():
            continue
        result[name] = result.get(name, 0) + int(amount)
    return dict(sorted(result.items(), key=lambda pair: (-pair[1], pair[0])))
""",
)
RENAMED = WRITTEN.replace("result", "sums").replace("row", "entry").replace("amount", "euros  # how much\n        ", 0)
OTHER = STARTER["app.py"].replace(
    "    raise NotImplementedError\n",
    """\
    from collections import Counter
    sums = Counter()
    while rows:
        parts = rows.pop().split(",")
        sums.update({parts[0]: int(parts[1])}) if len(parts) == 2 and parts[1].isdigit() else None
    return {key: value for key, value in sums.most_common()}
""",
)


def found(*texts: str, threshold: float = 0.5) -> list[Match]:
    candidates = [Candidate(id=number, files={"app.py": text}) for number, text in enumerate(texts, start=1)]
    return matches(candidates, STARTER, threshold=threshold)


def test_renamed_code_is_found_and_different_code_is_not() -> None:
    (match,) = found(WRITTEN, OTHER, RENAMED)
    assert (match.first_id, match.second_id) == (1, 3)
    assert match.first_share > 0.9 and match.second_share > 0.9


def test_what_the_starter_holds_counts_for_nobody() -> None:
    assert found(STARTER["app.py"], STARTER["app.py"]) == []
    (match,) = found(WRITTEN, RENAMED)
    ((first, last),) = match.first_lines["app.py"]
    assert first > 2 and last <= 14  # it begins where a stretch of new code does, and that may begin in the old


def test_lines_are_told_as_they_stand_even_after_empty_ones() -> None:
    (match,) = found(WRITTEN, "\n\n\n" + RENAMED)
    assert [(a + 3, b + 3) for a, b in match.first_lines["app.py"]] == match.second_lines["app.py"]


def test_each_side_has_a_share_of_its_own() -> None:
    (match,) = found(WRITTEN, WRITTEN + OTHER.replace("total", "again").replace("read_lines", "more"))
    assert match.first_share > 0.9 > match.second_share > 0.1


def test_the_most_similar_pair_comes_first_and_pairs_are_told_once() -> None:
    pairs = found(WRITTEN, WRITTEN + OTHER, RENAMED, threshold=0.1)
    assert (pairs[0].first_id, pairs[0].second_id) in {(1, 2), (1, 3)}
    shares = [max(each.first_share, each.second_share) for each in pairs]
    assert shares == sorted(shares, reverse=True)
    assert all(each.first_id < each.second_id for each in pairs)


@pytest.mark.parametrize("text", ["", "\n\n", "x = 1\n", "# only a comment\n" * 40, "a" * 5000])
def test_what_says_nothing_is_similar_to_nothing(text: str) -> None:
    assert found(text, text, WRITTEN, threshold=0.01) == [] or text.startswith("a")


def test_files_are_compared_by_name_and_count_together() -> None:
    first = Candidate(id=1, files={"app.py": WRITTEN, "notes.txt": "nothing"})
    second = Candidate(id=2, files={"app.py": RENAMED, "other.py": OTHER})
    (match,) = matches([second, first], STARTER, threshold=0.3)
    assert (match.first_id, match.second_id) == (1, 2)
    assert match.first_share > match.second_share
    assert set(match.first_lines) == set(match.second_lines) == {"app.py"}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(["x = f(1)\n", "if x:\n", "\n", "    y(x, 'é')\n", "\r", '"""\n', "\t", "\u2028"]), max_size=40
    )
)
def test_shares_stay_within_bounds_and_lines_within_the_file(parts: list[str]) -> None:
    text = "".join(parts)
    for match in found(text, text + WRITTEN, threshold=0.01):
        assert 0 <= match.first_share <= 1 and 0 <= match.second_share <= 1
        last = text.replace("\r", "\n").count("\n") + 1
        assert all(1 <= a <= b <= last for a, b in match.first_lines["app.py"])
