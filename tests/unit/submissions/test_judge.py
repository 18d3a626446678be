"""What the sandbox is asked to run for an exercise with services, and what its page says of them."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from app.catalog.format import restore
from app.submissions.judge import job_for
from app.submissions.models import Purpose
from tests.factories import make_exercise
from tests.unit.submissions.exercises import FILES

WITH_SERVICES = {
    **FILES,
    "exercise.yaml": FILES["exercise.yaml"]
    .replace("kind: calls", "kind: http\nservices: [redis, postgres, upstream]")
    .replace("{entry: app.py}", "{entry: app.py, run: python3 app.py}"),
}


def test_a_job_names_the_services_of_its_exercise() -> None:
    asked = {"language": "python", "files": {}, "purpose": Purpose.SUBMIT, "seed": 1, "job_id": "1"}
    assert job_for(restore(WITH_SERVICES), **asked).services == ("redis", "postgres", "upstream")  # type: ignore[arg-type]
    assert job_for(restore(FILES), **asked).services == ()  # type: ignore[arg-type]


def test_the_page_says_which_services_there_are(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for slug, files in (("with", WITH_SERVICES), ("without", FILES)):
            make_exercise("welcome", slug, files=files, kind="http", languages=["python"], title=slug)
    page = client.get("/exercises/welcome/with").text
    assert "Services: Redis 8, PostgreSQL 17, an HTTP service to call" in page
    assert "Services:" not in client.get("/exercises/welcome/without").text
