"""Every route is listed here as public, or asks for an account. A new public route is a decision: list it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.security import is_public

PUBLIC = {
    "static",
    "accounts.landing",
    "accounts.register",
    "accounts.sign_in",
    "accounts.sign_out",
    "catalog.index",
    "catalog.random_exercise",
    "submissions.metrics",  # asks for a token of its own: tests/unit/submissions/test_metrics.py
    "submissions.solve",
}


def filled(rule: Rule) -> str:
    """Return an address that the rule answers to."""
    values = {name: 1 if "Integer" in type(kind).__name__ else "x" for name, kind in rule._converters.items()}
    _, path = rule.build(values) or ("", "")
    assert path, rule
    return path


def test_only_the_routes_listed_here_are_public(app: Flask) -> None:
    with app.app_context():
        marked = {rule.endpoint for rule in app.url_map.iter_rules() if is_public(rule.endpoint)}
    assert marked == PUBLIC


def test_every_other_route_sends_visitors_away(app: Flask, client: FlaskClient) -> None:
    private = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC]
    assert len(private) > 10
    open_to_all = []
    for rule in private:
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            page = client.open(filled(rule), method=method)
            script = client.open(filled(rule), method=method, headers={"Accept": "application/json"})
            if (page.status_code, script.status_code) != (303, 401) or "/sign-in" not in page.headers["Location"]:
                open_to_all.append((method, rule.rule, page.status_code, script.status_code))
    assert open_to_all == []


def test_every_instructor_route_refuses_learners(app: Flask, lena: FlaskClient) -> None:
    staff = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/instructor/")]
    assert staff
    let_in = [
        (method, rule.rule)
        for rule in staff
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
        if lena.open(filled(rule), method=method).status_code != 403
    ]
    assert let_in == []


@pytest.mark.parametrize(
    "path",
    [
        "/exercises",
        "/progress",
        "/cohorts",
        "/assignments",
        "/instructor/exercises",
        "/instructor/learners",
        "/instructor/cohorts",
    ],
)
def test_the_links_of_the_main_menu_lead_somewhere(ivan: FlaskClient, path: str) -> None:
    assert ivan.get(path).status_code == 200
