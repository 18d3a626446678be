"""Times as each person reads them: `{{ moment|local }}` and `{{ moment|local_day }}`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask
from flask_login import current_user
from markupsafe import Markup

UNLISTED = ("posix/", "right/", "Etc/", "SystemV/", "US/", "Factory", "localtime", "posixrules")


@cache
def time_zones() -> tuple[str, ...]:
    """Return the IANA names a person can choose from, sorted; UTC is one of them."""
    named = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(UNLISTED)}
    return ("UTC", *sorted(named))


def my_zone() -> ZoneInfo:
    """Return the time zone of whoever looks at this page; UTC for visitors."""
    return ZoneInfo(current_user.time_zone) if current_user.is_authenticated else ZoneInfo("UTC")


def local(moment: datetime, zone: ZoneInfo | None = None) -> Markup:
    """Return `<time>` with `moment` (aware) in `zone`, by default that of whoever looks: 22 Nov 2026, 14:03."""
    there = moment.astimezone(zone or my_zone())
    return _element(moment, f"{there.day} {there:%b %Y, %H:%M}", there.tzname() or "")


def local_day(moment: datetime, zone: ZoneInfo | None = None) -> Markup:
    """Return `<time>` with the day of `moment` (aware) in `zone`, by default that of whoever looks: 22 Nov 2026."""
    there = moment.astimezone(zone or my_zone())
    return _element(moment, f"{there.day} {there:%b %Y}", f"{there:%H:%M} {there.tzname() or ''}".strip())


def moment_of(wall_time: datetime, zone: ZoneInfo | None = None) -> datetime:
    """Return the moment, in UTC, at which clocks in `zone`, by default that of whoever asks, show `wall_time` (naive).

    Where clocks are set back it is the first of the two; where they skip it, the moment they would have shown it.
    """
    return wall_time.replace(tzinfo=zone or my_zone()).astimezone(UTC)


def wall_time_of(moment: datetime, zone: ZoneInfo | None = None) -> datetime:
    """Return what clocks in `zone`, by default that of whoever asks, show at `moment`: naive, whole minutes."""
    return moment.astimezone(zone or my_zone()).replace(tzinfo=None, second=0, microsecond=0)


def _element(moment: datetime, text: str, title: str) -> Markup:
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, title, text)


def init_app(app: Flask) -> None:
    """Add the filters."""
    app.add_template_filter(local, "local")
    app.add_template_filter(local_day, "local_day")
