"""Node.js beside Python: the same suites, names and errors as its programmers write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.docker_box import DockerBox
from sandbox.job import MIB, Check, Job, Limits
from sandbox.outcome import Ended, Outcome
from tests.sandbox.jobs import calls_job, http_job, suite
from tests.sandbox.test_docker_box import HTTP_NAMES, HTTP_TESTS

NODE = {"runtime": "node", "entry": "cache.js"}
PATIENT = Limits(wall_time=timedelta(seconds=120))


def node_job(code: str, tests: str, **changes: Any) -> Job:
    """Return a job whose one check is `tests`, a visible function called test_n."""
    given = {
        "files": {"cache.js": code},
        "suite": suite(tests),
        "checks": (Check(id="n", test="test_n", visible=True),),
    }
    return calls_job(**(NODE | given | changes))


def judged(box: DockerBox, code: str, *claims: str, **changes: Any) -> Outcome:
    """Return the outcome of a check of `claims`, which are lines of a test."""
    lines = "".join(f"    {line}\n" for claim in claims for line in claim.splitlines())
    head = "import pytest\nfrom sandbox.judge import SolutionError\n"
    return box.run(node_job(code, f"{head}def test_n(solution):\n{lines}", **changes), lambda _: None)


def holds(outcome: Outcome) -> bool:
    assert outcome.ended is Ended.COMPLETED, outcome
    assert [check.passed for check in outcome.checks] == [True], outcome
    return True


def test_names_are_camel_case_and_classes_keep_theirs(docker_box: DockerBox) -> None:
    code = """
class TtlCache {
  constructor(capacity) { this.capacity = capacity; this.held = new Map(); }
  putMany(pairs) { for (const [key, value] of pairs) this.held.set(key, value); return this.held.size; }
  get_one(key) { return this.held.get(key); }
}
function twoWords(a, b) { return [a, b]; }
function as_it_is() { return "kept"; }
module.exports = { TtlCache, twoWords, as_it_is };
"""
    claims = (
        'cache = solution.new("TtlCache", 3)',
        'assert cache.put_many([["a", 1], ["b", None]]) == 2',
        'assert cache.get_one("a") == 1 and cache.get_one("absent") is None',
        'assert solution.two_words({"some_key": [1.5]}, True) == [{"some_key": [1.5]}, True]',
        'assert solution.as_it_is() == "kept"',
        'for name in ("absent", "to_string", "constructor"):\n    with pytest.raises(SolutionError):\n'
        "        getattr(solution, name)()",
        "with pytest.raises(SolutionError) as missing:\n    cache.to_string()",
        'assert "toString" in missing.value.message',
    )
    assert holds(judged(docker_box, code, *claims))


def test_promises_are_awaited_one_call_after_the_other(docker_box: DockerBox) -> None:
    code = """
