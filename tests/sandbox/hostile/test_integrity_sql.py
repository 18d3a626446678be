"""Statements that try to be more than an answer: other roles, other data, the server's files, the judge itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.job import MIB, Job
from sandbox.outcome import Ended
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import CANARY, PATIENT, SHORT, passed
from tests.sandbox.jobs import sql_job

SCHEMA = "create table secrets (id int primary key, name text not null); create table empty (id int)"
QUERY_TESTS = f"""
def test_rows(sql):
    db = sql.database("insert into secrets values (1, '{CANARY}'), (2, 'b')")
    assert db.run().rows == [(1, "{CANARY}"), (2, "b")], "{CANARY}"

def test_untouched(sql):
    db = sql.database("insert into secrets values (1, '{CANARY}')")
    db.run()
    assert db.query("select id, name from secrets") == [(1, "{CANARY}")], "{CANARY}"
    assert db.query("select count(*) from pg_roles where rolsuper") == [(1,)]
"""
SCRIPT_TESTS = f"""
def test_state(sql):
    db = sql.database("insert into secrets values (1, '{CANARY}')")
    db.run()
    db.fill("secrets", [(2, "{CANARY}-two")])
    assert db.query("select count(*) from secrets where name like '{CANARY}%'") == [(2,)], "{CANARY}"
    assert db.query("select rolname from pg_roles where rolsuper") == [("postgres",)]
    assert db.query("select current_user::text") == [("judge",)]
