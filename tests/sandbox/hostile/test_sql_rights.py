"""Kind sql: what exactly PostgreSQL refuses, what a refused statement is told, and what the judge survives."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from sandbox.job import MIB, Check, Job, Limits
from sandbox.outcome import Ended
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import CANARY, accepted, passed
from tests.sandbox.jobs import sql_job, suite

PATIENT = Limits(wall_time=timedelta(seconds=60), memory_bytes=256 * MIB)
SHORT = dataclasses.replace(PATIENT, wall_time=timedelta(seconds=8))
SCHEMA = """
create table t (id int primary key, name text);
create table parents (id int primary key);
create table children (parent int references parents deferrable initially deferred);
"""
QUERY = f"""
def test_rows(sql):
    db = sql.database("insert into t values (1, '{CANARY}')")
    assert db.run().rows == [(1, "{CANARY}")], "{CANARY}"

def test_none(sql):
    assert sql.database().run().rows == []
"""
SCRIPT = f"""
def test_added(sql):
    db = sql.database("insert into t values (1, '{CANARY}')")
    db.run()
    assert db.query("select added from t where name = '{CANARY}'") == [(5,)], "{CANARY}"

def test_who(sql):
    db = sql.database("insert into t values (1, '{CANARY}')")
    db.run()
    db.query("insert into t (id) values (7)")
    assert db.query("select count(*) from t") == [(2,)]
    assert db.query("select rolsuper from pg_roles where rolname in ('learner', 'judge')") == [(False,), (False,)]
