"""Active days, streaks and the heat map."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.progress.activity import DAY, activity, days_of

TODAY = date(2026, 11, 22)  # a Sunday
DAYS = st.dictionaries(st.dates(date(2026, 5, 1), TODAY), st.integers(1, 12), max_size=40)


def active(*days_ago: int) -> dict[date, int]:
    return {TODAY - n * DAY: 1 for n in days_ago}


def test_an_attempt_at_half_past_eleven_utc_is_the_next_day_in_auckland() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert days_of([late], ZoneInfo("Pacific/Auckland")) == {date(2026, 3, 2): 1}
    assert days_of([late], ZoneInfo("UTC")) == {date(2026, 3, 1): 1}


def test_an_attempt_after_midnight_utc_is_the_day_before_in_new_york() -> None:
    early = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    assert days_of([early], ZoneInfo("America/New_York")) == {date(2026, 3, 1): 1}


def test_the_day_the_clocks_change_is_one_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before, after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert days_of([before, after], berlin) == {date(2026, 3, 29): 2}


def test_a_streak_counts_days_in_a_row_up_to_today() -> None:
    assert activity(active(0, 1, 2, 4), TODAY).streak == 3


def test_a_streak_is_not_lost_before_today_is_over() -> None:
    assert activity(active(1, 2), TODAY).streak == 2


def test_a_whole_day_without_an_attempt_ends_the_streak() -> None:
    assert activity(active(2, 3), TODAY).streak == 0


def test_the_longest_streak_may_be_long_ago() -> None:
    found = activity(active(0, 300, 301, 302), TODAY)
    assert (found.streak, found.longest_streak) == (1, 3)


def test_the_heat_map_begins_on_a_monday_and_ends_today() -> None:
    found = activity({}, date(2026, 11, 18), weeks=3)
    assert found.days[0].on == date(2026, 11, 2)
    assert found.days[0].weekday == 0
    assert found.days[-1].on == date(2026, 11, 18)
    assert (found.days[-1].week, found.days[-1].weekday) == (2, 2)


def test_levels_grow_with_the_attempts() -> None:
    counts = {TODAY - n * DAY: attempts for n, attempts in enumerate((0, 1, 2, 3, 4, 6, 7, 50))}
    assert [day.level for day in reversed(activity(counts, TODAY).days[-8:])] == [0, 1, 2, 2, 3, 3, 4, 4]


@given(DAYS)
def test_no_streak_is_longer_than_the_longest(counts: dict[date, int]) -> None:
    found = activity(counts, TODAY)
    assert 0 <= found.streak <= found.longest_streak <= len(counts)


@given(DAYS, st.integers(1, 40))
def test_the_heat_map_shows_each_day_once_with_its_attempts(counts: dict[date, int], weeks: int) -> None:
    found = activity(counts, TODAY, weeks=weeks)
    assert [day.on for day in found.days] == [found.days[0].on + n * DAY for n in range(len(found.days))]
    assert len({(day.week, day.weekday) for day in found.days}) == len(found.days)
    assert all(day.attempts == counts.get(day.on, 0) for day in found.days)
    assert found.attempts == sum(n for day, n in counts.items() if day >= found.days[0].on)
    assert found.active_days == len(found.latest_active)


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)), max_size=30))
def test_no_attempt_is_lost_between_time_zones(times: list[datetime]) -> None:
    for name in ("Pacific/Auckland", "Pacific/Pago_Pago", "Asia/Kathmandu"):
        assert days_of(times, ZoneInfo(name)).total() == len(times)
        assert all(
            abs(datetime.combine(day, datetime.min.time(), UTC) - time) < timedelta(days=3)
            for time in times
            for day in days_of([time], ZoneInfo(name))
        )
