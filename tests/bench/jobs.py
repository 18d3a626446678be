"""The jobs that everybody is given: a pure module, a Flask app, an SQL query, with 10 checks each; and, for us alone,
a Flask app on PostgreSQL and Redis.

`PURE` and `FLASK` come with a `conftest.py` that hands the very same test file to a bare pytest: `solution` is
then the module itself, `shared` the app's test client.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandbox.job import Check, Job
from tests.sandbox.jobs import calls_job, http_job, sql_job, suite

CHECKS = 10

SLOTS = """
def minutes(clock):
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


def free(day, busy, shortest=1):
    start, end = (minutes(each) for each in day)
    found = []
    for begin, over in sorted((minutes(a), minutes(b)) for a, b in busy):
        if begin - start >= shortest:
            found.append([clock(start), clock(begin)])
        start = max(start, over)
    if end - start >= shortest:
        found.append([clock(start), clock(end)])
    return found
"""
SLOTS_TESTS = """
DAY = ["09:00", "17:00"]

def test_an_empty_day(solution):
    assert solution.free(DAY, []) == [DAY]

def test_one_meeting(solution):
    assert solution.free(DAY, [["10:00", "11:00"]]) == [["09:00", "10:00"], ["11:00", "17:00"]]

def test_unsorted(solution):
    busy = [["15:00", "16:00"], ["09:00", "10:00"]]
    assert solution.free(DAY, busy) == [["10:00", "15:00"], ["16:00", "17:00"]]

def test_overlapping(solution):
    assert solution.free(DAY, [["09:00", "12:00"], ["11:00", "17:00"]]) == []

def test_nested(solution):
    assert solution.free(DAY, [["09:00", "16:00"], ["10:00", "11:00"]]) == [["16:00", "17:00"]]

def test_adjacent(solution):
    assert solution.free(DAY, [["09:00", "10:00"], ["10:00", "16:59"]]) == [["16:59", "17:00"]]

def test_shortest(solution):
    assert solution.free(DAY, [["09:10", "16:00"]], 30) == [["16:00", "17:00"]]

def test_minutes(solution):
    assert [solution.minutes(each) for each in ("00:00", "00:59", "23:59")] == [0, 59, 1439]

def test_clock(solution):
    assert [solution.clock(each) for each in (0, 61, 1439)] == ["00:00", "01:01", "23:59"]

def test_many(solution):
    busy = [[f"{h:02}:{m:02}", f"{h:02}:{m + 5:02}"] for h in range(9, 17) for m in range(0, 50, 10)]
    assert len(solution.free(DAY, busy)) == 40
"""
SLOTS_CONFTEST = """
import pytest
import slots

@pytest.fixture
def solution():
    return slots
"""

SHELF = """
import os

from flask import Flask, jsonify, request

app = Flask(__name__)
BOOKS = {1: "Middlemarch", 2: "Persuasion", 3: "Villette"}


@app.get("/health")
def health():
    return "ok"


@app.get("/books")
def books():
    wanted = request.args.get("title", "").lower()
    return jsonify([{"id": id, "title": title} for id, title in BOOKS.items() if wanted in title.lower()])


@app.get("/books/<int:id>")
def book(id):
    if id not in BOOKS:
        return jsonify(error="no such book"), 404
    return jsonify(id=id, title=BOOKS[id])


@app.post("/quotes")
def quote():
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or not isinstance(sent.get("days"), int):
        return jsonify(error="days must be a whole number"), 400
    return jsonify(cents=sent["days"] * 20), 201


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
"""
SHELF_TESTS = """
def test_health(shared):
    assert shared().get("/health").status_code == 200

def test_all(shared):
    assert [each["id"] for each in shared().get("/books").json()] == [1, 2, 3]

def test_one(shared):
    assert shared().get("/books/2").json() == {"id": 2, "title": "Persuasion"}

def test_another(shared):
    assert shared().get("/books/3").json()["title"] == "Villette"

def test_missing(shared):
    assert shared().get("/books/4").status_code == 404

def test_search(shared):
    assert shared().get("/books", params={"title": "middle"}).json() == [{"id": 1, "title": "Middlemarch"}]

def test_search_nothing(shared):
    assert shared().get("/books", params={"title": "Emma"}).json() == []

def test_quote(shared):
    assert shared().post("/quotes", json={"days": 3}).json() == {"cents": 60}

def test_quote_of_text(shared):
    assert shared().post("/quotes", json={"days": "3"}).status_code == 400

def test_method(shared):
    assert shared().post("/books", json={}).status_code == 405
"""
SHELF_CLIENT = """
from app import app

class Answer:
    def __init__(self, answer):
        self.status_code, self.json = answer.status_code, answer.get_json

class Client:
    def __init__(self):
        self.client = app.test_client()

    def get(self, path, params=None):
        return Answer(self.client.get(path, query_string=params))

    def post(self, path, json):
        return Answer(self.client.post(path, json=json))
"""
SHELF_CONFTEST = """
import pytest
from client import Client

@pytest.fixture(scope="session")
def shared():
    client = Client()
    return lambda: client
"""
SHELF_ASSERTS = """
import test_it
from client import Client

client = Client()
names = [name for name in dir(test_it) if name.startswith("test_")]
for name in names:
    getattr(test_it, name)(lambda: client)
