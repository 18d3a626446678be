"""Notices: written with what they tell of, read by nobody else."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.db import db
from app.errors import NotFound
from app.notices import services
from tests.conftest import Cast


def told(app: Flask, person_id: int, text: str = "Your submission was regraded.", path: str = "/exercises") -> int:
    """Tell a person something; return the id of the notice."""
    with app.app_context():
        services.notify(person_id, "submission.regraded", text, path)
        db.session.commit()
        return services.latest(person_id)[0].id


@pytest.mark.both_databases
def test_opening_a_notice_counts_it_as_read_and_leads_on(app: Flask, cast: Cast) -> None:
    notice = told(app, cast.lena)
    with app.app_context():
        assert services.count_unread(cast.lena) == 1
        assert services.open_notice(cast.lena, notice) == "/exercises"
        first = services.latest(cast.lena)[0].read_at
        assert services.open_notice(cast.lena, notice) == "/exercises"
        assert services.latest(cast.lena)[0].read_at == first
        assert services.count_unread(cast.lena) == 0


def test_nobody_opens_the_notice_of_another(app: Flask, cast: Cast) -> None:
    notice = told(app, cast.lena)
    with app.app_context():
        with pytest.raises(NotFound):
            services.open_notice(cast.olaf, notice)
        assert services.count_unread(cast.lena) == 1


def test_reading_all_reads_ones_own(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    told(app, cast.lena), told(app, cast.lena), told(app, cast.olaf)
    assert lena.post("/notices/read").status_code == 303
    with app.app_context():
        assert (services.count_unread(cast.lena), services.count_unread(cast.olaf)) == (0, 1)


def test_every_page_counts_what_is_unread(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    assert "unread notices" not in lena.get("/exercises").text
    told(app, cast.lena, text="Ivan wrote <b>to you</b>.")
    assert "unread notices" in lena.get("/exercises").text
    page = lena.get("/notices").text
    assert "Ivan wrote &lt;b&gt;to you&lt;/b&gt;." in page


def test_a_notice_leads_nowhere_but_to_this_site(app: Flask, cast: Cast, lena: FlaskClient) -> None:
    notice = told(app, cast.lena, path="//elsewhere.example")
    assert lena.post(f"/notices/{notice}/open").headers["Location"].endswith("/notices")