const { setTimeout: sleep } = require("node:timers/promises");
const seen = [];
async function slow(n) { await sleep(20 - n); seen.push(n); return n; }
module.exports = { slow, seen: () => seen, never: async () => { throw new RangeError("late"); } };
"""
    claims = (
        'assert solution.many([("slow", n) for n in (1, 15, 3)]) == [1, 15, 3]',
        "assert solution.seen() == [1, 15, 3]",
        "with pytest.raises(SolutionError) as late:\n    solution.never()",
        'assert (late.value.type, late.value.message) == ("RangeError", "late")',
    )
    assert holds(judged(docker_box, code, *claims))


RESULTS = {
    "undefined": ("undefined", "is None"),
    "a date": ("new Date(0)", '== "1970-01-01T00:00:00.000Z"'),
    "members that are undefined": ("{ a: undefined, b: [undefined] }", '== {"b": [None]}'),
    "an object of a class": ("new (class Point { x = 1; #y = 2 })()", '== {"x": 1}'),
    "names that mean something": (
        'JSON.parse(\'{"__proto__": 1, "toString": 2}\')', '== {"__proto__": 1, "toString": 2}'
    ),
    "minus zero": ("[-0, 1e21, 0.1 + 0.2]", "== [0, 1e21, 0.1 + 0.2]"),
    "half a character": ('"\\ud800 \\u{1F600}"', '== "\\ud800 \\U0001f600"'),
}  # fmt: skip


@pytest.mark.parametrize(("result", "claim"), RESULTS.values(), ids=RESULTS.keys())
def test_a_result_arrives_as_json(docker_box: DockerBox, result: str, claim: str) -> None:
    assert holds(
        judged(docker_box, f"module.exports = {{ give: () => ({result}) }};", f"assert solution.give() {claim}")
    )


REFUSED = {
    "not a number": "NaN",
    "infinity deep inside": "[{ a: -Infinity }]",
    "a large integer": "10n ** 20n",
    "a symbol": "Symbol('x')",
    "a function": "{ f() {} }",
    "a map": "new Map([[1, 2]])",
    "bytes": "new Uint8Array(3)",
    "a circle": "((a) => { a.self = a; return a; })({})",
    "depth": "Array(400).fill(0).reduce((inner) => [inner], 1)",
    "length": "'x'.repeat(4_000_000)",
    "length in bytes": "'é'.repeat(2_000_000)",
    "a list without an end": "Object.defineProperty([], 'length', { value: 4_000_000_000 })",
}


@pytest.mark.parametrize("result", REFUSED.values(), ids=REFUSED.keys())
def test_a_result_that_is_no_json_is_an_error_and_the_next_call_is_answered(docker_box: DockerBox, result: str) -> None:
    claims = (
        "with pytest.raises(SolutionError) as refused:\n    solution.give()",
        'assert refused.value.type == "NotJson", refused.value',
        "assert solution.fine() == 1",
    )
    assert holds(judged(docker_box, f"module.exports = {{ give: () => ({result}), fine: () => 1 }};", *claims))


THROWN = {
    "a class of its own": ("new (class InvalidToken extends Error {})('no')", ("InvalidToken", "no")),
    "a name of its own": ("Object.assign(new Error('no'), { name: 'Expired' })", ("Expired", "no")),
    "a built-in one": ("new TypeError('no')", ("TypeError", "no")),
    "one of Node's": ("(() => { try { Buffer.alloc('x') } catch (e) { return e } })()", None),
    "text": ("'no'", ("string", "no")),
    "nothing": ("null", ("null", "null")),
    "members that throw": ("{ get name() { throw 1 }, get message() { throw 2 } }", ("Error", "")),
}


@pytest.mark.parametrize(("thrown", "told"), THROWN.values(), ids=THROWN.keys())
def test_what_is_thrown_is_told_by_class_and_message(docker_box: DockerBox, thrown: str, told: Any) -> None:
    wanted = f"(e.value.type, e.value.message) == {told!r}" if told else 'e.value.type == "TypeError"'
    claims = ("with pytest.raises(SolutionError) as e:\n    solution.give()", f"assert {wanted}, e.value")
    assert holds(judged(docker_box, f"module.exports = {{ give() {{ throw {thrown}; }} }};", *claims))


def test_an_error_that_nobody_caught_fails_the_call_it_happened_in(docker_box: DockerBox) -> None:
    code = """