print(len(names), "passed")
"""

SCHEMA = "create table sale (id int primary key, city text not null, cents int not null);"
QUERY = "select city, sum(cents) as cents from sale group by city having count(*) > 1 order by cents desc, city"
SALES = [
    [(row, f"city {row * (number + 3) % (number + 4)}", (row * 37 + number * 11) % 900) for row in range(40 + number)]
    for number in range(CHECKS)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One job, and the same as plain files for whoever judges with pytest, asserts or psql."""

    name: str
    job: Job
    files: dict[str, str]
    image: str  # that a rival's container runs


def _names(tests: str) -> list[str]:
    return [line.split("(")[0].removeprefix("def ") for line in tests.splitlines() if line.startswith("def test_")]


def _pure() -> Task:
    checks = tuple(Check(id=name, test=name) for name in _names(SLOTS_TESTS))
    tests = suite(hidden=SLOTS_TESTS)
    job = calls_job(SLOTS, files={"slots.py": SLOTS}, entry="slots.py", suite=tests, checks=checks, exercise="pure")
    files = {"slots.py": SLOTS, "test_it.py": SLOTS_TESTS, "conftest.py": SLOTS_CONFTEST}
    return Task(name="pure", job=job, files=files, image="judge")


def _flask() -> Task:
    files = {"app.py": SHELF, "test_it.py": SHELF_TESTS, "client.py": SHELF_CLIENT, "conftest.py": SHELF_CONFTEST}
    files["asserts.py"] = SHELF_ASSERTS
    job = http_job(SHELF, SHELF_TESTS, *_names(SHELF_TESTS), exercise="flask")
    return Task(name="flask", job=job, files=files, image="python")


def _answer(sales: list[tuple[int, str, int]]) -> list[tuple[str, int]]:
    """Return what QUERY gives for these rows."""
    cities = sorted({city for _, city, _ in sales})
    cents = {each: [amount for _, city, amount in sales if city == each] for each in cities}
    found = [(city, sum(amounts)) for city, amounts in cents.items() if len(amounts) > 1]
    return sorted(found, key=lambda row: (-row[1], row[0]))


def _sql() -> Task:
    tests, files = "", {"schema.sql": SCHEMA, "query.sql": QUERY, "judge.sh": PSQL}
    for number, sales in enumerate(SALES):
        rows = ", ".join(map(repr, sales))
        answer = _answer(sales)
        tests += f"def test_{number}(sql):\n    db = sql.database('''insert into sale values {rows}''')\n"
        tests += f"    assert db.run().rows == {answer!r}\n"
        files[f"{number}.sql"] = f"{SCHEMA}\ninsert into sale values {rows};\n"
        files[f"{number}.rows"] = "".join(f"{city}|{cents}\n" for city, cents in answer)
    job = sql_job(QUERY, tests, *_names(tests), schema=SCHEMA, exercise="sql")
    return Task(name="sql", job=job, files=files, image="postgres")


PSQL = f"""set -eu
cd "$(dirname "$0")"
/opt/greenroom/postgres-box /work/socket > /tmp/log 2>&1 &
export PGHOST=/work/socket PGUSER=postgres
until psql -qc 'select 1' postgres > /tmp/up 2>&1; do sleep 0.02; done
for number in $(seq 0 {CHECKS - 1}); do
    psql -qc "create database d$number strategy file_copy" postgres
    psql -qf "$number.sql" "d$number"
    psql -qAtf query.sql "d$number" > /tmp/rows
    cmp /tmp/rows "$number.rows"
done
echo "{CHECKS} passed"
"""

SEATS = """
import os

import psycopg
import redis
from flask import Flask, jsonify

app = Flask(__name__)
cache = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


@app.get("/health")
def health():
    return "ok"


@app.get("/seats/<int:id>")
def seat(id):
    holder = cache.get(f"seat:{id}")
    if holder is None:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            row = connection.execute("select holder from seat where id = %s", (id,)).fetchone()
        holder = row[0] if row else ""
        cache.set(f"seat:{id}", holder, ex=60)
    return (jsonify(holder=holder), 200) if holder else (jsonify(error="no such seat"), 404)


app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
"""
SEATS_SCHEMA = """
create table seat (id int primary key, holder text not null);
insert into seat select number, 'holder ' || number from generate_series(1, 50) number;
"""
SEATS_TESTS = (
    "".join(
        f"""
def test_{number}(shared):
    srv = shared()
    assert srv.get("/seats/{number}").json() == {{"holder": "holder {number}"}}
    assert srv.redis.get("seat:{number}") == srv.postgres.value("select holder from seat where id = %s", {number})
"""
        for number in range(1, CHECKS)
    )
    + """
def test_missing(shared):
    assert shared().get("/seats/999").status_code == 404
"""
)


def _services() -> Task:
    job = http_job(SEATS, SEATS_TESTS, *_names(SEATS_TESTS), exercise="services", services=("postgres", "redis"))
    job = replace(job, suite={**job.suite, "data/schema.sql": SEATS_SCHEMA})
    return Task(name="services", job=job, files={}, image="")


PURE, FLASK, SQL, SERVICES = _pure(), _flask(), _sql(), _services()
TASKS = (PURE, FLASK, SQL, SERVICES)
