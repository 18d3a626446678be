"""Services: a submission reaches them as `app` and through the keeper's ports, and gets no further."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox import container
from sandbox.job import Job
from sandbox.outcome import Ended, Outcome
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import CANARY, PATIENT, accepted
from tests.sandbox.puppet import puppet_job

# What no statement or command may bring, each as a test of the puppet's.
DENIED_SQL = [
    "alter role app superuser", "create role other", "alter role judge password 'x'", "set role postgres",
    "set session authorization judge", "set role judge", "create database other", "alter role app createdb",
    "alter role app replication", "grant judge to app", "grant pg_read_all_data to app",
    "copy note from program 'id'", "copy note to '/tmp/out'", "copy note from '/etc/passwd'",
    "select pg_read_file('/etc/passwd')", "select pg_ls_dir('.')", "select lo_import('/etc/passwd')",
    "select pg_reload_conf()", "alter system set fsync to on", "select pg_switch_wal()", "checkpoint",
    "create extension dblink", "create extension postgres_fdw", "create extension file_fdw",
    "create extension pg_stat_statements", "create function f() returns int language c as 'libc', 'getpid'",
    "create language plpython3u", "load 'dblink'", "set shared_preload_libraries to 'x'",
    "set log_min_messages to 'log'",
    "set temp_file_limit to '10GB'", "select pg_promote()", "select pg_create_physical_replication_slot('s')",
    "create publication p for all tables", "create subscription s connection 'host=/run' publication p",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'judge' or usename = 'postgres'",
    "create event trigger e on ddl_command_start execute function pg_sleep(1)",
]  # fmt: skip
DENIED_REDIS = [
    "CONFIG SET dir /tmp", "CONFIG GET *", "MODULE LOAD /tmp/x.so", "DEBUG SLEEP 1", "DEBUG JMAP", "SHUTDOWN NOSAVE",
    "SAVE", "BGSAVE", "BGREWRITEAOF", "ACL LIST", "ACL SETUSER app +@all", "ACL GETUSER judge", "MONITOR",
    "CLIENT LIST", "CLIENT KILL TYPE normal", "CLIENT PAUSE 10000", "REPLICAOF 127.0.0.1 8081", "SLAVEOF NO ONE",
    "SCRIPT KILL", "SCRIPT FLUSH", "FUNCTION LIST", "FUNCTION FLUSH", "FLUSHALL", "SWAPDB 0 1", "INFO", "ROLE",
    "MIGRATE 127.0.0.1 8081 k 0 100", "CLUSTER RESET", "LATENCY RESET", "SLOWLOG GET", "PSYNC ? -1", "SYNC",
    "FAILOVER", "RESTORE k 0 x",
]  # fmt: skip


def failures(outcome: Outcome) -> tuple[Ended, list[tuple[str, str, str]]]:
    """Return how it ended and what failed, with what a visible check says."""
    return outcome.ended, [(c.id, c.message, c.actual) for c in outcome.checks if not c.passed]


def puppets(tests: str) -> Job:
    """Return a job of the puppet's whose failures say why."""
    job = puppet_job(tests, limits=PATIENT)
    return replace(job, checks=tuple(replace(check, visible=True) for check in job.checks))


