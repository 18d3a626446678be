"""Services beside a learner's server, through the real engine: fresh, seen by the judge, and broken on purpose."""

from __future__ import annotations

import pytest

from sandbox.docker_box import DockerBox
from sandbox.errors import JobRefused
from sandbox.job import Check
from sandbox.outcome import Ended, Outcome
from tests.sandbox.jobs import http_job
from tests.sandbox.puppet import PUPPET, puppet_job


def failed(outcome: Outcome) -> tuple[Ended, list[object]]:
    """Return how it ended and which checks did not pass."""
    return outcome.ended, [check for check in outcome.checks if not check.passed]


FRESH = """
def test_a_start_gets_the_schema_and_nothing_else(start):
    srv = start()
    assert sql(srv, "select id, text from note") == {"value": [["1", "first"]]}
    assert redis_do(srv, "DBSIZE") == {"value": 0}
    assert sql(srv, "insert into note values (2, 'mine')") == {"value": []}
    assert redis_do(srv, "SET", "k", "v") == {"value": True}
    other = start()
    assert sql(other, "select count(*) from note") == {"value": [["1"]]}
    assert redis_do(other, "GET", "k") == {"value": None}

def test_a_restart_keeps_both(start):
    srv = start()
    sql(srv, "insert into note values (2, 'mine')"), redis_do(srv, "SET", "k", "v")
    srv.restart()
    assert sql(srv, "select text from note where id = 2") == {"value": [["mine"]]}
    assert redis_do(srv, "GET", "k") == {"value": "v"}

def test_servers_beside_each_other_share_both_but_not_their_state_dir(start):
    srv = start()
    other = start(beside=srv, NAME="other")
    sql(srv, "insert into note values (2, 'mine')"), redis_do(srv, "SET", "k", "v")
    assert sql(other, "select text from note where id = 2") == {"value": [["mine"]]}
    assert redis_do(other, "GET", "k") == {"value": "v"}
    dirs = [run(each, "out = os.environ['STATE_DIR']")["value"] for each in (srv, other)]
    assert dirs[0] != dirs[1]
    assert run(other, "out = os.environ['NAME']") == {"value": "other"}

def test_a_shared_server_has_its_own(shared):
    srv = shared(A=1)
    assert srv.postgres.name != shared(A=2).postgres.name
    assert shared(A=1).postgres.name == srv.postgres.name

def test_a_server_may_make_tables_and_trusted_extensions(start):
    srv = start()
    assert sql(srv, "create table more (id serial primary key)") == {"value": []}
    assert sql(srv, "create function one() returns int language sql return 1") == {"value": []}
    assert sql(srv, "create extension citext") == {"value": []}

def test_many_starts(start):
    for _ in range(6):
        assert sql(start(), "select count(*) from note") == {"value": [["1"]]}
"""
STATE = """
def test_the_judge_sees_what_the_server_stored(start):
    srv = start()
    sql(srv, "insert into note values (%s, %s)", 2, "two")
    assert srv.postgres.rows("select id, text from note order by id") == [(1, "first"), (2, "two")]
    assert srv.postgres.value("select text from note where id = %s", 2) == "two"
    assert srv.postgres.value("select text from note where id = 3") is None
    assert srv.postgres.dicts("select id from note where id > %s", 1) == [{"id": 2}]
    srv.postgres.execute("insert into note values (%s, %s)", 3, "three")
    srv.postgres.execute("insert into note values (4, '100 %'); delete from note where id = 1")
    assert sql(srv, "select count(*) from note") == {"value": [["3"]]}
    redis_do(srv, "SET", "k", "v", "EX", "100")
    assert srv.redis.get("k") == "v" and 90 < srv.redis.ttl("k") <= 100 and srv.redis.keys() == ["k"]
    srv.redis.zadd("z", {"a": 1.5})
    assert redis_do(srv, "ZSCORE", "z", "a")["value"] == 1.5

def test_row_security_hides_nothing_from_the_judge(start):
    srv = start()
    sql(srv, "alter table note enable row level security")
    sql(srv, "alter table note force row level security")
    assert sql(srv, "select * from note") == {"value": []}
    assert srv.postgres.value("select count(*) from note") == 1

def test_statements_are_watched(start):
    srv = start()
    other = start()
    sql(srv, "select 1")
    with srv.postgres.watched() as seen:
        for number in (1, 2, 3):
            sql(srv, "select text from note where id = %s", number)
        sql(srv, "select count(*) from note where id > 5")
        sql(srv, "begin"), sql(srv, "rollback"), sql(srv, "set search_path to public")
        sql(other, "select 'of another database'")
        srv.postgres.value("select 'of the judge'")
    assert sorted(seen.statements) == [
        "select count(*) from note where id > $1",
        *["select text from note where id = $1"] * 3,
    ]
    assert seen.count == 4
    with srv.postgres.watched() as seen:
        pass
    assert seen.count == 0

def test_commands_are_watched(start):
    srv = start()
    other = start()
    with srv.redis_watched() as seen:
        redis_do(srv, "SET", "key", 'a "quoted" é\\n value')
        redis_do(srv, "get", "key")
        redis_do(srv, "EVAL", "return redis.call('get', 'key')", "0")
        redis_do(srv, "PING")
        redis_do(other, "SET", "key", "of another")
        assert srv.redis.exists("key")
        with srv.redis.pipeline() as pipe:
            pipe.set("own", 1).ttl("key").execute()
    assert seen.commands == [
        ["SET", "key", 'a "quoted" é\\n value'], ["GET", "key"], ["EVAL", "return redis.call('get', 'key')", "0"],
    ]
    assert seen.count() == 3 and seen.count("get", "MGET") == 1
"""
BROKEN = """
def test_down_and_up(start, redis, postgres):
    srv = start()
    sql(srv, "insert into note values (2, 'kept')"), redis_do(srv, "SET", "k", "v")
    with redis.down(), postgres.down():
        assert "refused" in redis_do(srv, "GET", "k")["error"]
        assert "error" in sql(srv, "select 1")  # its connection was cut
        assert "refused" in sql(srv, "select 1")["error"]
        assert srv.redis.get("k") == "v" and srv.postgres.value("select count(*) from note") == 2
    assert redis_do(srv, "GET", "k") == {"value": "v"}
    assert sql(srv, "select count(*) from note") == {"value": [["2"]]}

def test_pause_and_resume(start, redis, postgres):
    srv = start()
    redis_do(srv, "SET", "k", "v"), sql(srv, "select 1")
    redis.pause()
    started = time.monotonic()
    impatient = "import redis; redis.Redis.from_url(os.environ['REDIS_URL'], socket_timeout=0.2, retry=None).get('k')"
    assert "Timeout" in run(srv, impatient)["error"]
    assert time.monotonic() - started >= 0.19
    redis.resume()
    assert redis_do(srv, "GET", "k") == {"value": "v"}
    with postgres.pause():
        waiting = srv.parallel(2, lambda i: sql(srv, "select 2") if i else (time.sleep(0.3), postgres.resume()))
    assert waiting[1] == {"value": [["2"]]}  # on the connection that it had

def test_a_delay(start, redis, postgres):
    srv = start()
    redis_do(srv, "PING"), sql(srv, "select 1")
    for gate, call in ((redis, lambda: redis_do(srv, "PING")), (postgres, lambda: sql(srv, "select 1"))):
        gate.delay(0.2)
        started = time.monotonic()
        assert "value" in call()
        assert time.monotonic() - started >= 0.2
        gate.delay(0)

def test_a_restart_empties_redis_and_leaves_postgresql_as_it_is(start, redis, postgres):
    srv = start()
    sql(srv, "insert into note values (2, 'kept')"), redis_do(srv, "SET", "k", "v")
    assert srv.postgres.value("select count(*) from note") == 2
    redis.restart()
    assert srv.redis.get("k") is None
    assert redis_do(srv, "GET", "k").get("value") is None
    assert redis_do(srv, "SET", "k", "new") == {"value": True}
    postgres.restart()
    assert "error" in sql(srv, "select 1")
    assert sql(srv, "select count(*) from note") == {"value": [["2"]]}
    assert srv.postgres.value("select count(*) from note") == 2
    assert sql(start(), "select count(*) from note") == {"value": [["1"]]}
"""
LEFT_BROKEN = """
def test_zero(start, redis, postgres, upstream):
    redis.down(), postgres.pause(), upstream.delay(60), upstream.down()
    upstream.on("GET", "/x", json=1)

def test_one(start, upstream):
    srv = start()
    assert redis_do(srv, "SET", "k", "v") == {"value": True}
    assert sql(srv, "select count(*) from note") == {"value": [["1"]]}
    assert fetch(srv, "/x") == {"value": [404, '{"error": "not found"}']}
    assert upstream.count("GET", "/x") == 1
"""
UPSTREAM = """
def test_rules_and_calls(shared, upstream):
    srv = shared()
    upstream.on("GET", "/rates/*", json={"rate": 2})
    upstream.on("GET", "/rates/EUR", status=503, body="later", times=1)
    assert fetch(srv, "/rates/EUR?on=today") == {"value": [503, "later"]}
    assert fetch(srv, "/rates/EUR") == {"value": [200, '{"rate": 2}']}
    upstream.on("POST", "/pay", status=201, headers={"Content-Type": "application/json"}, body="{}")
    assert fetch(srv, "/pay", '{"cents": 5}') == {"value": [201, "{}"]}
    assert upstream.count("GET", "/rates/EUR") == 2 and upstream.count("GET", "/rates/*") == 2
    first, _, last = upstream.calls
    assert (first.method, first.path, first.query) == ("GET", "/rates/EUR", {"on": "today"})
    assert last.headers["x-from"] == "puppet" and last.json() == {"cents": 5} and last.body == '{"cents": 5}'
    upstream.reset()
    assert upstream.calls == [] and fetch(srv, "/rates/EUR")["value"][0] == 404

def test_slow_and_gone(shared, upstream):
    srv = shared()
    upstream.on("GET", "/x", json=None, delay=0.1)
    srv.parallel(4, lambda i: fetch(srv, "/x"))
    assert upstream.most_at_once == 4
    upstream.delay(5)
    assert "timed out" in fetch(srv, "/x", timeout=0.2)["error"]
    upstream.delay(0)
    with upstream.down():
        assert "refused" in fetch(srv, "/x")["error"]
    assert fetch(srv, "/x") == {"value": [200, "null"]}
"""


