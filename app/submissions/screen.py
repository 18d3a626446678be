"""What the solve screen and the submission page show, gathered in one place each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from markupsafe import Markup

from app.catalog.models import Exercise
from app.catalog.services import find, markdown_html, source_of, statement_html
from app.catalog.spec import ExerciseSpec
from app.db import now
from app.errors import Conflict, Invalid, NotFound
from app.progress.services import has_solved, help_opened, open_hint, open_solution
from app.submissions.closing import OPEN, Closing, closing_for, refuse_closed_hints, refuse_closed_solution
from app.submissions.drafts import SavedDraft, draft_of, language_of, starter_of
from app.submissions.line import place_in_line
from app.submissions.lookup import history, latest, stalled
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.results import Banner, GroupCount, ShownCheck, banner, group_counts, shown_checks

MODES = {".py": "python", ".js": "javascript", ".json": "javascript", ".sql": "sql"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """An exercise as one visitor sees it. What belongs to an account is empty for anonymous visitors."""

    exercise: Exercise
    spec: ExerciseSpec
    statement: Markup
    draft: SavedDraft
    visible_tests: Mapping[str, str]
    can_run: bool
    hints: tuple[str, ...] = ()  # those already opened
    solved: bool = False
    gave_up: bool = False
    solution: Mapping[str, str] = field(default_factory=dict)
    notes: Markup = field(default_factory=Markup)
    history: tuple[Submission, ...] = ()
    result: Result | None = None
    closing: Closing = OPEN

    @property
    def modes(self) -> dict[str, str]:
        """The editor's mode for each file of the draft."""
        return {path: MODES.get(PurePosixPath(path).suffix, "") for path in self.draft.files}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where a submission is and, once judged, how it went."""

    submission: Submission
    place: int = 0
    stalled: bool = False
    banner: Banner | None = None
    checks: tuple[ShownCheck, ...] = ()
    counts: tuple[GroupCount, ...] = ()


def visitor_screen(track: str, slug: str, language: str | None) -> Screen:
    """Return the screen for somebody without an account. Raises NotFound."""
    exercise = find(track, slug)
    chosen = _chosen(exercise, language) or exercise.languages[0]
    files = starter_of(exercise, chosen)
    return _screen(exercise, SavedDraft(language=chosen, version=0, files=files, saved_at=None))


def learner_screen(learner_id: int, track: str, slug: str, language: str | None) -> Screen:
    """Return the learner's screen, in `language` or the one they last wrote in. Raises NotFound."""
    exercise = find(track, slug, learner_id)
    chosen = _chosen(exercise, language) or language_of(learner_id, exercise)
    draft = draft_of(learner_id, exercise, chosen)
    opened = {each.position for each in help_opened(learner_id, exercise.id)}
    solved, gave_up = has_solved(learner_id, exercise.id), 0 in opened
    last = latest(learner_id, exercise.id)
    return _screen(
        exercise,
        draft,
        opened=frozenset(opened),
        solved=solved,
        gave_up=gave_up,
        history=tuple(history(learner_id, exercise.id)),
        result=result_of(last) if last else None,
        closing=closing_for(learner_id, exercise.id, now()),
    )


def _screen(
    exercise: Exercise,
    draft: SavedDraft,
    *,
    opened: frozenset[int] = frozenset(),
    closing: Closing = OPEN,
    **known: object,
) -> Screen:
    assert exercise.current is not None, "only published exercises are found"
    source = source_of(exercise.current)
    unlocked = bool(known.get("solved") or known.get("gave_up")) and closing.solution_until is None
    return Screen(
        exercise=exercise,
        spec=source.spec,
        statement=statement_html(exercise.current),
        draft=draft,
        visible_tests=source.visible_tests(),
        can_run=any(check.visible for check in source.spec.checks),
        hints=tuple(hint for number, hint in enumerate(source.spec.hints, start=1) if number in opened),
        solution=source.solution(draft.language) if unlocked else {},
        notes=markdown_html(source.notes) if unlocked else Markup(),
        closing=closing,
        **known,  # type: ignore[arg-type]  # the fields of Screen that learner_screen fills
    )


def _chosen(exercise: Exercise, language: str | None) -> str | None:
    if language is not None and language not in exercise.languages:
        raise NotFound("This exercise is not offered in that language.")
    return language


def result_of(submission: Submission) -> Result:
    """Return where `submission` is and how it went, in the words of the revision that judged it."""
    if submission.stage != Stage.JUDGED:
        queued = submission.stage == Stage.QUEUED
        place = place_in_line(submission.id) if queued else 0
        return Result(submission=submission, place=place, stalled=queued and stalled(submission, now()))
    source = source_of(submission.results_of)
    specs = source.checks(visible_only=submission.purpose == Purpose.RUN)
    checks = shown_checks(specs, submission.checks)
    return Result(
        submission=submission,
        banner=banner(submission, checks, source.spec.limits),
        checks=tuple(checks) if submission.checks else (),
        counts=tuple(group_counts(checks)) if submission.checks else (),
    )


def next_hint(learner_id: int, track: str, slug: str, position: int) -> None:
    """Open hint `position` for the learner: the next one, or one already open. Commits.

    Raises NotFound, Conflict, and Forbidden while hints are closed.
    """
    exercise = find(track, slug, learner_id)
    assert exercise.current is not None, "only published exercises are found"
    opened = sum(each.position > 0 for each in help_opened(learner_id, exercise.id))
    if not 1 <= position <= len(source_of(exercise.current).spec.hints):
        raise NotFound("There is no such hint.")
    refuse_closed_hints(learner_id, exercise.id, now())
    if position > opened + 1:
        raise Conflict("Hints are opened one at a time.")
    open_hint(learner_id, exercise.id, position)


def give_up(learner_id: int, track: str, slug: str, *, sure: bool) -> None:
    """Open the solution for the learner, which is recorded as help. Commits.

    Raises NotFound, Invalid unless `sure`, and Forbidden while the solution is closed.
    """
    exercise = find(track, slug, learner_id)
    if not sure:
        raise Invalid("Confirm that you want to see the solution.", "sure")
    refuse_closed_solution(learner_id, exercise.id, now())
    open_solution(learner_id, exercise.id)
