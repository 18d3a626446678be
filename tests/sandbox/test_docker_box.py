"""What only the real engine can show."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from sandbox.docker_box import DockerBox
from sandbox.doctor import Report
from sandbox.errors import JobRefused, LimitsUnproven
from sandbox.job import Check, Limits
from sandbox.outcome import CheckOutcome, Ended
from tests.sandbox.jobs import ADD, calls_job, http_job, sql_job, suite

FLASK = """
import os
from flask import Flask, jsonify, request
app = Flask(__name__)
path = os.environ["STATE_DIR"] + "/count"

@app.get("/health")
def health():
    return "ok"

@app.post("/count")
def count():
    n = int(open(path).read()) + 1 if os.path.exists(path) else 1
    open(path, "w").write(str(n))
    return jsonify(n=n, greeting=os.environ.get("GREETING", "none"))

app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
"""
HTTP_TESTS = """
def test_state_survives_a_restart(start):
    srv = start(GREETING="hello")
    assert srv.post("/count").json() == {"n": 1, "greeting": "hello"}
    srv.restart(GREETING="again")
    assert srv.post("/count").json() == {"n": 2, "greeting": "again"}

def test_a_fresh_server_has_no_state(start):
    assert start().post("/count").json()["n"] == 1

def test_parallel(shared):
    srv = shared()
    assert {r.status_code for r in srv.parallel(8, lambda i: srv.get("/health"))} == {200}

def test_raw(shared):
    assert shared().raw(b"GET /health HTTP/1.0\\r\\n\\r\\n").startswith(b"HTTP/1.1 200")
"""
HTTP_NAMES = ("test_state_survives_a_restart", "test_a_fresh_server_has_no_state", "test_parallel", "test_raw")


def test_no_learner_code_runs_before_the_limits_are_proven() -> None:
    with pytest.raises(LimitsUnproven, match="doctor"):
        DockerBox().run(calls_job(ADD), lambda _: None)


def test_every_limit_bites_on_this_engine(examination: Report) -> None:
    assert [p for p in examination.probes if not p.passed] == []
    assert len(examination.probes) >= 13


def test_a_visible_check_tells_all_and_a_hidden_one_nothing(docker_box: DockerBox) -> None:
    outcome = docker_box.run(calls_job("def add(a, b):\n    print('adding', a, b)\n    return 0\n"), lambda _: None)
    told = {c.id: c for c in outcome.checks}
    assert (told["small"].actual, told["small"].expected) == ("0", "3")
    assert told["small"].steps == ("add(1, 2) → 0",)
    assert told["small"].output == "adding 1 2\n"
    for hidden in ("large", "text"):
        assert told[hidden] == CheckOutcome(id=hidden, passed=False)
    assert "canary" not in repr(outcome)


def test_checks_run_in_an_order_drawn_from_the_seed_visible_ones_first(docker_box: DockerBox) -> None:
    tests = "".join(f"def test_{n}(solution):\n    pass\n" for n in range(6))
    checks = tuple(Check(id=str(n), test=f"test_{n}") for n in range(6))
    orders = {
        tuple(c.id for c in docker_box.run(calls_job(suite=suite(hidden=tests), checks=checks, seed=s), print).checks)
        for s in (1, 2, 3)
    }
    assert len(orders) > 1


def test_a_parametrised_check_passes_only_when_all_its_cases_do(docker_box: DockerBox) -> None:
    tests = """
import pytest
@pytest.mark.parametrize("n", [1, 2, 3])
def test_n(solution, n):
    assert solution.add(n, 0) == 1
"""
    job = calls_job(suite=suite(hidden=tests), checks=(Check(id="n", test="test_n"),))
    assert [c.passed for c in docker_box.run(job, print).checks] == [False]


@pytest.mark.parametrize(
    "tests",
    ["def test_other(solution): pass", "import nothing_of_this_name\ndef test_n(solution): pass", "def test_n(:"],
    ids=["missing test", "import error", "syntax error"],
)
def test_a_broken_suite_is_the_platforms_fault(docker_box: DockerBox, tests: str) -> None:
    job = calls_job(suite=suite(hidden=tests), checks=(Check(id="n", test="test_n"),))
    outcome = docker_box.run(job, print)
    assert outcome.ended is Ended.JUDGE_BROKE
    assert outcome.reason
    assert outcome.detail == ""


def test_a_skipped_check_is_not_passed(docker_box: DockerBox) -> None:
    tests = "import pytest\ndef test_n(solution):\n    pytest.skip('no')\n"
    job = calls_job(suite=suite(hidden=tests), checks=(Check(id="n", test="test_n"),))
    assert [c.passed for c in docker_box.run(job, print).checks] == [False]


def test_objects_keep_their_state_and_a_restart_forgets_it(docker_box: DockerBox) -> None:
    code = "class Box:\n    def __init__(self, n): self.n = n\n    def more(self): self.n += 1; return self.n\n"
    tests = """