"""
RIGHT = "alter table t add added int; update t set added = 5;"


def query_job(text: str, limits: Limits = PATIENT) -> Job:
    """Return a job that judges a query which should return table t."""
    return sql_job(text, QUERY, "test_rows", "test_none", schema=SCHEMA, limits=limits)


def script_job(text: str, limits: Limits = PATIENT, tests: str = SCRIPT, *names: str) -> Job:
    """Return a job that judges a script which should add a column to t."""
    names = names or ("test_added", "test_who")
    return sql_job(text, tests, *names, schema=SCHEMA, mode="script", limits=limits)


def test_the_honest_are_accepted(hostile: Range) -> None:
    for job in (query_job("select id, name from t"), script_job(RIGHT)):
        assert accepted(hostile.run(job), job)


REFUSED_QUERIES = {
    "a file's facts": ("select pg_stat_file('/etc/passwd')", "permission denied for function"),
    "a new large object": ("select lo_from_bytea(0, 'x')", "read-only transaction"),
    "the settings' file": ("select pg_reload_conf()", "permission denied for function"),
    "sleep by another name": ("select pg_sleep_for('10 minutes')", "permission denied for function"),
    "another server": ("select * from dblink('dbname=postgres', 'select 1') as x(a int)", "does not exist"),
    "the end of the cursor": ("select 1); commit; --", "syntax error"),
    "an open comment": ("select 1 /*", "unterminated"),
    "an open quote": ("select 'x", "unterminated"),
    "a write inside": ("with w as (insert into t values (9) returning id) select * from w", "must not contain"),
    "a new table": ("select 1 as a into stolen", "INTO is not allowed"),
    "a lock": ("select * from t for update", "read-only transaction"),
    "a table of another's": ("select * from pg_largeobject", "permission denied for table"),
    "the judge's statements": (
        "select pg_cancel_backend(pid) from pg_stat_activity where usename in ('judge', 'postgres')",
        "permission denied to cancel",
    ),
    "another role": ("select set_config('role', 'postgres', false)", "permission denied to set role"),
    "another identity": ("select set_config('session_authorization', 'judge', false)", "permission denied to set"),
    "a library": ("select set_config('session_preload_libraries', 'x', false)", "permission denied to set"),
    "the limit of files": ("select set_config('temp_file_limit', '-1', false)", "permission denied to set"),
    "writing": ("select set_config('transaction_read_only', 'off', false)", "must be set before any query"),
    "a number too long to read": ("select repeat('9', 5000)::json", "cannot read"),
    "a span too long to read": ("select '2000000000 days'::interval", "interval"),
    "a day before all days": ("select '4713-01-01 BC'::date", "date too small"),
    "half a character": ("select U&'\\D800'", "surrogate"),
    "bytes that are no text": ("select convert_from('\\xff', 'UTF8')", "invalid byte"),
    "a character set of its own": ("select set_config('client_encoding', 'MULE_INTERNAL', false)", "client_encoding"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED_QUERIES.values(), ids=REFUSED_QUERIES.keys())
def test_a_query_is_refused_before_any_hidden_row_is_there(hostile: Range, text: str, message: str) -> None:
    outcome = hostile.run(query_job(text))
    assert outcome.ended is Ended.NOT_LOADED
    assert message in outcome.detail
    assert outcome.checks == ()


HUNGRY_QUERIES = {
    "its own timeout lifted": (
        "select count(set_config('statement_timeout', '0', false)) from (select generate_series(1, 1e12)) x",
        {Ended.OUT_OF_TIME},
    ),
    "a huge array": (
        "select array_agg(n) from (select generate_series(1, 1000000000) n) x",
        {Ended.OUT_OF_MEMORY, Ended.OUT_OF_TIME, Ended.NOT_LOADED},  # or no array may be that large
    ),
    "memory of its own choice": (
        "select set_config('work_mem', '2GB', false), (select count(*) from"
        " (select distinct md5(n::text) from generate_series(1, 50000000) n) x)",
        {Ended.OUT_OF_MEMORY, Ended.OUT_OF_TIME, Ended.NOT_LOADED},  # or the limit of temporary files
    ),
    "many large rows": ("select repeat('x', 1000000) from generate_series(1, 50000)", {Ended.NOT_LOADED}),
    "many rows": ("select n from generate_series(1, 60000) n", {Ended.TOO_MUCH_OUTPUT}),
    "large rows": ("select repeat('x', 1000000) from generate_series(1, 20)", {Ended.TOO_MUCH_OUTPUT}),
}


@pytest.mark.parametrize(("text", "ends"), HUNGRY_QUERIES.values(), ids=HUNGRY_QUERIES.keys())
def test_a_query_that_takes_too_much_is_at_fault_itself(hostile: Range, text: str, ends: set[Ended]) -> None:
    outcome = hostile.run(query_job(text, SHORT if Ended.OUT_OF_TIME in ends else PATIENT))
    assert outcome.ended in ends
    assert passed(outcome) == set()


REFUSED_SCRIPTS = {
    "another identity": ("set session authorization postgres", "permission denied to set session"),
    "more rights for the judge": ("alter role judge superuser", "permission denied to alter role"),
    "the judge's end": ("drop role judge", "permission denied to drop role"),
    "what the judge owns": ("reassign owned by judge to learner", "permission denied to reassign"),
    "the server's settings": ("alter system set shared_preload_libraries = 'x'", "permission denied"),
    "another database's settings": ("alter database postgres set search_path = public", "must be owner"),
    "another database": ("create database mine", "permission denied to create database"),
    "a temporary table": ("create temporary table t (id int)", "permission denied to create temporary"),
    "a function in PL/pgSQL": (
        "create function f() returns int language plpgsql as 'begin end'",
        "permission denied for language plpgsql",
    ),
    "a function in C": (
        "create function f() returns int language c as 'libc', 'system'",
        "permission denied for language c",
    ),
    "an aggregate": (
        "create aggregate public.count(int) (sfunc = int4pl, stype = int, initcond = '0')",
        "functions are not allowed",
    ),
    "a policy": ("create policy x on t using (true)", "policies are not allowed"),
    "a file": ("copy t (name) from '/etc/passwd'", "permission denied to COPY from a file"),
    "a library": ("load 'auto_explain'", "is not allowed"),
    "a transaction for later": ("begin; lock table t; prepare transaction 'x'", "prepared transactions are disabled"),
    "a violation put off to the end": ("begin; insert into children values (1)", "foreign key"),
    "rows from nowhere": ("copy t from stdin", "COPY cannot be used"),
    "rows to nowhere": ("copy t to stdout", "COPY cannot be used"),
    "the catalogue": ("update pg_class set relname = 'x'", "permission denied for table"),
    "a name in the catalogue": ("create view pg_catalog.mine as select 1", "permission denied for schema"),
    "others' sessions": (
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'judge'",
        "permission denied to terminate",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED_SCRIPTS.values(), ids=REFUSED_SCRIPTS.keys())
def test_a_script_that_reaches_for_more_is_refused(hostile: Range, text: str, message: str) -> None:
    outcome = hostile.run(script_job(f"{text};"))
    assert outcome.ended is Ended.NOT_LOADED
    assert message in outcome.detail
    assert outcome.checks == ()


HARMLESS_SCRIPTS = {
    "an open transaction with a lock": "begin; lock table t;",
    "listening and notifying": "listen judge; notify judge, 'stop';",
    "its own settings": "alter role learner set statement_timeout = 0; alter role learner set work_mem = '1GB';",
    "the judge's rights on tables": "revoke all on all tables in schema public from judge, public;",
    "tables with catalogue's names": "create table public.pg_proc (x int); create table public.pg_trigger (x int);",
}


@pytest.mark.parametrize("text", HARMLESS_SCRIPTS.values(), ids=HARMLESS_SCRIPTS.keys())
def test_a_script_cannot_hold_up_or_mislead_the_judge(hostile: Range, text: str) -> None:
    job = script_job(f"{RIGHT} {text}")
    assert accepted(hostile.run(job), job)


RENAMED = "alter table t rename to u; create view t as"
BOOBY_TRAPS = {
    "a default that changes role": "alter table t alter name set default set_config('role', 'postgres', false);",
    "a default that reads a file": "alter table t alter name set default pg_read_file('/etc/passwd');",
    "a constraint that changes role": "alter table t add check (id < 7 or set_config('role', 'postgres', false) = '');",
    "a view that reads a file": f"{RENAMED} select *, pg_read_file('/etc/passwd') from u;",
    "a view that writes as the judge": (
        f"{RENAMED} select u.*, query_to_xml('alter role learner superuser', true, true, '')::text as x from u;"
    ),
    "a view that ends the judge": f"{RENAMED} select u.*, pg_terminate_backend(pg_backend_pid()) as x from u;",
    "a domain that changes role": (
        "create domain d as text check (set_config('role', 'postgres', false) is null);"
        " alter table t add extra d default 'x';"
    ),
    "no schema": "drop schema public cascade;",
    "rows that nobody may see": "alter table t enable row level security; alter table t force row level security;",
    "a view without an end": f"{RENAMED} select n as id, '' as name, 5 as added from generate_series(1, 1e12) n;",
}


@pytest.mark.parametrize("text", BOOBY_TRAPS.values(), ids=BOOBY_TRAPS.keys())
def test_a_trap_that_the_judge_steps_into_has_no_more_rights_than_the_judge(hostile: Range, text: str) -> None:
    job = script_job(f"{RIGHT} {text}", SHORT if "1e12" in text else PATIENT)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.COMPLETED, Ended.OUT_OF_TIME}
    assert "who" not in passed(outcome)
    assert not accepted(outcome, job)


@pytest.mark.parametrize(
    "rows",
    [
        "select n, repeat('x', 1000000), 5 from generate_series(1, 50000) n",
        "select n, 'x', 5 from generate_series(1, 30000000) n",
    ],
    ids=["large rows", "many rows"],
)
def test_a_view_that_floods_the_judge_is_the_script_s_fault(hostile: Range, rows: str) -> None:
    tests = "def test_all(sql):\n    db = sql.database()\n    db.run()\n    assert db.query('table t') == []\n"
    script = f"drop table t; create view t(id, name, added) as {rows};"
    outcome = hostile.run(script_job(script, SHORT, tests, "test_all"))
    assert outcome.ended in {Ended.COMPLETED, Ended.OUT_OF_TIME, Ended.OUT_OF_MEMORY}
    assert passed(outcome) == set()


FULL_DISKS = {
    "a table": "create table big as select repeat(md5(n::text), 50) as x from generate_series(1, 5000000) n;",
    "large objects": "select lo_from_bytea(0, convert_to(repeat('x', 10000000), 'UTF8')) from generate_series(1, 200);",
    "a transaction": "create table big (x text); begin; insert into big select repeat('x', 1000)"
    " from generate_series(1, 10000000);",
}


@pytest.mark.parametrize("text", FULL_DISKS.values(), ids=FULL_DISKS.keys())
def test_a_script_that_fills_the_disk_is_at_fault_itself(hostile: Range, text: str) -> None:
    outcome = hostile.run(script_job(text, SHORT))
    assert outcome.ended in {Ended.OUT_OF_MEMORY, Ended.OUT_OF_TIME, Ended.NOT_LOADED, Ended.CRASHED}
    assert passed(outcome) == set()


def test_one_data_set_cannot_be_seen_from_another(hostile: Range) -> None:
    script = f"{RIGHT} create table seen as select datname from pg_database; insert into t values (99, 'planted');"
    tests = """