module.exports = {
  wait: () => new Promise(() => setTimeout(() => { throw new Error("in a timer"); }, 5)),
  forget: () => { Promise.reject(new Error("forgotten")); return 1; },
  fine: () => 2,
};
"""
    claims = (
        "with pytest.raises(SolutionError) as e:\n    solution.wait()",
        'assert e.value.message == "in a timer"',
        "assert [solution.forget(), solution.fine()] == [1, 2]",
        'assert "in a timer" in solution.output and "cache.js:3" in solution.output',
    )
    assert holds(judged(docker_box, code, *claims))


def test_timers_go_on_between_calls(docker_box: DockerBox) -> None:
    code = "let n = 0;\nsetInterval(() => { n++; }, 5).unref();\nmodule.exports = { count: () => n };"
    claims = ("import time", "before = solution.count()", "time.sleep(0.3)", "assert solution.count() > before")
    assert holds(judged(docker_box, code, *claims))


def test_output_is_told_with_the_call_it_belongs_to(docker_box: DockerBox) -> None:
    code = 'module.exports = { say: (word) => { console.log("said", word); console.error("!"); } };'
    assert holds(judged(docker_box, code, 'solution.say("x")', 'assert solution.output == "said x\\n!\\n"'))


def test_a_restart_is_a_fresh_process(docker_box: DockerBox) -> None:
    code = """
const { spawn } = require("node:child_process");
let n = 0;
process.on("exit", () => process.exit(1));
module.exports = {
  more: () => { process.env.KEPT = "yes"; spawn("sleep", ["600"], { detached: true }); return ++n; },
  kept: () => process.env.KEPT ?? null,
  strays: () => require("node:fs").readdirSync("/proc").filter((name) => {
    try { return /^\\d+$/.test(name) && require("node:fs").readFileSync(`/proc/${name}/comm`, "utf8") === "sleep\\n"; }
    catch { return false; }
  }).length,
};
"""
    claims = (
        "assert [solution.more(), solution.more(), solution.strays()] == [1, 2, 2]",
        "solution.restart()",
        "assert [solution.kept(), solution.strays(), solution.more()] == [None, 0, 1]",
        "solution.restart()",
        "assert solution.more() == 1",
    )
    assert holds(judged(docker_box, code, *claims))


BROKEN = {
    "a brace": ("let a = 1;\nfunction give(a {\n", "cache.js, line 2: SyntaxError: "),
    "modules": ('import fs from "node:fs";\n', "cache.js, line 1: SyntaxError: Cannot use import statement"),
    "an export": ("\n\nexport const give = 1;\n", "(files are CommonJS: require and module.exports)\nexport const"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_code_that_does_not_compile_is_not_loaded(docker_box: DockerBox, code: str, message: str) -> None:
    outcome = judged(docker_box, code, "pass")
    assert (outcome.ended, outcome.checks) == (Ended.NOT_LOADED, ())
    assert message in outcome.detail


def test_a_server_that_does_not_compile_is_not_loaded(docker_box: DockerBox) -> None:
    files = {"server.js": "const late = 1;\n", "routes.js": "\nmodule.exports = {;\n"}
    job = server_job("def test_n(start):\n    start()\n", files=files)
    outcome = docker_box.run(job, lambda _: None)
    assert (outcome.ended, outcome.checks) == (Ended.NOT_LOADED, ())
    assert outcome.detail.startswith("routes.js, line 2: SyntaxError: ")


CRASHES = {
    "an error": ('require("./absent.js");', "Cannot find module './absent.js'"),
    "an error of one's own": ("function f() {\n  throw new Error('oh')\n}\nf();", "Error: oh\n    at f (cache.js:2:9)"),
    "an exit": ("process.exit(0);", ""),
}


@pytest.mark.parametrize(("code", "told"), CRASHES.values(), ids=CRASHES.keys())
def test_code_that_fails_while_it_loads_has_crashed(docker_box: DockerBox, code: str, told: str) -> None:
    outcome = judged(docker_box, f"{code}\nmodule.exports = {{}};", "pass")
    assert (outcome.ended, outcome.checks) == (Ended.CRASHED, ())
    assert told in outcome.detail and "/opt/greenroom" not in outcome.detail


def test_memory_up_to_the_limit_can_be_used_and_no_more(docker_box: DockerBox) -> None:
    code = """
