"""When an assignment is open, and what a solution is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assignments.rules import Schedule, State, Timing, what_is_wrong

OPENS = datetime(2026, 3, 1, 8, tzinfo=UTC)
DUE = OPENS + timedelta(days=7)
CLOSES = DUE + timedelta(days=2)
SECOND = timedelta(seconds=1)
HALF = Schedule(opens_at=OPENS, due_at=DUE, closes_at=CLOSES, late_percent=50)
STRICT = replace(HALF, closes_at=None)

moments = st.datetimes(datetime(2026, 2, 1), datetime(2026, 5, 1), timezones=st.just(UTC))
schedules = st.builds(
    lambda opens, length, late, percent: Schedule(
        opens_at=opens,
        due_at=opens + length,
        closes_at=opens + length + late if late else None,
        late_percent=percent,
    ),
    moments,
    st.timedeltas(SECOND, timedelta(days=30)),
    st.none() | st.timedeltas(SECOND, timedelta(days=30)),
    st.integers(0, 100),
)


@pytest.mark.parametrize(
    ("schedule", "at", "state"),
    [
        (HALF, OPENS - SECOND, State.NOT_OPEN),
        (HALF, OPENS, State.OPEN),
        (HALF, DUE, State.OPEN),
        (HALF, DUE + SECOND, State.LATE),
        (HALF, CLOSES, State.LATE),
        (HALF, CLOSES + SECOND, State.CLOSED),
        (STRICT, DUE, State.OPEN),
        (STRICT, DUE + SECOND, State.CLOSED),
    ],
)
def test_an_assignment_opens_is_due_and_closes(schedule: Schedule, at: datetime, state: State) -> None:
    assert schedule.state(at) is state


@pytest.mark.parametrize(
    ("schedule", "solved_at", "points"),
    [
        (HALF, None, 0),
        (HALF, OPENS - SECOND, 9),  # solved before it opened
        (HALF, DUE, 9),
        (HALF, DUE + SECOND, 5),  # 4.5, rounded up
        (HALF, CLOSES + SECOND, 0),
        (STRICT, DUE + SECOND, 0),
        (replace(HALF, late_percent=0), CLOSES, 0),
        (replace(HALF, late_percent=100), CLOSES, 9),
    ],
)
def test_points_are_full_in_time_a_part_when_late_and_none_after_that(
    schedule: Schedule, solved_at: datetime | None, points: int
) -> None:
    assert schedule.points(9, solved_at) == points


def test_an_extension_moves_the_due_date_of_one_learner() -> None:
    more = HALF.extended(DUE + timedelta(days=1))
    assert more.timing(DUE + timedelta(days=1)) is Timing.IN_TIME
    assert more.timing(DUE + timedelta(days=1) + SECOND) is Timing.LATE
    assert more.closes_at == CLOSES


def test_an_extension_beyond_the_end_ends_with_itself() -> None:
    more = HALF.extended(CLOSES + timedelta(days=1))
    assert more.state(CLOSES + timedelta(days=1)) is State.OPEN
    assert more.state(CLOSES + timedelta(days=1) + SECOND) is State.CLOSED


def test_nobody_gets_less_time_by_an_extension() -> None:
    assert HALF.extended(DUE - timedelta(days=1)) == HALF
    assert HALF.extended(None) == HALF


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"due_at": OPENS}, "due_at"),
        ({"closes_at": DUE}, "closes_at"),
        ({"late_percent": 101}, "late_percent"),
        ({"late_percent": -1}, "late_percent"),
    ],
)
def test_times_that_do_not_fit_are_named_by_field(changed: dict[str, object], field: str) -> None:
    assert what_is_wrong(HALF) is None
    wrong = what_is_wrong(replace(HALF, **changed))  # type: ignore[arg-type]
    assert wrong is not None and wrong[0] == field and wrong[1].endswith(".")


@given(schedules, st.integers(0, 1000), moments)
def test_points_lie_between_nothing_and_all(schedule: Schedule, worth: int, solved_at: datetime) -> None:
    assert 0 <= schedule.points(worth, solved_at) <= worth


@given(schedules, st.integers(0, 1000), moments, moments)
def test_an_earlier_solution_is_never_worth_less(schedule: Schedule, worth: int, one: datetime, two: datetime) -> None:
    early, late = sorted((one, two))
    assert schedule.points(worth, early) >= schedule.points(worth, late)


@given(schedules, st.integers(0, 1000), moments, moments)
def test_an_extension_never_costs_points(schedule: Schedule, worth: int, solved_at: datetime, more: datetime) -> None:
    assert schedule.extended(more).points(worth, solved_at) >= schedule.points(worth, solved_at)


@given(schedules, moments, moments)
def test_states_follow_each_other(schedule: Schedule, one: datetime, two: datetime) -> None:
    order = list(State)
    early, late = sorted((one, two))
    assert order.index(schedule.state(early)) <= order.index(schedule.state(late))