def test_first(sql):
    one, two = sql.database(), sql.database()
    one.run()
    assert one.query("select count(*) from t where id = 99") == [(1,)]
    assert two.query("select count(*) from t") == [(0,)]
    assert two.query("select count(*) from pg_tables where tablename = 'seen'") == [(0,)]

def test_second(sql):
    assert sql.database().query("select count(*) from t") == [(0,)]
"""
    job = script_job(script, PATIENT, tests, "test_first", "test_second")
    assert accepted(hostile.run(job), job)


def test_a_hidden_row_in_an_error_stays_hidden_while_a_visible_one_is_told(hostile: Range) -> None:
    visible = "def test_seen(sql):\n    sql.database(\"insert into t values (1, 'shown')\").run()\n"
    checks = (Check(id="seen", test="test_seen", visible=True), Check(id="rows", test="test_rows"))
    job = query_job("select id, name::int from t")
    job = dataclasses.replace(job, suite=suite(visible, QUERY, {"schema.sql": SCHEMA}), checks=checks)
    told = {check.id: check for check in hostile.run(job).checks}
    assert "shown" in told["seen"].message
    assert (told["rows"].passed, told["rows"].message) == (False, "")


STEPS = f"""
def test_steps(sql):
    db = sql.database("insert into t values (1, '{CANARY}')")
    session = db.session()
    while not session.done:
        session.step()
    assert session.fault is None
    assert db.query("select added from t where name = '{CANARY}'") == [(5,)], "{CANARY}"