@pytest.mark.parametrize("tests", [FRESH, STATE, BROKEN, UPSTREAM], ids=["fresh", "state", "broken", "upstream"])
def test_services_are_what_authors_are_told(docker_box: DockerBox, tests: str) -> None:
    assert failed(docker_box.run(puppet_job(tests), lambda _: None)) == (Ended.COMPLETED, [])


def test_each_check_finds_the_services_well(docker_box: DockerBox) -> None:
    outcomes = [docker_box.run(puppet_job(LEFT_BROKEN, seed=seed), lambda _: None) for seed in (0, 1)]
    assert [failed(outcome) for outcome in outcomes] == [(Ended.COMPLETED, [])] * 2
    assert len({tuple(check.id for check in outcome.checks) for outcome in outcomes}) == 2  # both orders


def test_each_submission_finds_nothing_of_the_one_before(docker_box: DockerBox) -> None:
    tests = """
def test_new(start):
    srv = start()
    assert sql(srv, "create table planted (id int)") == {"value": []}
    assert sql(srv, "create role planted") == {"error": "InsufficientPrivilege: permission denied to create role\\n"
               "DETAIL:  Only roles with the CREATEROLE attribute may create roles."}
    assert redis_do(srv, "DBSIZE") == {"value": 0}
    assert redis_do(srv, "SET", "planted", "x") == {"value": True}
    assert run(srv, "rd().select(7) if hasattr(rd(), 'select') else None")
"""
    for _ in range(3):
        assert failed(docker_box.run(puppet_job(tests), lambda _: None)) == (Ended.COMPLETED, [])


