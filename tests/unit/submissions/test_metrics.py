"""What is shown of queue and pools, and to whom."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.db import db, now
from app.submissions import heartbeat
from config import TestConfig
from sandbox.shelf import PoolStatus, ShelfStatus

SHELF = ShelfStatus(label="box python driver.py 256 MiB", ready=2, target=3, memory_bytes=12 * 1024 * 1024)
POOL = asdict(PoolStatus(budget_bytes=1 << 30, warm=5, cold=1, shelves=(SHELF,)))
TOKEN = "a-token-of-the-monitoring"


@pytest.fixture
def watched(tmp_path: Path) -> Flask:
    """A site that is monitored and has one worker."""
    site = create_app(TestConfig(var_dir=tmp_path, metrics_token=TOKEN))
    with site.app_context():
        db.create_all()
        heartbeat.report_worker("w1", POOL, now())
    return site


def test_metrics_tell_of_the_queue_and_of_every_pool(watched: Flask) -> None:
    answer = watched.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'greenroom_submissions{stage="queued"} 0.0' in lines
    assert 'greenroom_pool_takes_total{made="ahead",worker="w1"} 5.0' in lines
    assert 'greenroom_pool_ready{sort="box python driver.py 256 MiB",worker="w1"} 2.0' in lines


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", f"Basic {TOKEN}", "Bearer ÿ"])
def test_without_the_token_there_are_no_metrics(watched: Flask, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert watched.test_client().get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize("header", ["Bearer ", "Bearer x"])
def test_a_site_without_a_token_shows_its_metrics_to_nobody(app: Flask, header: str) -> None:
    assert app.test_client().get("/metrics", headers={"Authorization": header}).status_code == 404


def test_the_command_shows_what_each_worker_holds_ready(watched: Flask) -> None:
    said = watched.test_cli_runner().invoke(args=["sandbox", "status"])
    assert said.exit_code == 0
    assert "5 taken ready, 1 made cold" in said.output
    assert "2 of 3     12.0 MiB  box python driver.py 256 MiB" in said.output
    told = json.loads(watched.test_cli_runner().invoke(args=["sandbox", "status", "--json"]).output)
    assert told["queue"] == {"queued": 0, "judging": 0}
    assert told["workers"][0]["pool"]["shelves"][0]["ready"] == 2


def test_the_command_says_when_no_worker_runs(app: Flask) -> None:
    said = app.test_cli_runner().invoke(args=["sandbox", "status"])
    assert said.exit_code == 1
    assert "No worker was heard of" in said.output