def test_together(sql):
    db = sql.database("insert into t values (1, '{CANARY}')")
    assert db.parallel(2).count(None) == 1
    assert db.query("select count(*) from t") == [(1,)]
"""
STOPPED_STEPS = {
    Ended.NOT_LOADED,
    Ended.COMPLETED,
    Ended.CRASHED,
    Ended.OUT_OF_TIME,
    Ended.OUT_OF_MEMORY,
    Ended.TOO_MUCH_OUTPUT,
}
BAD_STEPS = {
    "a trigger for a while": "create trigger x before update on t for each row"
    " execute function suppress_redundant_updates_trigger(); drop trigger x on t;",
    "a function": "create function f() returns int language internal as 'int4pl';",
    "a block": "do $$ begin end $$;",
    "another role": "set role judge;",
    "another identity": "set session authorization postgres;",
    "rows from nowhere": "copy t from stdin;",
    "rows to nowhere": "copy t to stdout;",
    "its own end": "select pg_terminate_backend(pg_backend_pid());",
    "the judge's end": "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'judge';",
    "a lock that stays": "begin; lock table t; select 1/0;",
    "a table that fills the disk": "create table big as select repeat('x', 2000) from generate_series(1, 5000000);",
    "rows without an end": "select repeat('x', 100000) from generate_series(1, 100000000);",
    "a number without an end": "select count(*) from generate_series(1, 1e12);",
    "a wait for itself": "select pg_advisory_lock(1); select pg_sleep(100);",
}


@pytest.mark.parametrize("text", BAD_STEPS.values(), ids=BAD_STEPS.keys())
def test_a_script_sent_in_steps_has_no_more_rights_and_no_more_time(hostile: Range, text: str) -> None:
    job = sql_job(
        f"{text} {RIGHT}", STEPS, "test_steps", "test_together", schema=SCHEMA, mode="statements", limits=SHORT
    )
    outcome = hostile.run(job)
    assert outcome.ended in {*STOPPED_STEPS}
    assert passed(outcome) == set()


def test_an_honest_script_in_steps_is_accepted(hostile: Range) -> None:
    job = sql_job(RIGHT, STEPS, "test_steps", "test_together", schema=SCHEMA, mode="statements", limits=PATIENT)
    assert accepted(hostile.run(job), job)


# Tried on empty tables they look well: what a session meets first are rows.
SLOW_STEPS = {
    "rows that multiply": "select count(*) from t a, generate_series(1, 1e12) b;",
    "rows that flood": "select repeat('x', 1000000) from t, generate_series(1, 1000000000);",
    "a lock that is never given back": "begin; select pg_advisory_xact_lock(id) from t;",
}


@pytest.mark.parametrize("text", SLOW_STEPS.values(), ids=SLOW_STEPS.keys())
@pytest.mark.parametrize("way", ["session.go_on()", "db.parallel([session, db.session()])"])
def test_a_session_that_does_not_end_is_stopped_by_the_judge(hostile: Range, text: str, way: str) -> None:
    tests = f"""
def test_end(sql):
    db = sql.database("insert into t values (1, '{CANARY}')")
    with db.client() as other:
        other.query("select pg_advisory_lock(1)")
        session = db.session()
        {way}
        while not session.done:
            session.step()
    assert session.fault is None, "{CANARY}"
"""
    outcome = hostile.run(sql_job(text, tests, "test_end", schema=SCHEMA, mode="statements", limits=SHORT))
    assert outcome.ended in STOPPED_STEPS
    assert passed(outcome) == set()