@pytest.mark.parametrize("services", [("redis",), ("postgres",), ("upstream",)])
def test_a_server_is_told_of_the_services_that_it_has_and_of_no_others(
    docker_box: DockerBox, services: tuple[str, ...]
) -> None:
    name = {"redis": "REDIS_URL", "postgres": "DATABASE_URL", "upstream": "UPSTREAM_URL"}[services[0]]
    other = "postgres" if services != ("postgres",) else "redis"
    tests = f"""
def test_told(start, request):
    srv = start()
    found = run(srv, "out = sorted(name for name in os.environ if name.endswith('_URL'))")
    assert found == {{"value": [{name!r}]}}
    port = {{"postgres": 5432, "redis": 6379}}[{other!r}]
    found = run(srv, f"s = socket.socket(); out = s.connect_ex(('127.0.0.1', {{port}}))")
    assert found == {{"value": 111}}
    with pytest.raises(LookupError, match={other!r}):
        request.getfixturevalue({other!r})
    with pytest.raises(LookupError, match={other!r}):
        srv.{other}
"""
    assert failed(docker_box.run(puppet_job(tests, services=services), lambda _: None)) == (Ended.COMPLETED, [])


def test_without_services_there_are_none(docker_box: DockerBox) -> None:
    tests = """
import pytest
def test_none(start, request):
    srv = start()
    with pytest.raises(LookupError, match="names no services"):
        srv.redis
    with pytest.raises(LookupError, match="names no services"):
        request.getfixturevalue("upstream")
"""
    assert failed(docker_box.run(http_job(PUPPET, tests, "test_none"), lambda _: None)) == (Ended.COMPLETED, [])


