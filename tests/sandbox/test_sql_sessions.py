"""Kind sql: scripts sent statement by statement, several sessions side by side, and the locks that they hold."""

from __future__ import annotations

from sandbox.docker_box import DockerBox
from sandbox.outcome import Ended, Outcome
from tests.sandbox.jobs import sql_job

SCHEMA = "create table t (id int primary key, n int not null)"


def failed(
    docker_box: DockerBox, text: str, tests: str, *names: str, mode: str = "statements"
) -> tuple[Outcome, list[str]]:
    outcome = docker_box.run(sql_job(text, tests, *names, schema=SCHEMA, mode=mode), lambda _: None)
    return outcome, [check.id for check in outcome.checks if not check.passed]


def test_statements_are_sent_one_by_one(docker_box: DockerBox) -> None:
    tests = """
def test_state(sql):
    db = sql.database("insert into t values (1, 1)")
    db.run()
    assert db.query("select indisvalid from pg_index where indexrelid = 'built'::regclass") == [(True,)]
    assert db.query("select id, n from t order by id") == [(1, 2), (7, 7)]

def test_steps(sql):
    db = sql.database("insert into t values (1, 1)")
    session = db.session()
    seen = []
    while not session.done:
        seen.append(session.following[:6])
        assert session.step()
    assert seen == ["create", "begin", "update", "insert", "commit"] and session.fault is None
"""
    script = "create index concurrently built on t (n); begin; update t set n = 2; insert into t values (7, 7); commit;"
    assert failed(docker_box, script, tests, "test_state", "test_steps")[1] == []
    outcome, _ = failed(docker_box, script, tests, "test_state", mode="script")
    assert outcome.ended is Ended.NOT_LOADED
    assert "CONCURRENTLY" in outcome.detail


def test_a_statement_that_is_refused_ends_the_script_and_undoes_its_transaction(docker_box: DockerBox) -> None:
    tests = """
def test_run(sql):
    db = sql.database("insert into t values (2, 2)")
    session = db.session()
    assert session.go_on()
    assert session.done and session.fault.sqlstate == "23505"
    assert db.query("select id from t order by id") == [(1,), (2,)]

def test_cut_off(sql):
    db = sql.database()
    session = db.session()
    for _ in range(3):
        session.step()
    assert not session.idle
    session.close()
    assert session.done and session.fault is None
    assert db.query("select id from t") == [(1,)]

def test_left_open(sql):
    db = sql.database()
    db.run()
    assert db.query("select count(*) from t") == [(3,)]
"""
    script = "insert into t values (1, 1); begin; insert into t values (3, 3); insert into t values (2, 2);"
    assert failed(docker_box, script, tests, "test_run", "test_cut_off", "test_left_open")[1] == []


def test_what_a_session_waits_for_and_holds_is_seen(docker_box: DockerBox) -> None:
    tests = """
def test_locks(sql):
    db = sql.database()
    with db.client() as other:
        other.query("lock table t in row exclusive mode")
        session = db.session()
        assert session.setting("lock_timeout") == "0"
        assert session.step() and session.setting("lock_timeout") == "9000"
        assert session.step() and not session.idle
        assert not session.step()
        assert tuple(session.waits) == ("t", "AccessExclusiveLock")
        assert not session.step()
        other.rollback()
        assert session.step() and session.waits is None
        assert ("t", "AccessExclusiveLock") in session.holds
        try:
            other.query("select from t")
            raise AssertionError("it did not wait")
        except Exception as error:
            assert type(error).__name__ == "LockNotAvailable"
        other.rollback()
        assert session.go_on() and session.holds == set() and session.waits is None

def test_counters(sql):
    db = sql.database("insert into t select n, n from generate_series(1, 500) n")
    db.query("select pg_stat_force_next_flush()")
    session = db.session()
    before = session.touched("t")
    assert before.changed == 500
    for _ in range(3):
        session.step()
    assert session.touched("t") == before
    session.step()
    after = session.touched("t")
    assert (after.read - before.read >= 500, after.changed - before.changed) == (True, 10)
    session.go_on()
    assert session.touched("t").changed == 511
"""
    script = "set lock_timeout = '9s'; begin; alter table t add m int; commit; delete from t where id = 5"
    assert failed(docker_box, script, tests, "test_locks")[1] == []
    script = "set lock_timeout = 0; begin; update t set n = 0 where n <= 10; commit; delete from t where id = 5"
    assert failed(docker_box, script, tests, "test_counters")[1] == []


def test_scripts_run_at_the_same_time_and_each_says_how_it_went(docker_box: DockerBox) -> None:
    tests = """
def test_parallel(sql):
    db = sql.database()
    faults = db.parallel(4)
    assert [fault.sqlstate for fault in faults if fault] == ["23505"] * 3
    assert db.query("select id, n from t") == [(1, 0)]

def test_users(sql):
    db = sql.database()
    assert db.parallel([db.session(user=5), db.session(user=6)]).count(None) == 1
    assert db.query("select n from t") in ([(5,)], [(6,)])
"""
    script = "insert into t values (1, current_setting('app.user_id')::int)"
    assert failed(docker_box, script, tests, "test_parallel", "test_users")[1] == []


def test_steps_in_one_order_give_one_result(docker_box: DockerBox) -> None:
    tests = """
import pytest

@pytest.mark.parametrize("steps", range(5))
def test_lost_update(sql, steps):
    db = sql.database("insert into t values (1, 0)")
    one, two = db.session(), db.session()
    for _ in range(steps):
        one.step()
    two.go_on()
    one.go_on()
    two.go_on()
    assert one.done and two.done
    assert db.query("select n from t") == [(2,)]
"""
    script = "begin; select n from t where id = 1 for update; update t set n = n + 1; commit"
    assert failed(docker_box, script, tests, "test_lost_update")[1] == []
