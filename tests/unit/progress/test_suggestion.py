"""What to do next, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.progress.figures import AttemptFacts, ExerciseFacts, Standing
from app.progress.suggestion import Suggestion, next_exercise

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def standing(number: int, track: str, *outcomes: bool, difficulty: int = 1, published: bool = True) -> Standing:
    """Return exercise `number` with one attempt per outcome; higher numbers were attempted later."""
    exercise = ExerciseFacts(
        id=number,
        track=track,
        slug=f"e{number}",
        title=f"E{number}",
        difficulty=difficulty,
        minutes=10,
        skills=("x",),
        published=published,
    )
    attempts = tuple(
        AttemptFacts(
            submission_id=number * 100 + n,
            exercise_id=number,
            solved=solved,
            unaided=solved,
            at=START + timedelta(days=number, minutes=n),
        )
        for n, solved in enumerate(outcomes)
    )
    return Standing(exercise=exercise, attempts=attempts)


def suggested(*standings: Standing) -> Suggestion:
    found = next_exercise(standings)
    assert found is not None
    return found


def test_a_newcomer_is_sent_to_the_welcome_exercise() -> None:
    assert suggested(standing(1, "apis"), standing(2, "welcome", difficulty=2)).exercise.id == 2


def test_a_newcomer_without_a_welcome_exercise_gets_the_easiest() -> None:
    assert suggested(standing(1, "apis", difficulty=3), standing(2, "sql", difficulty=2)).exercise.id == 2


def test_the_exercise_tried_last_and_not_solved_comes_first() -> None:
    found = suggested(standing(1, "apis", False), standing(2, "sql", False, False), standing(3, "sql"))
    assert found.exercise.id == 2
    assert found.reason == "You tried it 2 times and have not solved it yet."


def test_after_that_the_easiest_not_started_in_the_weakest_track() -> None:
    found = suggested(
        standing(1, "apis", True),
        standing(2, "apis"),
        standing(3, "sql", difficulty=3),
        standing(4, "sql", difficulty=2),
    )
    assert found.exercise.id == 4
    assert "0 of 2" in found.reason


def test_a_track_with_nothing_left_to_start_is_never_the_weakest() -> None:
    assert suggested(standing(1, "apis", True), standing(2, "sql")).exercise.id == 2


def test_a_withdrawn_exercise_is_never_suggested() -> None:
    found = suggested(standing(1, "apis", False, published=False), standing(2, "apis"))
    assert found.exercise.id == 2


def test_there_is_nothing_next_when_all_is_solved() -> None:
    assert next_exercise([standing(1, "apis", True)]) is None


def test_there_is_nothing_next_without_exercises() -> None:
    assert next_exercise([]) is None