def test_a_service_that_there_is_not_is_refused(docker_box: DockerBox) -> None:
    with pytest.raises(JobRefused, match="services must be among postgres, redis, upstream, got kafka"):
        docker_box.run(puppet_job(FRESH, services=("kafka",)), lambda _: None)


def test_a_schema_that_postgresql_refuses_is_the_platforms_fault_and_says_why(cold_box: DockerBox) -> None:
    outcome = cold_box.run(puppet_job(FRESH, schema="create table oops ("), lambda _: None)
    assert outcome.ended is Ended.JUDGE_BROKE
    assert "syntax error" in outcome.reason


def test_a_visible_check_says_what_was_done_to_the_services(docker_box: DockerBox) -> None:
    tests = """
def test_seen(start, redis):
    start(TTL=2)
    redis.delay(0.1)
    with redis.down():
        assert 1 == 2
"""
    job = puppet_job(tests, checks=(Check(id="seen", test="test_seen", visible=True),))
    told = docker_box.run(job, lambda _: None).checks[0]
    assert told.steps == ("start TTL=2", "redis delay 0.1 s", "redis down", "redis up")


def test_a_warm_job_makes_nothing_and_the_judge_comes_back(docker_box: DockerBox) -> None:
    job, box = puppet_job("def test_up(start):\n    start()\n"), DockerBox(proven=True, pool_bytes=1 << 30)
    try:
        box.expect(job)
        for _ in range(2):
            assert box.pool.fill(120)
            assert failed(box.run(job, lambda _: None)) == (Ended.COMPLETED, [])
        assert (box.status().warm, box.status().cold) == (2, 0)
        assert box.pool.fill(120)
        (member,) = box.pool.ready()
        assert [each.role.name for each in member.containers] == ["judge", "service", "box"]
        assert box.status().shelves[0].memory_bytes > 100 << 20
    finally:
        box.close()
    assert box.sweep() == 0


def test_over_the_engines_own_streams_too(spliced_box: DockerBox) -> None:
    assert failed(spliced_box.run(puppet_job(FRESH), lambda _: None)) == (Ended.COMPLETED, [])


def test_made_for_the_job(cold_box: DockerBox) -> None:
    assert failed(cold_box.run(puppet_job(UPSTREAM), lambda _: None)) == (Ended.COMPLETED, [])
    assert cold_box.sweep() == 0
