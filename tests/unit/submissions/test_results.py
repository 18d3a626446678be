"""How results are told: hidden checks tell nothing, differences are readable."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from app.catalog.format import CheckSpec, Group, LimitsSpec
from app.submissions.models import CheckResult, Purpose, Submission
from app.submissions.results import (
    ShownCheck,
    banner,
    file_diffs,
    group_counts,
    highlighted,
    highlighted_lines,
    line_count,
    line_diff,
    shown_checks,
)
from app.submissions.verdict import Verdict

LIMITS = LimitsSpec(seconds=7, memory_mb=96, cpus=1.0)


def spec(id: str, *, visible: bool = False, group: Group = Group.CORE) -> CheckSpec:
    return CheckSpec(
        id=id, test=f"test_{id}", requirement="R1", group=group, visible=visible, title=id.title(), hint="Look closer."
    )


def result(id: str, *, passed: bool, visible: bool = True, **more: str) -> CheckResult:
    texts = dict.fromkeys(("limit_hit", "message", "steps", "expected", "actual", "output"), "")
    return CheckResult(check_id=id, passed=passed, visible=visible, **{**texts, **more})


def told(check: ShownCheck) -> list[str]:
    return [
        f.name
        for f in fields(ShownCheck)
        if f.name in {"message", "steps", "expected", "actual", "output", "diff"} and getattr(check, f.name)
    ]


def test_a_hidden_check_tells_nothing_even_if_a_row_knew_more() -> None:
    leaky = result("a", passed=False, visible=True, message="42", steps="42", expected="42", actual="41", output="42")
    (shown,) = shown_checks([spec("a", visible=False)], [leaky])
    assert told(shown) == []
    assert (shown.hint, shown.state) == ("Look closer.", "failed")


def test_a_hint_waits_until_its_check_has_failed() -> None:
    shown = shown_checks([spec("a"), spec("b")], [result("a", passed=True, visible=False)])
    assert [(c.state, c.hint) for c in shown] == [("passed", ""), ("pending", "")]


def test_the_first_failed_check_is_open_and_no_other() -> None:
    specs = [spec(id, visible=True) for id in "abc"]
    shown = shown_checks(specs, [result("c", passed=False), result("b", passed=False), result("a", passed=True)])
    assert [c.open for c in shown] == [False, True, False]


def test_counts_are_given_per_group_that_has_checks_core_first() -> None:
    specs = [spec("a", group=Group.SECURITY), spec("b"), spec("c")]
    counts = group_counts(shown_checks(specs, [result(id, passed=id != "c", visible=False) for id in "abc"]))
    assert [(c.group, c.passed, c.total) for c in counts] == [(Group.CORE, 1, 2), (Group.SECURITY, 1, 1)]


def test_one_line_against_one_line_needs_no_difference() -> None:
    assert line_diff("4", "5") == ()
    assert line_diff("", "a\nb\nc") == ()


def test_a_difference_marks_what_was_expected_and_what_came() -> None:
    lines = line_diff("a\nb\nc", "a\nx\nc")
    assert [(line.mark, line.text) for line in lines[1:]] == [(" ", "a"), ("-", "b"), ("+", "x"), (" ", "c")]
    assert lines[0].mark == "@"


@given(st.text(max_size=400), st.text(max_size=400))
def test_the_marked_lines_are_lines_of_either_side(expected: str, actual: str) -> None:
    for line in line_diff(expected, actual):
        if line.mark in "-+":
            assert line.text in (expected if line.mark == "-" else actual).splitlines()


def test_only_files_that_differ_are_compared() -> None:
    diffs = file_diffs({"a": "1\n", "b": "new"}, {"a": "1\n", "b": "old", "c": "gone"})
    assert [path for path, _ in diffs] == ["b", "c"]


def test_code_is_escaped_whatever_it_holds() -> None:
    for path in ("a.py", "a.sql", "a.unknown", "Makefile"):
        assert "<script" not in highlighted(path, "<script>alert('x')</script> \"&\"")


def test_each_verdict_has_a_tone_and_a_platform_fault_says_so() -> None:
    tones = {}
    for verdict in Verdict:
        said = banner(Submission(verdict=verdict, purpose=Purpose.SUBMIT), [], LIMITS)
        tones[verdict] = said.tone
        assert said.title
        assert said.text
    assert tones == {
        Verdict.ACCEPTED: "accepted",
        Verdict.WRONG_ANSWER: "failed",
        Verdict.COMPILE_ERROR: "limit",
        Verdict.RUNTIME_ERROR: "limit",
        Verdict.TIME_LIMIT: "limit",
        Verdict.MEMORY_LIMIT: "limit",
        Verdict.OUTPUT_LIMIT: "limit",
        Verdict.JUDGE_ERROR: "fault",
    }
    assert "our fault" in banner(Submission(verdict=Verdict.JUDGE_ERROR, purpose=Purpose.SUBMIT), [], LIMITS).text


@given(st.text(alphabet=st.sampled_from(list("ab \"'#\n\r\t\x0b\x0c\u2028<&")), max_size=60))
def test_lines_of_code_are_counted_as_they_are_shown(text: str) -> None:
    lines = highlighted_lines("a.py", text)
    assert len(lines) == line_count(text)
    assert all(line.count("<span") == line.count("</span>") for line in lines)


def test_a_text_over_several_lines_is_marked_up_line_by_line() -> None:
    lines = highlighted_lines("a.py", 'x = """a\n\nb"""\n')
    assert [line.striptags() for line in lines] == ['x = """a', "", 'b"""']
