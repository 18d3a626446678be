"""A learner's real submission becomes a wrong solution: what people get wrong is what tests must notice."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from app.accounts.models import User
from app.authoring import copies
from app.authoring.models import WorkingCopy
from app.catalog.manifest import NAME, refuse_bombs
from app.catalog.problems import FormatError
from app.catalog.services import source_of
from app.catalog.spec import KEBAB, CheckSpec
from app.errors import Conflict, Invalid, NotFound
from app.submissions.lookup import find_readable
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.verdict import Verdict

LONGEST_NAME = 60
LONGEST_REASON = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of `wrong:` in `exercise.yaml`."""

    dir: str
    language: str
    reason: str
    must_fail: Sequence[str]  # empty: the author has yet to name them


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A submission that may become a wrong solution, and what is proposed for its entry."""

    submission: Submission
    checks: Sequence[CheckSpec]
    entry: Entry


def offer(user: User, submission_id: int) -> Offer:
    """Return what becomes of that submission to an exercise that is this person's to write.

    It is to fail what it failed when it was judged, checks that never ran included. Raises NotFound, and Conflict for
    a submission that shows nothing.
    """
    submission = find_readable(submission_id, reader=user)
    if not copies.may_revise(user, submission.exercise):
        raise NotFound("There is no such submission to an exercise of yours.")
    if not is_adoptable(submission):
        raise Conflict("Only a judged submission can become a wrong solution.")
    spec = source_of(submission.revision).spec
    passed = {check.check_id for check in submission.checks if check.passed}
    entry = Entry(
        dir=f"submission-{submission.id}",
        language=submission.language,
        reason="",
        must_fail=[check_id for check_id in spec.check_ids if check_id not in passed],
    )
    return Offer(submission=submission, checks=spec.checks, entry=entry)


def adopt(user: User, submission_id: int, *, name: str, reason: str, must_fail: Sequence[str]) -> WorkingCopy:
    """Return this person's copy of the exercise, now with the submission as `wrong/<name>`. Commits.

    Without `must_fail` the author has yet to name the checks. Raises as `offer` does, Invalid for what was typed, and
    Conflict for a copy whose `exercise.yaml` cannot be read.
    """
    offered = offer(user, submission_id)
    if not re.fullmatch(KEBAB, name) or len(name) > LONGEST_NAME:
        expected = f"lower-case words with - between them, like off-by-one, at most {LONGEST_NAME} characters"
        raise Invalid(f"Write {expected}.", "name")
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid(f"Say in one sentence what is wrong, in at most {LONGEST_REASON} characters.", "reason")
    entry = replace(offered.entry, dir=name, reason=reason, must_fail=must_fail)
    answer, exercise = dict(offered.submission.files), offered.submission.exercise
    copy = copies.revise(user, exercise.track, exercise.slug)
    return copies.alter(copy, lambda files: with_wrong(files, entry, answer))


def is_adoptable(submission: Submission) -> bool:
    """Return whether the submission shows something: it was judged against all checks, and not spoilt."""
    judged = submission.purpose == Purpose.SUBMIT and submission.stage == Stage.JUDGED
    return judged and submission.verdict != Verdict.JUDGE_ERROR and not submission.exercise.trial


def with_wrong(files: Mapping[str, str], entry: Entry, answer: Mapping[str, str]) -> dict[str, str]:
    """Return `files` with `answer` in `wrong/<dir>/` and `entry` in `exercise.yaml`, whose comments stay. Pure.

    Raises Invalid when there is a folder of that name, Conflict when `exercise.yaml` cannot be read.
    """
    folder = f"wrong/{entry.dir}/"
    if any(path.startswith(folder) for path in files):
        raise Invalid(f"The working copy has a wrong/{entry.dir} already: choose another name.", "name")
    manifest = _with_entry(files.get(NAME, ""), entry)
    return {**files, NAME: manifest, **{f"{folder}{path}": text for path, text in answer.items()}}


def _with_entry(text: str, entry: Entry) -> str:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 4096
    try:
        refuse_bombs(text)
        data = yaml.load(text)
    except (FormatError, YAMLError, ValueError) as error:
        raise Conflict("exercise.yaml of your working copy cannot be read. Mend it first.") from error
    if not isinstance(data, CommentedMap) or not isinstance(data.setdefault("wrong", CommentedSeq()), CommentedSeq):
        raise Conflict("exercise.yaml of your working copy has no list `wrong`. Mend it first.")
    wrong = data["wrong"]
    if any(isinstance(each, Mapping) and each.get("dir") == entry.dir for each in wrong):
        raise Invalid(f"exercise.yaml lists a wrong solution {entry.dir} already: choose another name.", "name")
    known = {each.get("id") for each in data.get("checks") or () if isinstance(each, Mapping)}
    wrong.append(_node(entry, [check_id for check_id in entry.must_fail if check_id in known], _is_flow(wrong)))
    _indent(yaml, text)
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _node(entry: Entry, must_fail: Sequence[str], is_flow: bool) -> CommentedMap:
    checks = CommentedSeq(must_fail)
    checks.fa.set_flow_style()
    node = CommentedMap(
        dir=entry.dir, language=entry.language, reason=DoubleQuotedScalarString(entry.reason), must_fail=checks
    )
    if is_flow:
        node.fa.set_flow_style()
    return node


def _is_flow(wrong: Sequence[Any]) -> bool:
    """Return whether the author writes an entry on one line: also how the first one is written."""
    return not wrong or bool(isinstance(wrong[-1], CommentedMap) and wrong[-1].fa.flow_style())


def _indent(yaml: YAML, text: str) -> None:
    """Let lists be indented as in `text`."""
    found = re.search(r"^(?:checks|wrong|hints):[^\n]*\n(?:\s*#[^\n]*\n|\s*\n)*( *)-( +)", text, flags=re.MULTILINE)
    before, after = (len(found[1]), len(found[2])) if found else (2, 1)
    yaml.indent(mapping=2, sequence=before + 1 + after, offset=before)
