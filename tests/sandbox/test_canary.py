"""With the real sandbox: a submission that tells all it can reach, and then every page is searched for canaries."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db import db
from app.submissions.models import Submission
from app.submissions.worker import work_once
from sandbox.docker_box import DockerBox
from tests.canary import EVERY, HIDDEN, RIGHT, SOLUTION, SPY, URL, WRONG, echo_exercise, everything, found, send
from tests.conftest import Cast


@pytest.fixture
def exercise_id(app: Flask) -> int:
    """The exercise, published."""
    with app.app_context():
        return echo_exercise()


def judged(app: Flask, box: DockerBox, sent: int) -> str:
    """Judge what waits and return the verdict of submission `sent`."""
    with app.app_context():
        while work_once(app, box, "worker"):
            pass
        return str(db.session.scalar(select(Submission.verdict).where(Submission.id == sent)))


def test_what_a_spy_tells_holds_nothing_hidden(
    app: Flask, cast: Cast, lena: FlaskClient, olaf: FlaskClient, exercise_id: int, docker_box: DockerBox
) -> None:
    assert judged(app, docker_box, send(lena, SPY, "run")) == "accepted"
    assert "CALLED WITH hello" in lena.get(URL).text  # of a visible check it may tell everything
    assert judged(app, docker_box, send(lena, SPY, "submit")) == "wrong answer"
    assert judged(app, docker_box, send(lena, WRONG, "submit")) == "wrong answer"
    assert found(everything(app, lena, cast.lena), EVERY) == []

    assert judged(app, docker_box, send(lena, RIGHT, "submit")) == "accepted"
    assert all(secret in lena.get(URL).text for secret in SOLUTION.values())
    still = {name: secret for name, secret in HIDDEN.items() if name not in {"input", "expected"}}
    assert found(everything(app, lena, cast.lena), still) == []
    assert found(everything(app, olaf, cast.olaf), EVERY) == []