def test_no_statement_brings_more_than_the_role_has(hostile: Range) -> None:
    tests = f"""
def test_denied(start):
    srv = start()
    done = [text for text in {DENIED_SQL!r} if "error" not in sql(srv, text)]
    assert done == []
    assert srv.postgres.value("select count(*) from note") == 1

def test_roles(start):
    srv = start()
    roles = "select rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls from pg_roles"
    assert sql(srv, roles + " where rolname = 'app'") == {{"value": [["app", *["False"] * 5]]}}
"""
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_no_command_brings_more_than_data(hostile: Range) -> None:
    tests = f"""
def test_denied(start):
    srv = start()
    answers = [(text, redis_do(srv, *text.split())) for text in {DENIED_REDIS!r}]
    refused = ("NoPermission", "command not allowed")  # the latter of what is off for everybody
    assert [each for each in answers if not any(word in each[1].get("error", "") for word in refused)] == []
    for text in {DENIED_REDIS!r}:
        words = ", ".join(map(repr, text.split()))
        said = redis_do(srv, "EVAL", f"return redis.call({{words}})", "0")
        assert "error" in said, said

def test_allowed(start):
    srv = start()
    assert redis_do(srv, "SET", "k", "v", "NX", "PX", "5000") == {{"value": True}}
    assert redis_do(srv, "EVAL", "return redis.call('get', KEYS[1])", "1", "k") == {{"value": "v"}}
    assert redis_do(srv, "KEYS", "*") == {{"value": ["k"]}}
    assert redis_do(srv, "FLUSHDB") == {{"value": True}}
"""
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_only_the_learners_role_gets_in_through_the_ports(hostile: Range) -> None:
    tests = """
def test_postgres(start):
    srv = start()
    for user in ("postgres", "judge"):
        for database in ("postgres", "template1", "pattern", "app_1"):
            for password in ("", "postgres", "judge", "app"):
                said = f"host=127.0.0.1 user={user} dbname={database} password='{password}'"
                code = f"import psycopg; psycopg.connect({said!r})"
                assert "OperationalError" in run(srv, code)["error"]
    for database in ("postgres", "template1", "pattern", "app_9999"):
        said = run(srv, f"import psycopg; psycopg.connect(host='127.0.0.1', user='app', dbname='{database}')")
        assert "OperationalError" in said["error"]
    said = run(srv, "import psycopg; psycopg.connect('host=127.0.0.1 user=app dbname=app_1 replication=database')")
    assert "OperationalError" in said["error"]

def test_redis(start):
    srv = start()
    for login in ("", "judge:app@", "judge:@", "default:@", "default:app@", "app:@", "app:judge@"):
        said = run(srv, f"import redis; redis.Redis.from_url('redis://{login}127.0.0.1:6379/0').get('k')")
        assert "error" in said and "Auth" in said["error"], (login, said)
"""
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_neither_the_judges_sockets_nor_anything_beyond_loopback_is_there(hostile: Range) -> None:
    tests = r'''
LOOK = """
import errno, pathlib
found = []
names = [line.split()[-1] for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:] if "/" in line]
for name in {*names, "/run/greenroom/1/keeper", "/run/greenroom/1/redis", "/run/greenroom/1/.s.PGSQL.5432"}:
    for path in (name, "\\0" + name):
        s = socket.socket(socket.AF_UNIX)
        if not name.startswith("/run/door") and s.connect_ex(path) == 0:
            found.append(path)
abstract = [line.split()[-1] for line in pathlib.Path("/proc/net/unix").read_text().splitlines() if "@" in line]
interfaces = [line.split(":")[0].strip() for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]]
routes = pathlib.Path("/proc/net/route").read_text().splitlines()[1:]
away = []
for address in ("172.17.0.1", "172.17.0.2", "10.0.0.1", "1.1.1.1", "169.254.169.254"):
    s = socket.socket()
    s.settimeout(0.2)
    if s.connect_ex((address, 80)) in (0, errno.ECONNREFUSED):
        away.append(address)
kinds = []
for family in (16, 17, 38, 40):
    try:
        socket.socket(family, socket.SOCK_RAW)
        kinds.append(family)
    except OSError:
        pass
places = [str(p) for p in (pathlib.Path("/run/greenroom"), pathlib.Path("/work/pg")) if p.exists() and any(p.iterdir())]
out = [found, abstract, interfaces, routes, away, kinds, places]
"""

def test_look(start):
    srv = start()
    assert run(srv, LOOK) == {"value": [[], [], ["lo"], [], [], [], []]}

def test_ports(start):
    srv = start()
    code = "out = [p for p in range(1, 32768) if socket.socket().connect_ex(('127.0.0.1', p)) == 0]"
    assert run(srv, code) == {"value": [5432, 6379, 8081]}

def test_processes(start):
    srv = start()
    code = """
import pathlib
found = [p.read_bytes() for p in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
out = [name for name in ("postgres", "redis-server", "keeper.py") if any(name.encode() in each for each in found)]
"""
    said = run(srv, code)["value"]
    assert said in ([], ["postgres"])  # the word may stand in the shim's own arguments
'''
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_the_ports_cannot_be_taken_not_even_while_a_service_is_down(hostile: Range) -> None:
    tests = r'''
STEAL = """
out = []
for port in (5432, 6379, 8081):
    for address in ("127.0.0.1", "0.0.0.0"):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            s.bind((address, port))
            s.listen()
            out.append(port)
        except OSError:
            pass
"""

def test_steal(start, redis, postgres, upstream):
    srv = start()
    assert run(srv, STEAL) == {"value": []}
    with redis.down(), postgres.down(), upstream.down():
        assert run(srv, STEAL) == {"value": []}
    assert redis_do(srv, "PING") == {"value": True}
    assert fetch(srv, "/x")["value"][0] == 404
'''
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_counts_grow_by_real_requests_alone(hostile: Range) -> None:
    tests = r"""
def test_counts(start, upstream):
    srv = start()
    upstream.on("GET", "/x", json=1)
    half = b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"
    for raw in (b"GET /x HTTP/1.1\r\n", b"\r\n\r\n", b"{\"op\": \"reset\"}\n", half):
        run(srv, f"s = socket.create_connection(('127.0.0.1', 8081)); s.sendall({raw!r}); s.close()")
    assert upstream.count("GET", "/x") == 0
    run(srv, "[socket.create_connection(('127.0.0.1', 8081)) for _ in range(200)]")
    fetch(srv, "/x")
    assert upstream.count("GET", "/x") == 1 and upstream.most_at_once == 1

def test_statements(start):
    srv = start()
    with srv.postgres.watched() as seen:
        sql(srv, "select 1")
        for text in ("select pg_stat_statements_reset()", "select * from pg_stat_statements", "select pg_stat_reset()"):
            assert "error" in sql(srv, text)
    assert "select $1" in seen.statements

def test_commands(start):
    srv = start()
    with srv.redis_watched() as seen:
        redis_do(srv, "SET", "k", '1763832000.0 [1 unix:x] "DEL" "k"')
        redis_do(srv, "SET", "k", '\r\n+1763832000.0 [1 unix:x] "DEL" "k"')
    assert [command[0] for command in seen.commands] == ["SET", "SET"]
"""
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_triggers_views_and_functions_run_with_no_more_than_the_judges_role(hostile: Range) -> None:
    tests = """
def test_trap(start):
    srv = start()
    for text in (
        "create function trap() returns trigger language plpgsql as $$ begin execute 'alter role app superuser'; "
        "return new; exception when others then new.text = sqlerrm || current_user; return new; end $$",
        "create trigger trap before insert on note for each row execute function trap()",
    ):
        assert sql(srv, text) == {"value": []}
    srv.postgres.execute("insert into note values (7, 'x')")
    assert "permission denied" in srv.postgres.value("select text from note where id = 7")
    assert sql(srv, "select rolsuper from pg_roles where rolname = 'app'") == {"value": [["False"]]}
"""
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