import pytest
from sandbox.judge import Fault
def test_n(solution):
    box = solution.new("Box", 3)
    assert box.more() == 4 and box.many([("more",), ("absent",), ("more",)])[2] == 6
    solution.restart()
    with pytest.raises(Fault):
        box.more()
    assert solution.new("Box", 1).more() == 2
"""
    job = calls_job(code, suite=suite(hidden=tests), checks=(Check(id="n", test="test_n"),))
    assert [c.passed for c in docker_box.run(job, print).checks] == [True]


def test_a_server_is_started_restarted_and_asked_in_parallel(docker_box: DockerBox) -> None:
    outcome = docker_box.run(http_job(FLASK, HTTP_TESTS, *HTTP_NAMES), lambda _: None)
    assert (outcome.ended, [c.id for c in outcome.checks if not c.passed]) == (Ended.COMPLETED, [])


def test_a_server_that_never_comes_up_fails_each_check_by_crash(docker_box: DockerBox) -> None:
    outcome = docker_box.run(http_job("raise SystemExit(3)\n", HTTP_TESTS, *HTTP_NAMES), lambda _: None)
    assert {(c.passed, c.limit) for c in outcome.checks} == {(False, "crash")}


def test_a_query_is_compared_on_rows_plan_and_pages(docker_box: DockerBox) -> None:
    tests = """
def test_rows(sql):
    db = sql.database("insert into t values (1, 'a'), (2, null)")
    db.fill("t", [(3, "c")])
    result = db.run(time_zone="Asia/Tokyo")
    assert result.columns == ["id", "name"] and result.rows == [(1, "a"), (2, None), (3, "c")]
    assert db.query("select count(*) from t") == [(3,)]

def test_plan(sql):
    db = sql.database("insert into t select n, 'x' from generate_series(1, 5000) n")
    plan = db.plan()
    assert plan.rows_flow == 5000 and plan.pages > 10 and "Sort" in plan.types
    assert db.plan("select * from t where id = 7").pages > 0
"""
    job = sql_job("select id, name from t order by id -- all\n;", tests, "test_rows", "test_plan",
                  schema="create table t (id int, name text)")  # fmt: skip
    outcome = docker_box.run(job, lambda _: None)
    assert (outcome.ended, [c.id for c in outcome.checks if not c.passed]) == (Ended.COMPLETED, [])


def test_a_script_changes_the_state_that_is_looked_at(docker_box: DockerBox) -> None:
    tests = """
def test_state(sql):
    db = sql.database("insert into t values (1)")
    db.run()
    assert db.query("select id, added from t") == [(1, 5)]
"""
    job = sql_job("alter table t add added int; update t set added = 5;", tests, "test_state",
                  schema="create table t (id int)", mode="script")  # fmt: skip
    assert [c.passed for c in docker_box.run(job, lambda _: None).checks] == [True]


@pytest.mark.parametrize(
    ("text", "message"),
    [("select from where", "syntax error"), ("select nothing from t", "does not exist"), ("", "syntax error"),
     ("select 1; select 2", "multiple commands"), ("delete from t", "syntax error")],
)  # fmt: skip
def test_a_statement_that_postgresql_refuses_is_not_loaded_with_its_message(
    docker_box: DockerBox, text: str, message: str
) -> None:
    job = sql_job(text, "def test_n(sql):\n    sql.database().run()\n", "test_n", schema="create table t (id int)")
    outcome = docker_box.run(job, lambda _: None)
    assert outcome.ended is Ended.NOT_LOADED
    assert message in outcome.detail


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"kind": "quiz"}, "kind must be one of"), ({"kind": "http"}, "command"), ({"kind": "sql"}, "mode")],
)
def test_a_job_that_its_kind_cannot_run_is_refused(
    docker_box: DockerBox, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(JobRefused, match=message):
        docker_box.run(calls_job(ADD, **changes), lambda _: None)


def test_what_a_killed_process_left_is_swept_and_the_living_are_spared(docker_box: DockerBox) -> None:
    code = """
import json, sys
from sandbox import container
from sandbox.docker_box import DockerBox
from sandbox.images import image_name
from sandbox.job import Limits
box = DockerBox()
left = container.create(box.engine, image_name("python"), ("sleep", "60"), container.box_role(Limits()))
left.start()
print(json.dumps(left.id), flush=True)
"""
    left = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    spared = docker_box.engine().containers.list(all=True, filters={"id": left})
    assert len(spared) == 1
    assert docker_box.sweep() >= 1
    assert docker_box.engine().containers.list(all=True, filters={"id": left}) == []


def test_facts_of_a_job_are_measured_from_outside(docker_box: DockerBox) -> None:
    code = "held = bytearray(64 * 1024 * 1024)\ndef add(a, b):\n    return a + b\n"
    limits = Limits(wall_time=timedelta(seconds=20), memory_bytes=256 * 1024 * 1024)
    outcome = docker_box.run(calls_job(code, limits=limits), lambda _: None)
    assert outcome.ended is Ended.COMPLETED
    assert outcome.max_memory_bytes > 64 * 1024 * 1024
    assert outcome.wall_time > timedelta()
    assert outcome.cpu_time > timedelta()
