"""Attempts of a class → its results."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.assignments.matrix import Column, Learner, LearnerAttempt, Row, cell_of, matrix
from app.assignments.rules import Timing
from app.progress.figures import AttemptFacts
from tests.unit.assignments.test_rules import CLOSES, DUE, HALF, OPENS, SECOND

LENA = Learner(id=1, name="Lena", email="lena@example.com")
OLAF = Learner(id=2, name="Olaf", email="olaf@example.com")
COLUMNS = tuple(Column(exercise_id=n, title=f"Exercise {n}", track="sql", slug=f"e{n}", points=10 * n) for n in (1, 2))


def facts(number: int, at: datetime, *, solved: bool = True, unaided: bool = True, exercise: int = 1) -> AttemptFacts:
    return AttemptFacts(submission_id=number, exercise_id=exercise, solved=solved, unaided=solved and unaided, at=at)


def rows(*attempts: tuple[int, AttemptFacts], extensions: dict[int, datetime] | None = None) -> list[Row]:
    sent = [LearnerAttempt(learner_id=learner, facts=each) for learner, each in attempts]
    return matrix(COLUMNS, [LENA, OLAF], sent, schedule=HALF, extensions=extensions or {})


def test_each_cell_holds_the_attempts_of_its_learner_at_its_exercise() -> None:
    lena, olaf = rows((1, facts(7, OPENS)), (2, facts(8, OPENS, exercise=2)), (3, facts(9, OPENS)))
    assert [cell.attempts for cell in lena.cells] == [1, 0]
    assert [cell.attempts for cell in olaf.cells] == [0, 1]
    assert (lena.points, olaf.points) == (10, 20)
    assert (lena.solved, olaf.solved) == (1, 1)


def test_the_first_solution_counts_and_the_latest_attempt_is_told() -> None:
    cell = cell_of([facts(3, DUE + SECOND, solved=False), facts(2, DUE), facts(1, OPENS, solved=False)], HALF, 10)
    assert cell.solving is not None and cell.solving.submission_id == 2
    assert cell.latest is not None and cell.latest.submission_id == 3
    assert (cell.points, cell.timing, cell.fell_back) == (10, Timing.IN_TIME, True)
    assert cell.result == "solved, latest failed"


def test_help_is_marked_and_costs_nothing() -> None:
    cell = cell_of([facts(1, OPENS, unaided=False)], HALF, 10)
    assert (cell.points, cell.assisted, cell.result) == (10, True, "solved, with help")


def test_late_and_too_late_are_said() -> None:
    assert cell_of([facts(1, CLOSES)], HALF, 10).result == "solved, late"
    too_late = cell_of([facts(1, CLOSES + SECOND)], HALF, 10)
    assert (too_late.points, too_late.result) == (0, "solved, too late")


def test_what_is_not_solved_is_tried_or_not_started() -> None:
    lena, _ = rows((1, facts(1, OPENS, solved=False)))
    assert [cell.result for cell in lena.cells] == ["tried", "not started"]
    assert lena.points == 0


def test_an_extension_is_for_one_learner() -> None:
    late = DUE + timedelta(hours=1)
    lena, olaf = rows((1, facts(1, late)), (2, facts(2, late)), extensions={1: late})
    assert (lena.points, olaf.points) == (10, 5)
    assert (lena.extended, olaf.extended) == (True, False)
    assert lena.due_at == late


attempts = st.lists(
    st.builds(
        lambda learner, exercise, number, solved, unaided, hours: (
            learner,
            facts(number, OPENS + timedelta(hours=hours), solved=solved, unaided=unaided, exercise=exercise),
        ),
        st.sampled_from([1, 2]),
        st.sampled_from([1, 2]),
        st.integers(1, 999),
        st.booleans(),
        st.booleans(),
        st.integers(-100, 400),
    ),
    max_size=30,
)


@given(attempts)
def test_the_order_of_attempts_changes_nothing_and_none_is_lost(sent: list[tuple[int, AttemptFacts]]) -> None:
    unique = list({each.submission_id: (learner, each) for learner, each in sent}.values())
    found = rows(*unique)
    assert found == rows(*reversed(unique))
    assert sum(cell.attempts for row in found for cell in row.cells) == len(unique)
    for row in found:
        assert all(0 <= cell.points <= column.points for cell, column in zip(row.cells, COLUMNS, strict=True))