"""
POSTGRES = replace(PATIENT, memory_bytes=256 * MIB)
IMPATIENT = replace(SHORT, memory_bytes=256 * MIB)


def query(text: str, *, short: bool = False) -> Job:
    """Return a job whose answer is one query."""
    limits = IMPATIENT if short else POSTGRES
    return sql_job(text, QUERY_TESTS, "test_rows", "test_untouched", schema=SCHEMA, limits=limits)


def script(text: str) -> Job:
    """Return a job whose answer is a script of the role that owns the schema."""
    return sql_job(text, SCRIPT_TESTS, "test_state", schema=SCHEMA, mode="script", limits=POSTGRES)


def test_an_honest_query_and_an_honest_script_pass(hostile: Range) -> None:
    assert passed(hostile.run(query("select id, name from secrets order by id"))) == {"rows", "untouched"}
    assert passed(hostile.run(script("create index on secrets (name)"))) == {"state"}


REFUSED_QUERIES = {
    "read a file": "select pg_read_file('/etc/passwd')",
    "list a folder": "select pg_ls_dir('/')",
    "read a binary file": "select pg_read_binary_file('/work/pg/pg_hba.conf')",
    "import a large object": "select lo_import('/etc/passwd')",
    "export a large object": "select lo_export(1, '/tmp/x')",
    "create a large object": "select lo_create(0)",
    "sleep": "select pg_sleep(100)",
    "copy to a program": "copy (select 1) to program 'id'",
    "copy from a program": "copy empty from program 'id'",
    "close the cursor and go on": "select 1; close submission; create table t (id int)",
    "commit first": "select 1; commit; drop table secrets",
    "a second statement after a comment": "select 1 --\n; drop table secrets",
    "become the superuser": "set role postgres",
    "become somebody else": "set session authorization postgres",
    "delete in a query": "with gone as (delete from secrets returning id) select id from gone",
    "update in a query": "with more as (update secrets set name = 'x' returning id) select id from more",
    "write a setting of the server": "alter system set fsync = on",
    "load a library": "load 'auto_explain'",
    "make an extension": "create extension dblink",
    "make a function": "create function f() returns int language sql as 'select 1'",
    "do a block": "do $$ begin perform 1; end $$",
    "kill the judge": "select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user",
    "read the passwords": "select rolpassword from pg_authid",
    "make a temporary table": "create temporary table t as select 1",
    "listen": "listen anything",
    "empty": "   ",
    "only a comment": "-- nothing here",
    "a NUL character": "select '\0'",
    "a statement that explains itself": "analyze select 1",
}


@pytest.mark.parametrize("text", REFUSED_QUERIES.values(), ids=REFUSED_QUERIES)
def test_a_query_that_wants_more_than_reading_passes_nothing(hostile: Range, text: str) -> None:
    outcome = hostile.run(query(text))
    assert outcome.ended in {Ended.NOT_LOADED, Ended.COMPLETED, Ended.CRASHED}, outcome
    assert passed(outcome) == set()


LYING_QUERIES = {
    "hidden rows in an error": "select id, (name || '!')::int from secrets",
    "hidden rows in a division": "select id / (id - 1), name from secrets",
    "other databases": "select 1, datname::text from pg_database where datname ~ '^d' limit 2",
    "activity of the others": "select pid, query from pg_stat_activity",
    "settings lifted": "select 1, set_config('statement_timeout', '0', false) || set_config('role', 'postgres', false)",
    "read-only lifted": "select 1, set_config('transaction_read_only', 'off', false)",
    "search path turned": "select 1, set_config('search_path', 'nowhere', false)",
    "locks held": "select id, pg_advisory_lock(id)::text from secrets order by id",
}


@pytest.mark.parametrize("text", LYING_QUERIES.values(), ids=LYING_QUERIES)
def test_a_query_that_looks_around_gives_wrong_rows_and_harms_nobody(hostile: Range, text: str) -> None:
    outcome = hostile.run(query(text))
    assert outcome.ended in {Ended.NOT_LOADED, Ended.COMPLETED}, outcome
    assert "rows" not in passed(outcome)


# Which limit comes first is the machine's; PostgreSQL's own, on temporary files and values, refuse the statement.
STOPPED = {Ended.OUT_OF_TIME, Ended.OUT_OF_MEMORY, Ended.TOO_MUCH_OUTPUT, Ended.NOT_LOADED}
HEAVY_QUERIES = {
    "rows without end": ("select g, 'x' from generate_series(1, 100000000000) g", STOPPED),
    "more rows than are taken": ("select g, 'x' from generate_series(1, 60000) g", STOPPED),
    "a recursion without end": (
        "with recursive r(n) as (select 1 union all select n + 1 from r) select count(*), 'x' from r",
        STOPPED,
    ),
    "a join of everything": (
        "select count(*), 'x' from generate_series(1, 10000000) a, generate_series(1, 10000000) b",
        STOPPED,
    ),
    "a sort beyond the disk": (
        "select g, repeat('x', 900) from generate_series(1, 100000000) g order by md5(g::text)",
        STOPPED,
    ),
    "one huge value": ("select 1, repeat('x', 90000000)", STOPPED),
    "many huge values": ("select g, repeat('x', 50000000) from generate_series(1, 20) g", STOPPED),
}


@pytest.mark.parametrize(("text", "ends"), HEAVY_QUERIES.values(), ids=HEAVY_QUERIES)
def test_a_query_that_takes_all_is_stopped_by_its_limit(hostile: Range, text: str, ends: set[Ended]) -> None:
    outcome = hostile.run(query(text, short=True))
    assert outcome.ended in ends, outcome
    assert passed(outcome) == set()


REFUSED_SCRIPTS = {
    "a trigger": "create function f() returns trigger language plpgsql as 'begin return new; end';"
    " create trigger t before insert on secrets for each row execute function f()",
    "a built-in trigger": "create trigger t before update on secrets for each row"
    " execute function suppress_redundant_updates_trigger()",
    "a rule": "create rule r as on insert to secrets do instead nothing",
    "a policy": "alter table secrets enable row level security; create policy p on secrets using (false)",
    "a function": "create function f() returns int language sql as 'select 1'",
    "an operator": "create operator === (leftarg = int, rightarg = int, procedure = int4eq)",
    "a superuser": "alter role learner superuser",
    "a new role": "create role more superuser login",
    "membership of the judge's role": "grant judge to learner",
    "the judge's role": "set role judge; delete from secrets",
    "the superuser's role": "set role postgres",
    "a program": "copy secrets to program 'id'",
    "a file": "copy secrets to '/tmp/x'",
    "an extension": "create extension file_fdw",
    "a setting of the database": "alter database d1 set search_path = nowhere",
    "a setting of the judge": "alter role judge set search_path = nowhere",
    "a block": "do $$ begin end $$",
    "a schema": "create schema judge",
    "an event trigger": "create event trigger e on ddl_command_start"
    " execute function suppress_redundant_updates_trigger()",
    "a subscription": "create subscription s connection 'host=127.0.0.1' publication p",
    "a tablespace": "create tablespace t location '/tmp'",
    "an error half way": "delete from secrets; select 1/0",
    "the table gone": "drop table secrets",
    "the judge's rights gone": "revoke all on secrets from judge; alter table secrets rename to others",
    "rows that lie": "truncate secrets",
    "a transaction left open": "begin; lock table secrets in access exclusive mode; delete from secrets",
}


@pytest.mark.parametrize("text", REFUSED_SCRIPTS.values(), ids=REFUSED_SCRIPTS)
def test_a_script_that_reaches_for_more_passes_nothing(hostile: Range, text: str) -> None:
    outcome = hostile.run(script(text))
    assert outcome.ended in {Ended.NOT_LOADED, Ended.COMPLETED}, outcome
    assert passed(outcome) == set()


HARMLESS_SCRIPTS = {
    "a view named like the catalogue": "create table public.pg_roles (rolname text, rolsuper bool);"
    " insert into public.pg_roles values ('learner', true)",
    "a view over the judge's functions": "create view public.current_user_is as select 'postgres'",
    "advisory locks kept": "select pg_advisory_lock(1)",
    "a setting for its own role": "alter role learner set statement_timeout = 0",
    "a default that runs for whoever inserts": "alter table secrets add made text default current_user::text",
}


@pytest.mark.parametrize("text", HARMLESS_SCRIPTS.values(), ids=HARMLESS_SCRIPTS)
def test_what_a_script_may_do_does_not_mislead_the_judge(hostile: Range, text: str) -> None:
    outcome = hostile.run(script(text))
    assert outcome.ended in {Ended.COMPLETED, Ended.NOT_LOADED}, outcome
    assert CANARY not in outcome.detail
