"""What only the hidden tests know is not shown anywhere; what everybody must know may be."""

from __future__ import annotations

import pytest

from app.authoring.leaks import hidden_literals, holds, in_folder, in_outcome, talkative
from app.catalog.format import from_files
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.exercise_folders import FILES, changed


def hidden(**files: str) -> list[str]:
    """The hidden literals of the exercise with more files."""
    return [literal.text for literal in hidden_literals(from_files({**FILES, **files}))]


def test_numbers_and_texts_of_hidden_tests_are_hidden() -> None:
    assert hidden() == ["15308642", "7654321"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('X = "orange-42"\n', ["orange-42"]),
        ("X = b'orange-42'\n", ["orange-42"]),
        ("X = 1_234_567\n", ["1_234_567", "1234567"]),
        ("X = 12345\nY = 'short'\nZ = True\n", []),
        ('"""A docstring."""\n\n\ndef helper():\n    """Another one."""\n', []),
        ('X = ["Content-Type", "application/json", "Asia/Tokyo", "Not Found"]\n', []),
        ("X = f'orange-{1}-apples'\n", ["orange-", "-apples"]),
    ],
)
def test_what_counts_as_a_literal(text: str, found: list[str]) -> None:
    more = set(hidden(**{"tests/hidden/more.py": text})) - {"15308642", "7654321"}
    assert more == set(found)


@pytest.mark.parametrize(
    "file", ["starter/python/more.py", "wrong/adds-two/more.py", "solutions/python/more.py", "tests/visible/more.py"]
)
def test_what_programs_and_visible_tests_say_is_no_secret(file: str) -> None:
    assert "orange-42" not in hidden(**{"tests/hidden/more.py": "X = 'orange-42'\n", file: "Y = 'orange-42'\n"})


@pytest.mark.parametrize(
    ("old", "new", "file", "where"),
    [
        ("Give back", "Give 15308642 back", "README.md", "README.md"),
        ('title: "Doubles big numbers"', 'title: "Doubles 7654321"', "exercise.yaml", "exercise.yaml: checks[1].title"),
        ('hint: "How big is big?"', 'hint: "Try 7654321."', "exercise.yaml", "exercise.yaml: checks[1].hint"),
        ('hints: ["Multiply."]', 'hints: ["7654321"]', "exercise.yaml", "exercise.yaml: hints[0]"),
        ("title: Double it", "title: Double 7654321", "exercise.yaml", "exercise.yaml: title"),
    ],
)
def test_a_hidden_value_in_anything_shown_is_a_leak(old: str, new: str, file: str, where: str) -> None:
    source = from_files(changed(old, new, file=file))
    leaks = in_folder(source, hidden_literals(source))
    assert [leak.where for leak in leaks] == [where]
    assert "tests/hidden/test_hidden.py:6" in str(leaks[0])


def test_only_whole_values_count_and_plain_words_only_in_quotes() -> None:
    assert holds("it is 7654321.", "7654321")
    assert not holds("it is 17654321.", "7654321")
    assert not holds("a matter of spelling", "spelling")
    assert holds("send `spelling` as key", "spelling")
    assert not holds("", "spelling")


def test_what_a_learner_is_told_of_a_result_is_searched_too() -> None:
    source = from_files(FILES)
    secrets = hidden_literals(source)
    told = Outcome(
        ended=Ended.COMPLETED,
        output="saw 7654321",
        checks=(
            CheckOutcome(id="twice", passed=False, actual="15308642"),
            CheckOutcome(id="big", passed=False, message="assert 7654321"),
        ),
    )
    assert [leak.where for leak in in_outcome(told, ["twice"], secrets, "wrong/x")] == [
        "wrong/x: check twice",
        "wrong/x: output",
    ]
    assert talkative(told, ["twice"]) == ["big"]
