"""What an exercise of kind mutation must hold beside what every exercise does: right and wrong variants."""

from __future__ import annotations

import pytest

from app.authoring.starts import start_files
from app.catalog.format import FormatError, from_files


def start() -> dict[str, str]:
    return start_files("mutation", title="Fares", track="testing", slug="fares")


def problems(files: dict[str, str]) -> list[str]:
    with pytest.raises(FormatError) as error:
        from_files(files)
    return [str(problem) for problem in error.value.problems]


def test_its_judge_is_given_the_variants() -> None:
    suite = from_files(start()).suite()
    assert sum(name.startswith("variants/correct_") for name in suite) == 2
    assert sum(name.startswith("variants/bug_") for name in suite) == 5


def test_the_names_of_variants_say_which_are_right() -> None:
    files = start() | {"variants/helper.py": "", "variants/bug_More.py": ""}
    said = "must be called correct_….py or bug_….py, in small letters, digits and _"
    assert sorted(problems(files)) == [f"variants/bug_More.py: {said}", f"variants/helper.py: {said}"]


def test_there_are_enough_variants_of_both_sorts() -> None:
    files = {name: text for name, text in start().items() if not name.startswith("variants/")}
    assert problems(files) == [
        "variants: needs at least 2 variants that are called correct_….py",
        "variants: needs at least 3 variants that are called bug_….py",
    ]


def test_no_other_kind_has_variants() -> None:
    files = start_files("calls", title="Shares", track="testing", slug="shares")
    found = problems(files | {"variants/correct_a.py": ""})
    assert len(found) == 1 and found[0].startswith("variants: is not part of an exercise")


def test_its_entry_is_a_file_of_tests() -> None:
    files = {name.replace("test_fare.py", "fare.py"): text for name, text in start().items()}
    files["exercise.yaml"] = files["exercise.yaml"].replace("entry: test_fare.py", "entry: fare.py")
    assert any("languages.python.entry must be a file of tests, test_….py, got 'fare.py'" in p for p in problems(files))