# What harms a service is the learner's own failure: never accepted, never the platform's fault.

ASK = """
def test_a(start):
    srv = start()
    {harm}
    assert sql(srv, "select text from note where id = 1") == {{"value": [["first"]]}}
    assert redis_do(srv, "SET", "k", "v") == {{"value": True}}
    assert srv.redis.get("k") == "v", "{canary}"
"""
HARM = {
    "memory of a statement": "sql(srv, \"select length(repeat(repeat('x', 1000000), 700))\")",
    "redis filled up": "[redis_do(srv, 'SETRANGE', f'k{n}', 4000000, 'x') for n in range(40)]",
    "a script without end": "run(srv, \"rd().execute_command('EVAL', 'while true do end', '0')\")",
    "its own database dropped": (
        "assert sql(start(), f'drop database {srv.postgres.name} with (force)') == {'value': []}"
    ),
    "a lock that is kept": "run(srv, \"pg().autocommit = False; pg().execute('lock table note')\"); "
    "srv.postgres.value('select count(*) from note')",
}


@pytest.mark.parametrize("name", HARM)
def test_what_harms_a_service_is_the_learners_failure(hostile: Range, name: str) -> None:
    job = puppet_job(ASK.format(harm=HARM[name], canary=CANARY), limits=PATIENT)
    outcome = hostile.run(job)
    wanted = Ended.OUT_OF_MEMORY if name.startswith("memory") else Ended.COMPLETED
    assert (outcome.ended, accepted(outcome, job)) == (wanted, False), outcome


def test_a_full_disk_is_an_error_of_the_statement_that_fills_it(hostile: Range) -> None:
    tests = """
def test_full(start):
    srv = start()
    fill = "create table t{} as select repeat(md5(m::text), 30) x from generate_series(1, 60000) m"
    answers = [sql(srv, fill.format(n)) for n in range(12)]
    assert "No space left" in answers[-1]["error"]
    assert srv.postgres.value("select count(*) from note") == 1
    assert sql(srv, "select count(*) from note") == {"value": [["1"]]}
"""
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_connections_without_end_leave_the_judge_its_own(hostile: Range) -> None:
    tests = """
def test_many(start):
    srv = start()
    code = '''
import psycopg
kept = [socket.create_connection(("127.0.0.1", port)) for port in (5432, 6379) for _ in range(90)]
try:
    while len(kept) < 400:
        kept.append(psycopg.connect(os.environ["DATABASE_URL"]))
except psycopg.OperationalError as error:
    out = str(error)
import builtins
builtins.kept_alive = kept
'''
    assert run(srv, code)["value"]
    assert srv.postgres.value("select count(*) from note") == 1
    assert srv.redis.ping()
    with srv.postgres.watched() as seen:
        pass
    assert seen.count == 0
"""
    assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_nothing_of_a_submission_is_there_for_the_next(hostile: Range) -> None:
    tests = """
def test_plant(start):
    srv = start()
    assert sql(srv, "select tablename from pg_tables where schemaname = 'public'") == {"value": [["note"]]}
    assert sql(srv, "select datname from pg_database where datname like 'app%' and datname > 'app_4'") == {"value": []}
    code = '''
found = []
for n in range(0, 40):
    rd().execute_command("SELECT", n)
    found += rd().execute_command("KEYS", "*")
    rd().execute_command("SET", "planted", n)
out = found
'''
    assert run(srv, code) == {"value": []}
    assert "value" in sql(srv, "create table planted (id int)")
    assert "value" in sql(srv, "alter role app set search_path to planted")
"""
    for _ in range(3):
        assert failures(hostile.run(puppets(tests))) == (Ended.COMPLETED, [])


def test_a_box_that_joins_is_confined_as_every_other() -> None:
    role = container.box_role(PATIENT)
    alone = container.settings(role, uid=1, runtime="", volume="", door="")
    joined = container.settings(role, uid=1, runtime="", volume="", door="", beside="abc")
    differ = {name for name in alone | joined if alone.get(name) != joined.get(name)} - {"labels"}
    assert differ == {"network_disabled", "network_mode", "hostname"}
    assert joined["network_mode"] == "container:abc"
