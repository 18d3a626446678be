"""How a judged submission is told to people. Pure: rows and the exercise's own words in, named values out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

from app.catalog.spec import CheckSpec, Group, LimitsSpec
from app.submissions.models import CheckResult, Purpose, Submission
from app.submissions.verdict import Verdict

DIFF_LINES = 400  # difflib is quadratic, and nobody reads more

LIMIT_WORDS = {
    "time": "time limit",
    "memory": "memory limit",
    "output": "output limit",
    "crash": "the program crashed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line of a difference. `mark` is "-", "+", "@" or a space."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCheck:
    """One check as its reader sees it. All fields below `limit` are empty for a hidden check, except `hint`."""

    title: str
    requirement: str
    group: Group
    visible: bool
    state: str  # "passed", "failed" or "pending": never run
    open: bool  # the first that failed
    limit: str
    hint: str = ""  # the author's, once the check has failed
    message: str = ""
    steps: str = ""
    expected: str = ""
    actual: str = ""
    output: str = ""
    diff: tuple[DiffLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCount:
    """How many checks of one group passed."""

    group: Group
    passed: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """The verdict in words. `tone` is "accepted", "failed", "limit" or "fault"."""

    tone: str
    title: str
    text: str


def shown_checks(specs: Sequence[CheckSpec], results: Iterable[CheckResult]) -> list[ShownCheck]:
    """Return one ShownCheck per spec, in the author's order."""
    found = {result.check_id: result for result in results}
    first_failed = next((spec.id for spec in specs if spec.id in found and not found[spec.id].passed), None)
    return [_shown(spec, found.get(spec.id), is_open=spec.id == first_failed) for spec in specs]


def _shown(spec: CheckSpec, result: CheckResult | None, *, is_open: bool) -> ShownCheck:
    state = "pending" if result is None else "passed" if result.passed else "failed"
    told = result if result is not None and spec.visible and result.visible else None
    return ShownCheck(
        title=spec.title,
        requirement=spec.requirement,
        group=spec.group,
        visible=spec.visible,
        state=state,
        open=is_open,
        limit=LIMIT_WORDS.get(result.limit_hit, "") if result else "",
        hint=spec.hint if state == "failed" else "",
        message=told.message if told else "",
        steps=told.steps if told else "",
        expected=told.expected if told else "",
        actual=told.actual if told else "",
        output=told.output if told else "",
        diff=line_diff(told.expected, told.actual) if told and state == "failed" else (),
    )


def group_counts(checks: Iterable[ShownCheck]) -> list[GroupCount]:
    """Return the counts of the groups that have checks, core first."""
    checks = list(checks)
    return [
        GroupCount(group=group, passed=sum(c.state == "passed" for c in these), total=len(these))
        for group in Group
        if (these := [c for c in checks if c.group == group])
    ]


def line_diff(expected: str, actual: str) -> tuple[DiffLine, ...]:
    """Return how `actual` differs from `expected`, line by line; empty when one is empty or both are one line."""
    before, after = expected.splitlines()[:DIFF_LINES], actual.splitlines()[:DIFF_LINES]
    if not before or not after or len(before) + len(after) < 3:
        return ()
    return _diff_lines(before, after)


def file_diffs(mine: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, tuple[DiffLine, ...]]]:
    """Return (path, lines) for each file that differs: "-" is only in `other`, "+" only in `mine`."""
    return [
        (path, _diff_lines(other.get(path, "").splitlines(), mine.get(path, "").splitlines()))
        for path in dict.fromkeys((*mine, *other))
        if mine.get(path, "") != other.get(path, "")
    ]


def _diff_lines(before: list[str], after: list[str]) -> tuple[DiffLine, ...]:
    lines = islice(difflib.unified_diff(before, after, lineterm="", n=3), 2, 2 + 2 * DIFF_LINES)
    return tuple(DiffLine(mark=line[:1] or " ", text=line if line.startswith("@@") else line[1:]) for line in lines)


def banner(submission: Submission, checks: Sequence[ShownCheck], limits: LimitsSpec) -> Banner:
    """Return what stands above the results of a judged submission."""
    passed, total = sum(c.state == "passed" for c in checks), len(checks)
    kind = "visible checks" if submission.purpose == Purpose.RUN else "checks"
    match Verdict(submission.verdict or Verdict.JUDGE_ERROR):
        case Verdict.ACCEPTED if submission.purpose == Purpose.RUN:
            title = "The visible check passes" if total == 1 else f"All {total} visible checks pass"
            return Banner(tone="accepted", title=title, text="Submit to run the hidden ones too.")
        case Verdict.ACCEPTED:
            return Banner(tone="accepted", title="Accepted", text=f"All {total} checks pass.")
        case Verdict.WRONG_ANSWER:
            return Banner(tone="failed", title="Wrong answer", text=f"{passed} of {total} {kind} pass.")
        case Verdict.COMPILE_ERROR:
            return Banner(tone="limit", title="Compile error", text="The program could not be loaded: no check ran.")
        case Verdict.RUNTIME_ERROR:
            return Banner(tone="limit", title="Runtime error", text="The program crashed or could not be started.")
        case Verdict.TIME_LIMIT:
            allowed = f"{limits.seconds} s for everything, and a share of it for one step"
            return Banner(tone="limit", title="Time limit", text=f"It took too long. Allowed: {allowed}.")
        case Verdict.MEMORY_LIMIT:
            return Banner(
                tone="limit", title="Memory limit", text=f"It needs more than {limits.memory_mb} MB of memory."
            )
        case Verdict.OUTPUT_LIMIT:
            return Banner(tone="limit", title="Output limit", text="It printed or answered far more than is accepted.")
        case Verdict.JUDGE_ERROR:
            return Banner(
                tone="fault",
                title="Judge error",
                text="This is our fault, not yours: judging broke, twice. It does not count. Please try again.",
            )


def highlighted(path: str, text: str) -> Markup:
    """Return `text` as HTML with Pygments' short classes, escaped; `path` tells the language."""
    try:
        lexer = get_lexer_for_filename(path, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    return Markup(highlight(text, lexer, HtmlFormatter(nowrap=True)))  # noqa: S704 - Pygments escapes what it marks up


def highlighted_lines(path: str, text: str) -> list[Markup]:
    """Return each line of `text` as `highlighted` does, without its line end; at least one line."""
    # Pygments closes what it marks up at every line end and opens it again after it.
    return [Markup(line) for line in highlighted(path, text).removesuffix("\n").split("\n")]  # noqa: S704 - likewise


def line_count(text: str) -> int:
    """Return how many lines `highlighted_lines` gives for `text`."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").count("\n") + 1