let held;
module.exports = { hold: (n) => { held = Array.from({ length: n }, (_, i) => ({ i })); return n; } };
"""
    assert holds(judged(docker_box, code, "assert solution.hold(2_000_000) == 2_000_000", limits=PATIENT))
    outcome = judged(docker_box, code, "solution.hold(20_000_000)", limits=PATIENT)
    assert outcome.ended is Ended.OUT_OF_MEMORY
    assert outcome.max_memory_bytes <= 256 * MIB


EXPRESS = """
const fs = require("node:fs");
const path = require("node:path");
const express = require("express");

const app = express();
app.use(express.json());
const file = path.join(process.env.STATE_DIR, "n");
const read = () => (fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) : 0);

app.get("/health", (_, response) => response.json({}));
app.get("/env", (_, response) => {
  response.json({ env: process.env, argv: process.argv, main: require.main === module });
});
app.post("/sum", (request, response) => response.json({ sum: request.body.a + request.body.b }));
app.post("/exit", () => process.exit(3));
app.post("/count", (_, response) => {
  fs.writeFileSync(file, String(read() + 1));
  response.json({ n: read(), greeting: process.env.GREETING ?? "none" });
});
console.log("up");
app.listen(process.env.PORT, "127.0.0.1");
"""
SERVER_TESTS = """
import time
import pytest
from sandbox.judge import Fault

def test_json(start):
    srv = start(SOME="thing")
    assert srv.post("/sum", json={"a": 2, "b": 3}).json() == {"sum": 5}
    assert srv.output == "up\\n"
    seen = srv.get("/env").json()
    assert seen["env"]["SOME"] == "thing" and seen["main"] is True
    assert [part.rpartition("/")[2] for part in seen["argv"]] == ["node", "server.js", "--fast"]
    assert not [name for name in seen["env"] if "GREENROOM" in name or name.startswith("DOCKER")]

def test_many(start):
    servers = [start(N=n) for n in range(5)]
    assert [srv.get("/env").json()["env"]["N"] for srv in servers] == [str(n) for n in range(5)]

def test_exit(start):
    srv = start()
    with pytest.raises(Fault):
        srv.post("/exit")
    for _ in range(100):  # its end is told a little after that of its connection
        if srv.running:
            time.sleep(0.05)
    assert not srv.running
"""


def server_job(tests: str, *names: str, **changes: Any) -> Job:
    """Return a job of kind http with a server in server.js."""
    given: dict[str, Any] = {"runtime": "node", "entry": "server.js", "command": ("node", "server.js", "--fast")}
    given |= {"limits": PATIENT}  # each server loads Express
    return http_job("", tests, *(names or ("test_n",)), **(given | {"files": {"server.js": EXPRESS}} | changes))


@pytest.mark.parametrize(
    ("tests", "names"), [(SERVER_TESTS, ("test_json", "test_many", "test_exit")), (HTTP_TESTS, HTTP_NAMES)]
)
def test_an_express_server_is_started_restarted_and_asked(
    docker_box: DockerBox, tests: str, names: tuple[str, ...]
) -> None:
    outcome = docker_box.run(server_job(tests, *names), lambda _: None)
    assert (outcome.ended, [c.id for c in outcome.checks if not c.passed]) == (Ended.COMPLETED, [])


@pytest.mark.parametrize(
    "command", [("node", "--no-warnings", "server.js", "--fast"), ("sh", "-c", "exec node server.js --fast")]
)
def test_another_command_is_run_as_it_stands(docker_box: DockerBox, command: tuple[str, ...]) -> None:
    outcome = docker_box.run(server_job(SERVER_TESTS, "test_json", command=command), lambda _: None)
    assert [c.passed for c in outcome.checks] == [True], outcome


def test_servers_find_their_libraries(docker_box: DockerBox) -> None:
    claims = ('assert solution.names("pg", "redis", "express") == ["function", "function", "function"]',)
    code = """
const made = { pg: (m) => m.Pool, redis: (m) => m.createClient, express: (m) => m };
module.exports = { names: (...all) => all.map((name) => typeof made[name](require(name))) };
"""
    assert holds(judged(docker_box, code, *claims, limits=PATIENT))
