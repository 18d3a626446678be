"""What a regrade would change, from the verdicts before and after. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.catalog.languages import language_title
from app.submissions.verdict import Verdict


class Change(StrEnum):
    """What becomes of one submission, in the order in which people want to see it."""

    LOSES = "loses credit"
    GAINS = "gains credit"
    VERDICT = "another verdict"
    CHECKS = "other checks"
    NOT_JUDGED = "not judged"  # the platform's fault, or stopped: it stays as it was
    UNFIT = "cannot be judged"  # its files are not those that the revision asks for
    SAME = "unchanged"


CHANGED = frozenset({Change.LOSES, Change.GAINS, Change.VERDICT, Change.CHECKS})
LEFT_OUT = frozenset({Change.NOT_JUDGED, Change.UNFIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChange:
    """A check that went otherwise. `before` is None where it was not run, or did not exist."""

    id: str
    before: bool | None
    after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One submission before and after."""

    submission_id: int
    learner_id: int
    learner: str  # empty: not for this reader to know
    before: str  # a verdict
    after: str | None  # None: there is none
    why_not: str  # not empty: it cannot be judged
    checks: tuple[CheckChange, ...]

    @property
    def change(self) -> Change:
        """What becomes of it."""
        if self.why_not:
            return Change.UNFIT
        if self.after is None or self.after == Verdict.JUDGE_ERROR:
            return Change.NOT_JUDGED
        if self.after != self.before:
            credit = {self.before: Change.LOSES, self.after: Change.GAINS}
            return credit.get(Verdict.ACCEPTED, Change.VERDICT)
        return Change.CHECKS if self.checks else Change.SAME

    @property
    def takes_over(self) -> bool:
        """Whether applying the regrade touches it."""
        return self.change not in LEFT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Solvers:
    """Learners whose exercise stops or starts being solved: another accepted submission keeps it so."""

    lost: frozenset[int]
    gained: frozenset[int]


def counts(compared: Iterable[Compared]) -> dict[Change, int]:
    """Return how many submissions there are of every sort of change."""
    found = Counter(one.change for one in compared)
    return {change: found[change] for change in Change}


def most_telling_first(compared: Iterable[Compared]) -> list[Compared]:
    """Return them in the order of Change, then by learner."""
    place = {change: number for number, change in enumerate(Change)}
    return sorted(compared, key=lambda one: (place[one.change], one.learner.casefold(), one.submission_id))


def solvers(accepted: Mapping[int, int], compared: Iterable[Compared]) -> Solvers:
    """Return whose exercise would change; `accepted` is submission → learner of all that are accepted now."""
    turned = {one.submission_id: one for one in compared if one.takes_over}
    before = set(accepted.values())
    after = {learner for submission, learner in accepted.items() if submission not in turned}
    after |= {one.learner_id for one in turned.values() if one.after == Verdict.ACCEPTED}
    return Solvers(lost=frozenset(before - after), gained=frozenset(after - before))


def unfit(*, language: str, before: Iterable[str], after: Iterable[str] | None) -> str:
    """Return why files named `before` cannot be judged where `after` are asked for; empty when they can.

    `after` is None where the revision does not offer the language.
    """
    if after is None:
        return f"This revision is not offered in {language_title(language)}."
    if sorted(before) == sorted(after):
        return ""
    return f"This revision asks for other files: {', '.join(after)}."
