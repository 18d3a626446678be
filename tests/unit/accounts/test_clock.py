"""Times as each person reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.clock import local, local_day, time_zones
from app.accounts.models import User
from app.db import db
from app.security import public
from tests.conftest import Cast

pytestmark = pytest.mark.own_site

LATE = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


def test_a_time_is_written_in_the_zone_asked_for() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert local(LATE, tokyo) == '<time datetime="2026-11-22T23:30:00Z" title="JST">23 Nov 2026, 08:30</time>'
    assert local_day(LATE, tokyo) == '<time datetime="2026-11-22T23:30:00Z" title="08:30 JST">23 Nov 2026</time>'


def test_pages_write_times_in_the_zone_of_whoever_looks(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    app.jinja_env.from_string("")  # pages are compiled from text here
    app.add_url_rule("/clock", "clock", public(lambda: app.jinja_env.from_string("{{ late|local }}").render(late=LATE)))
    with app.app_context():
        person = db.session.get(User, cast.lena)
        assert person is not None
        person.time_zone = "America/New_York"
        db.session.commit()
    assert "22 Nov 2026, 18:30" in lena.get("/clock").text
    assert "22 Nov 2026, 23:30" in app.test_client().get("/clock").text


def test_every_zone_on_offer_exists_and_is_offered_once() -> None:
    zones = time_zones()
    assert len(zones) == len(set(zones)) > 300
    assert {"UTC", "Europe/Berlin", "Asia/Kolkata", "America/Argentina/Buenos_Aires"} <= set(zones)
    assert not [zone for zone in zones if zone.startswith(("posix", "right", "Etc"))]


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)), st.sampled_from(time_zones()))
def test_any_moment_can_be_written_in_any_zone(moment: datetime, zone: str) -> None:
    assert str(local(moment.replace(tzinfo=UTC), ZoneInfo(zone))).startswith("<time datetime=")
