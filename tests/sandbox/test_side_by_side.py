"""Checks that wait are judged side by side, and everything else about them is as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.docker_box import DockerBox
from sandbox.job import Check, Job
from sandbox.outcome import Ended, Event
from tests.sandbox.jobs import http_job
from tests.sandbox.test_docker_box import FLASK

MEETING = """
import time
from pathlib import Path

def meet(me, others, patience=10.0):
    # In the judge: whoever is judged after another never sees it come.
    Path("/tmp/" + me).touch()
    deadline = time.monotonic() + patience
    while not all(Path("/tmp/" + other).exists() for other in others):
        assert time.monotonic() < deadline
        time.sleep(0.01)
"""
PAIR = f"""{MEETING}
def test_first(start):
    srv = start(GREETING="first")
    meet("first", ["second"])
    assert srv.post("/count").json() == {{"n": 1, "greeting": "first"}}

def test_second(start):
    srv = start(GREETING="second")
    meet("second", ["first"])
    srv.restart()
    assert srv.post("/count").json() == {{"n": 1, "greeting": "second"}}
"""


def waiting(code: str, hidden: str, *names: str, also: tuple[Check, ...] = ()) -> Job:
    """Return an http job whose checks `names` wait; `also` do not."""
    job = http_job(code, hidden, *names)
    return replace(job, checks=(*also, *(replace(check, waits=True) for check in job.checks)))


@pytest.mark.parametrize("made", ["docker_box", "spliced_box"])
def test_two_that_wait_for_each_other_both_pass(made: str, request: pytest.FixtureRequest) -> None:
    box: DockerBox = request.getfixturevalue(made)
    events: list[Event] = []
    outcome = box.run(waiting(FLASK, PAIR, "test_first", "test_second"), events.append)
    assert (outcome.ended, outcome.reason) == (Ended.COMPLETED, "")
    assert {check.id: check.passed for check in outcome.checks} == {"first": True, "second": True}
    done = [event.data["done"] for event in events if event.name == "check.finished"]
    assert done == [1, 2]


def test_those_that_do_not_wait_come_first(docker_box: DockerBox) -> None:
    hidden = f"""{PAIR}
def test_alone(shared):
    assert shared().get("/health").text == "ok"

def test_many(start):
    assert start().post("/count").json()["n"] == 1
"""
    also = (Check(id="alone", test="test_alone"), Check(id="many", test="test_many"))
    outcome = docker_box.run(waiting(FLASK, hidden, "test_first", "test_second", also=also), lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert {check.id for check in outcome.checks[:2]} == {"alone", "many"}
    assert all(check.passed for check in outcome.checks)


def test_more_than_there_are_lanes_and_cases_of_one_check(docker_box: DockerBox) -> None:
    hidden = "import pytest\n" + "".join(
        f"@pytest.mark.parametrize('n', [1, 2])\ndef test_{name}(start, n):\n"
        "    srv = start()\n    assert [srv.post('/count').json()['n'] for _ in range(n)][-1] == n\n"
        for name in "abcdef"
    )
    outcome = docker_box.run(waiting(FLASK, hidden, *(f"test_{name}" for name in "abcdef")), lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert sorted(check.id for check in outcome.checks) == list("abcdef")
    assert all(check.passed for check in outcome.checks)


def test_one_that_fails_leaves_the_other_alone(docker_box: DockerBox) -> None:
    hidden = PAIR.replace('"greeting": "first"', '"greeting": "other"')
    outcome = docker_box.run(waiting(FLASK, hidden, "test_first", "test_second"), lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert {check.id: check.passed for check in outcome.checks} == {"first": False, "second": True}
    assert all(not check.message for check in outcome.checks)  # hidden ones tell nothing


def test_a_server_that_ends_is_one_check_s_matter(docker_box: DockerBox) -> None:
    code = FLASK.replace("def health():", "def health():\n    if os.environ.get('GREETING') == 'first': os._exit(3)")
    outcome = docker_box.run(waiting(code, PAIR.replace("10.0", "0.5"), "test_first", "test_second"), lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert {check.id: check.limit for check in outcome.checks} == {"first": "crash", "second": ""}
    assert not any(check.passed for check in outcome.checks)  # the second waited for the first in vain


def test_a_flood_in_one_ends_all(docker_box: DockerBox) -> None:
    code = FLASK.replace("def count():", "def count():\n    while True: print('x' * 100_000)")
    outcome = docker_box.run(waiting(code, PAIR, "test_first", "test_second"), lambda _: None)
    assert outcome.ended is Ended.TOO_MUCH_OUTPUT


def test_a_box_that_dies_ends_all(docker_box: DockerBox) -> None:
    # The server's parent is the shim, which runs as the same user.
    code = FLASK.replace("def count():", "def count():\n    os.kill(-1, 9)")
    outcome = docker_box.run(waiting(code, PAIR, "test_first", "test_second"), lambda _: None)
    assert outcome.ended in {Ended.CRASHED, Ended.OUT_OF_MEMORY}
    assert not any(check.passed for check in outcome.checks)


def test_a_lane_that_ends_early_is_the_judge_s_fault(docker_box: DockerBox) -> None:
    hidden = f"{PAIR}\ndef test_third(start):\n    import os; os._exit(0)\n"
    outcome = docker_box.run(waiting(FLASK, hidden, "test_first", "test_second", "test_third"), lambda _: None)
    assert outcome.ended is Ended.JUDGE_BROKE
    assert "lane" in outcome.reason


def test_large_bodies_cross_both_ways_in_several_lanes(docker_box: DockerBox) -> None:
    code = FLASK.replace("app.run", '@app.post("/echo")\ndef echo():\n    return request.get_data()\n\napp.run')
    hidden = MEETING + "".join(
        f"def test_{me}(start):\n    srv = start()\n    meet('{me}', ['{other}'])\n"
        f"    body = b'{me}' * 300_000\n    for _ in range(2):\n"
        "        assert srv.post('/echo', content=body).content == body\n"
        for me, other in (("one", "two"), ("two", "one"))
    )
    outcome = docker_box.run(waiting(code, hidden, "test_one", "test_two"), lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert all(check.passed for check in outcome.checks)
