"""Figures, and the evidence that each of them opens to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.catalog.status import Status
from app.progress.evidence import Wanted, behind
from app.progress.figures import (
    AttemptFacts,
    ExerciseFacts,
    Figure,
    Result,
    Standing,
    by_skill,
    by_track,
    overall,
    standings,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("UTC")
TRACKS = ("apis", "auth", "sql")
SKILLS = ("joins", "pagination", "tokens")


def exercise(number: int, *, track: str = "sql", skills: tuple[str, ...] = ("joins",)) -> ExerciseFacts:
    return ExerciseFacts(
        id=number, track=track, slug=f"e{number}", title=f"E{number}", difficulty=1, minutes=10, skills=skills
    )


def attempt(
    number: int, *, at: datetime = START, of: int = 1, solved: bool = False, unaided: bool = False
) -> AttemptFacts:
    return AttemptFacts(submission_id=number, exercise_id=of, solved=solved, unaided=unaided, at=at)


def standing(*attempts: AttemptFacts) -> Standing:
    return standings([exercise(1)], attempts)[0]


exercises_strategy = st.lists(
    st.tuples(st.sampled_from(TRACKS), st.sets(st.sampled_from(SKILLS), min_size=1)), max_size=6
).map(lambda drawn: [exercise(n, track=track, skills=tuple(sorted(skills))) for n, (track, skills) in enumerate(drawn)])

outcomes = st.sampled_from([(False, False), (True, False), (True, True)])


@st.composite
def everything(draw: st.DrawFn) -> tuple[list[ExerciseFacts], list[AttemptFacts]]:
    exercises = draw(exercises_strategy)
    if not exercises:
        return [], []
    drawn = draw(st.lists(st.tuples(st.integers(0, len(exercises) - 1), outcomes, st.integers(0, 400)), max_size=25))
    attempts = [
        attempt(n, of=of, solved=solved, unaided=unaided, at=START + hours * HOUR)
        for n, (of, (solved, unaided), hours) in enumerate(drawn, start=1)
    ]
    return exercises, attempts


def rows(found: list[Standing], figure: Figure, result: Result | None, *, track: str = "", skill: str = "") -> int:
    return len(behind(found, Wanted(result=result, track=track, skill=skill), ZONE))


@given(everything())
def test_every_figure_is_the_number_of_rows_it_opens_to(facts: tuple[list[ExerciseFacts], list[AttemptFacts]]) -> None:
    found = standings(*facts)
    figures = [(overall(found), "", "")]
    figures += [(figure, figure.name, "") for figure in by_track(found)]
    figures += [(figure, "", figure.name) for figure in by_skill(found)]
    for figure, track, skill in figures:
        assert rows(found, figure, Result.TRIED, track=track, skill=skill) == figure.tried
        assert rows(found, figure, Result.SOLVED, track=track, skill=skill) == figure.solved
        assert rows(found, figure, Result.UNAIDED, track=track, skill=skill) == figure.unaided
        assert rows(found, figure, None, track=track, skill=skill) == figure.attempts


@given(everything())
def test_unaided_is_part_of_solved_is_part_of_tried(facts: tuple[list[ExerciseFacts], list[AttemptFacts]]) -> None:
    found = standings(*facts)
    for figure in [overall(found), *by_track(found), *by_skill(found)]:
        assert 0 <= figure.unaided <= figure.solved <= figure.tried <= figure.total
        assert figure.tried <= figure.attempts


@given(everything())
def test_the_tracks_add_up_to_the_whole(facts: tuple[list[ExerciseFacts], list[AttemptFacts]]) -> None:
    found = standings(*facts)
    tracks, whole = by_track(found), overall(found)
    assert sum(figure.total for figure in tracks) == whole.total
    assert sum(figure.solved for figure in tracks) == whole.solved
    assert sum(figure.attempts for figure in tracks) == whole.attempts == len(facts[1])


@given(everything())
def test_the_order_in_which_attempts_are_read_does_not_matter(
    facts: tuple[list[ExerciseFacts], list[AttemptFacts]],
) -> None:
    exercises, attempts = facts
    assert standings(exercises, attempts) == standings(exercises, reversed(attempts))


@given(everything())
def test_the_attempts_needed_end_with_the_first_that_solved(
    facts: tuple[list[ExerciseFacts], list[AttemptFacts]],
) -> None:
    for one in standings(*facts):
        assert 0 <= one.needed <= len(one.attempts)
        assert (one.needed > 0) == (one.status is Status.SOLVED)
        assert not any(attempt.solved for attempt in one.attempts[: max(0, one.needed - 1)])


def test_an_exercise_without_attempts_is_not_started() -> None:
    assert standing().status is Status.NOT_STARTED
    assert standing().needed == 0


def test_attempts_that_all_failed_make_it_tried() -> None:
    assert standing(attempt(1), attempt(2)).status is Status.TRIED


def test_the_first_solving_attempt_is_the_evidence() -> None:
    one = standing(attempt(1), attempt(2, at=START + HOUR, solved=True), attempt(3, at=START + 2 * HOUR, solved=True))
    assert one.needed == 2
    assert one.solving is not None
    assert one.solving.submission_id == 2


def test_solving_again_after_the_solution_was_opened_stays_unaided() -> None:
    again = attempt(2, at=START + HOUR, solved=True, unaided=False)
    assert standing(attempt(1, solved=True, unaided=True), again).unaided


def test_solved_with_help_is_not_unaided() -> None:
    one = standing(attempt(1, solved=True))
    assert one.status is Status.SOLVED
    assert not one.unaided
    assert one.shows(Result.UNAIDED) is None


def test_an_exercise_counts_for_each_of_its_skills() -> None:
    found = standings([exercise(1, skills=("joins", "tokens"))], [attempt(1, solved=True, unaided=True)])
    assert [(figure.name, figure.solved) for figure in by_skill(found)] == [("joins", 1), ("tokens", 1)]


def test_a_figure_knows_its_first_and_latest_attempt() -> None:
    figure = overall([standing(attempt(2, at=START + HOUR), attempt(1))])
    assert (figure.first_at, figure.last_at) == (START, START + HOUR)


def test_a_day_of_evidence_is_the_learners_day() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    found = [standing(attempt(1, at=late))]
    auckland = ZoneInfo("Pacific/Auckland")
    assert len(behind(found, Wanted(day=datetime(2026, 3, 2, tzinfo=UTC).date()), auckland)) == 1
    assert behind(found, Wanted(day=datetime(2026, 3, 1, tzinfo=UTC).date()), auckland) == []
    assert len(behind(found, Wanted(day=datetime(2026, 3, 1, tzinfo=UTC).date()), ZONE)) == 1


def test_evidence_comes_newest_first_and_says_which_attempt_it_was() -> None:
    found = [standing(attempt(1), attempt(2, at=START + HOUR))]
    assert [(one.attempt.submission_id, one.number) for one in behind(found, Wanted(exercise_id=1), ZONE)] == [
        (2, 2),
        (1, 1),
    ]
    assert behind(found, Wanted(exercise_id=2), ZONE) == []
