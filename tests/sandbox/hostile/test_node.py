"""Node.js: what its programs can reach in their own process and box, and that none of it forges or breaks a verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.job import MIB, Job, Limits
from sandbox.outcome import Ended
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import PATIENT, SHORT, accepted, add_job, passed, probe_job
from tests.sandbox.jobs import http_job

NODE: dict[str, Any] = {"runtime": "node", "entry": "solution.js"}
# Finds the driver's channel, and listens in on what the judge asks, as code beside the driver can.
FIND = """
const fs = require("node:fs");
const OUT = Number(process.argv[3]);
const say = (line) => fs.writeSync(OUT, line + "\\n");
let asked = "";
process._getActiveHandles()[0].prependListener("data", (chunk) => { asked = JSON.parse(chunk.toString()).id; });
const forge = (value) => JSON.stringify({ id: asked, results: [{ value }], out: "", flood: false });
"""
ADD = "module.exports = { add: (a, b) => a + b };\n"
WRONG = "module.exports = { add: () => 0 };\n"


def node_add_job(code: str, limits: Limits = PATIENT, **changes: Any) -> Job:
    """Return a job that judges `add` in Node.js by one visible and two hidden checks."""
    return add_job("", limits, **(NODE | {"files": {"solution.js": code}} | changes))


def attack(body: str) -> str:
    """Return a module whose `add` does `body` on hidden text and is right otherwise."""
    return f'{FIND}\nmodule.exports = {{ add(a, b) {{ if (typeof a === "string") {{ {body} }} return a + b; }} }};\n'


DISTURBING = {
    "a reply with an id that was guessed": """say('{"id":"00","results":[{"value":1}],"out":"","flood":false}')""",
    "a line that nobody asked for": """say('{"hello":1}')""",
    "two answers to one question": "say(forge(a + b)); say(forge(a + b))",
    "duplicate keys": """say('{"id":"x",' + forge(a + b).slice(1))""",
    "not a number": """say(forge(1).replace('"value":1', '"value":NaN'))""",
    "an extra field": """say(forge(a + b).slice(0, -1) + ',"passed":true}')""",
    "a missing result": """say(forge(1).replace('{"value":1}', ''))""",
    "a result of no known shape": """say(forge(1).replace('"value"', '"passed"'))""",
    "the judge's own last frame": """say('{"type":"end","nonce":"00","ended":"completed","checks":[]}')""",
    "a second loaded": """say('{"type":"loaded","out":""}')""",
    "a line without an end": "fs.writeSync(OUT, '[')",
    "nesting beyond the cap": "say(forge(1).replace('1}', '['.repeat(300) + ']'.repeat(300) + '}'))",
    "exit status 0": "process.exit(0)",
    "the exit that asks for a fresh process": "process.reallyExit(86)",
    "a signal that cannot be caught": "process.kill(process.pid, 'SIGKILL')",
    "the end of the process above": "process.kill(process.ppid, 'SIGKILL'); while (true);",
    "the end of all it can kill": "try { process.kill(-1, 'SIGKILL'); } catch {} process.abort()",
    "an abort": "process.abort()",
    "an error that exits when it is told": "throw { get message() { process.exit(0); } }",
    "a result that exits when it is written": "return { toJSON() { process.exit(0); } }",
    "a promise that exits when it is awaited": "return { then() { process.exit(0); } }",
    "a worker that writes": (
        "const text = `require('node:fs').writeSync(${OUT}, '{}\\\\n')`;"
        "new (require('node:worker_threads').Worker)(text, { eval: true });"
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)"
    ),
    "a child with the channel": (
        "const stdio = ['ignore', 'ignore', 'ignore', OUT];"
        "require('node:child_process').spawnSync('sh', ['-c', 'echo {} >&3'], { stdio })"
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", DISTURBING.values(), ids=DISTURBING.keys())
def test_whoever_disturbs_the_channel_has_crashed(hostile: Range, body: str) -> None:
    job = node_add_job(attack(body))
    outcome = hostile.run(job)
    assert outcome.ended is Ended.CRASHED
    assert not accepted(outcome, job)
    assert "small" in passed(outcome)  # what was judged before stays judged


@pytest.mark.parametrize("body", ["say('{}')", "process.reallyExit(86)", "say(forge(a + b)); process.exit()"])
def test_it_is_no_other_over_the_pump(spliced: Range, body: str) -> None:
    job = node_add_job(attack(body))
    outcome = spliced.run(job)
    assert outcome.ended is Ended.CRASHED
    assert not accepted(outcome, job)
    assert accepted(spliced.run(node_add_job(ADD)), job)


AT_LOAD = {
    "loaded, before it is": 'say(\'{"type":"loaded","out":""}\')',
    "a type that is a list": 'say(\'{"type":[],"out":""}\')',
    "a second greeting": 'say(\'{"type":"up"}\')',
    "garbage": "fs.writeSync(OUT, Buffer.from([255, 254, 0, 10]))",
    "an exit": "process.exit(0)",
    "a fresh process again and again": "process.reallyExit(86)",
    "a listener on the way out": "process.on('exit', () => say('{}')); process.exit()",
}


@pytest.mark.parametrize("body", AT_LOAD.values(), ids=AT_LOAD.keys())
def test_whoever_disturbs_the_channel_while_it_loads_is_not_accepted(hostile: Range, body: str) -> None:
    job = node_add_job(f"{FIND}\n{body};\n{ADD}", SHORT)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.CRASHED, Ended.OUT_OF_TIME}
    assert not accepted(outcome, job)


CHEATS = {
    "a reply forged before the driver's": (
        f"{FIND}\nmodule.exports = {{ add() {{ say(forge(0)); process.exit(0); }} }};"
    ),
    "JSON replaced": "const old = JSON.stringify; JSON.stringify = (o) => old({ ...o, passed: true });" + WRONG,
    "JSON replaced by nothing": "JSON.stringify = () => '{}'; JSON.parse = () => ({});" + WRONG,
    "every object has a value": "Object.prototype.value = 3; Object.prototype.passed = true;" + WRONG,
    "every object writes itself": "Object.prototype.toJSON = function () { return 3; };" + WRONG,
    "every number writes itself": "Number.prototype.toJSON = function () { return 3; };" + WRONG,
    "every list is empty": (
        "Array.prototype[Symbol.iterator] = function* () {}; Array.prototype.map = () => [];"
        "Array.prototype.push = () => 1;" + WRONG
    ),
    "every name is there": "Object.defineProperty(Object.prototype, '0', { get: () => 'fn' });" + WRONG,
    "promises that are kept at once": (
        "Promise.prototype.then = function (kept) { kept?.(true); return this; }; Reflect.apply = () => true;" + WRONG
    ),
    "nothing is an error": "Error.prototype.toString = () => '3'; Error.prepareStackTrace = () => 3;" + WRONG,
    "a number that is another": (
        "module.exports = { add: () => ({ valueOf: () => 3, [Symbol.toPrimitive]: () => 3 }) };"
    ),
    "a boxed number": "module.exports = { add: () => Object.assign(new Number(3), { toString: () => '3' }) };",
    "an object that equals everything": "module.exports = { add: () => new Proxy({}, { get: () => () => true }) };",
    "text that is nearly it": "module.exports = { add: (a, b) => String(a) + String(b) + '\\u200b' };",
    "an error named like ours": (
        "class LimitHit extends Error {} class Skipped extends Error {}\n"
        "module.exports = { add(a) { throw new (a === 1 ? LimitHit : Skipped)('passed'); } };"
    ),
    "output that looks like a verdict": (
        'console.log(\'{"type":"end","ended":"completed"}\');'
        "module.exports = { add: () => { console.log('3 passed in 0.01s'); return 0; } };"
    ),
    "streams replaced": (
        "process.stdout.write = () => true; process.exit = () => {}; process.reallyExit = () => {};" + WRONG
    ),
    "the socket replaced": (
        "require('node:net').Socket.prototype.write = function (text) { return true; };"
        "const fs = require('node:fs'); fs.writeSync = () => 1;" + WRONG
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", CHEATS.values(), ids=CHEATS.keys())
def test_no_cheat_passes_a_check(hostile: Range, code: str) -> None:
    job = node_add_job(code, SHORT)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.COMPLETED, Ended.CRASHED, Ended.OUT_OF_TIME}
    assert passed(outcome) == set()
    assert not accepted(outcome, job)


POLLUTED = {
    "a JSON of its own": "JSON.stringify = () => 'x'; JSON.parse = () => null;",
    "members on every object": (
        "Object.prototype.value = 1; Object.prototype.error = 2; Object.prototype.then = undefined;"
    ),
    "members on every list": "Array.prototype.last = function () { return this[this.length - 1]; };",
    "big integers that write themselves": "BigInt.prototype.toJSON = function () { return String(this); };",
    "frozen ground": (
        "Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(Promise.prototype);"
    ),
    "everything printed is swallowed": "console.log = () => {}; process.stdout.write = () => true;",
}


@pytest.mark.parametrize("code", POLLUTED.values(), ids=POLLUTED.keys())
def test_a_right_answer_that_changes_its_surroundings_is_still_understood(hostile: Range, code: str) -> None:
    job = node_add_job(code + ADD)
    assert accepted(hostile.run(job), job)


LEAKS = {
    "printed": "console.log(a); return 0",
    "written to standard error": "process.stderr.write(a); return 0",
    "in an error": "throw new Error(a)",
    "in the name of an error": "throw Object.assign(new Error(a), { name: a })",
    "as the answer": "return a",
    "as a key": "return { [a]: a }",
    "in an error that nobody catches": "setTimeout(() => { throw new Error(a); }); return 0",
    "in a promise that nobody awaits": "Promise.reject(new Error(a)); return 0",
    "printed before it dies": "console.log(a); process.exit(0)",
    "printed by the engine": "console.trace(a); process.emitWarning(a); process.abort()",
    "as a message of the driver": "say(JSON.stringify({ type: 'crashed', detail: a, out: a })); return a",
    "as the flood's beginning": "console.log(a.repeat(200_000)); return 0",
    "a report": "process.report.writeReport('/tmp/' + a, new Error(a)); return 0",
}


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS.keys())
def test_a_hidden_input_stays_hidden_whatever_is_done_with_it(hostile: Range, body: str) -> None:
    job = node_add_job(attack(body))
    outcome = hostile.run(job)  # looks for the canary in all of it
    assert outcome.ended in {Ended.COMPLETED, Ended.CRASHED, Ended.TOO_MUCH_OUTPUT}
    assert "text" not in passed(outcome)
    hidden = [check for check in outcome.checks if check.id != "small"]
    assert all(not (c.message or c.steps or c.expected or c.actual or c.output) for c in hidden)


def test_what_is_known_of_a_hidden_input_does_not_reach_a_restarted_program_s_crash(hostile: Range) -> None:
    hidden = 'def test_text(solution):\n    solution.add("canary-91c4e7", "")\n    solution.restart()\n'
    code = (
        "const fs = require('node:fs');\n"
        "if (fs.existsSync('/tmp/kept')) throw new Error(fs.readFileSync('/tmp/kept'));\n"
        "module.exports = { add(a, b) { fs.writeFileSync('/tmp/kept', a); return a + b; } };\n"
    )
    job = node_add_job(code, suite={"tests/hidden/test_hidden.py": hidden}, checks=(add_job("").checks[1],))
    outcome = hostile.run(job)
    assert outcome.ended is Ended.CRASHED
    assert (outcome.detail, outcome.output) == ("", "")


HUNGRY = Limits(wall_time=timedelta(seconds=20), memory_bytes=128 * MIB)
MEMORY = {
    "many small objects": "const held = []; while (true) held.push({ n: held.length })",
    "buffers": "const held = []; while (true) held.push(Buffer.alloc(1 << 20, 1))",
    "a string": "let held = 'x'; while (true) { held += held; Buffer.from(held); }",
    "workers": (
        "const { Worker } = require('node:worker_threads');"
        "const text = 'const held = []; while (true) held.push(Buffer.alloc(1 << 20, 1))';"
        "for (let n = 0; n < 8; n++) new Worker(text, { eval: true });"
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)"
    ),
    "a child": (
        "const text = 'const held = []; while (true) held.push(Buffer.alloc(1 << 20, 1))';"
        "require('node:child_process').spawnSync(process.execPath, ['-e', text])"
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", MEMORY.values(), ids=MEMORY.keys())
def test_memory_beyond_the_limit_ends_the_box(hostile: Range, body: str) -> None:
    outcome = hostile.run(node_add_job(attack(body), HUNGRY))
    assert outcome.ended in {Ended.OUT_OF_MEMORY, Ended.CRASHED} if "held +=" in body else {Ended.OUT_OF_MEMORY}
    assert outcome.max_memory_bytes <= 128 * MIB


PROCESSES = {
    "children": (
        "const { spawn } = require('node:child_process');"
        "for (let n = 0; n < 400; n++) spawn('sleep', ['600']).on('error', () => {});"
        "return new Promise(() => {})"
    ),
    "a fork bomb": (
        "require('node:child_process').spawn('sh', ['-c', 'f() { f | f & }; f']); return new Promise(() => {})"
    ),
    "workers": (
        "const { Worker } = require('node:worker_threads');"
        "for (let n = 0; n < 300; n++) new Worker('setInterval(() => {}, 1e6)', { eval: true }).on('error', () => {});"
        "return new Promise(() => {})"
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", PROCESSES.values(), ids=PROCESSES.keys())
def test_more_processes_than_allowed_fail_the_submission(hostile: Range, body: str) -> None:
    job = node_add_job(attack(body), SHORT)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.TOO_MANY_PROCESSES, Ended.OUT_OF_TIME, Ended.OUT_OF_MEMORY, Ended.CRASHED}
    assert not accepted(outcome, job)


TIME = {
    "spinning": "while (true);",
    "a promise that is never kept": "return new Promise(() => {})",
    "microtasks for ever": "const again = () => queueMicrotask(again); again(); return new Promise(() => {})",
    "a regular expression": "/^(a+)+$/.test('a'.repeat(64) + 'b')",
    "a getter": "return { get a() { while (true); } }",
    "waiting": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "stopping itself": "process.kill(process.pid, 'SIGSTOP')",
    "a proxy without an end": "return new Proxy([], { get: (_, k) => (k === 'length' ? Infinity : []), })",
}


@pytest.mark.parametrize(("name", "body"), TIME.items(), ids=TIME.keys())
def test_a_call_without_an_end_runs_out_of_time(hostile: Range, name: str, body: str) -> None:
    outcome = hostile.run(node_add_job(attack(body), SHORT))
    # A list that never ends may need all memory before all time; whichever is first.
    endless = {Ended.OUT_OF_TIME, Ended.OUT_OF_MEMORY} if "proxy" in name else {Ended.OUT_OF_TIME}
    assert outcome.ended in endless
    assert "text" not in passed(outcome)


FLOODS = {
    "printed": "while (true) console.log('x'.repeat(1000))",
    "errors": "while (true) process.stderr.write('x'.repeat(1000))",
    "descriptor 1": "while (true) fs.writeSync(1, 'x'.repeat(65_536))",
    "a child's output": "require('node:child_process').spawnSync('yes', { stdio: 'inherit' })",
    "from a timer": (
        "setInterval(() => { while (true) console.log('x'.repeat(1000)); }, 1); return new Promise(() => {})"
    ),
    "lines to the judge": "while (true) say('x'.repeat(100_000))",
}  # fmt: skip


@pytest.mark.parametrize("body", FLOODS.values(), ids=FLOODS.keys())
def test_output_without_an_end_is_bounded_and_fails_the_submission(hostile: Range, body: str) -> None:
    job = node_add_job(attack(body), SHORT)
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.TOO_MUCH_OUTPUT, Ended.OUT_OF_TIME, Ended.CRASHED}
    assert not accepted(outcome, job)
    assert len(repr(outcome)) < 10_000


BOMBS = {
    "a long list": "Array(1_000_000).fill(0.5)",
    "many lists": "Array.from({ length: 1_300_000 }, () => [])",
    "many objects": "Array.from({ length: 500_000 }, () => ({ a: 1 }))",
    "a circle": "((a) => { a.push(a); return a; })([])",
    "a circle of writers": "({ toJSON() { return this; } })",
    "a huge string": "'\\n'.repeat(100_000_000)",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_huge_answer_is_the_submission_s_fault_and_never_the_judge_s(hostile: Range, bomb: str) -> None:
    outcome = hostile.run(node_add_job(f"module.exports = {{ add: () => {bomb} }};"))
    assert outcome.ended in {Ended.COMPLETED, Ended.CRASHED, Ended.OUT_OF_TIME, Ended.OUT_OF_MEMORY}
    assert passed(outcome) == set()


LOOK = """
const fs = require("node:fs");
const net = require("node:net");
const dial = (to) => new Promise((resolve) => {
  const line = net.connect(to);
  line.on("connect", () => resolve("reached")).on("error", (error) => resolve(error.code));
  line.setTimeout(1500, () => resolve("silence"));
});
const found = (name) => ["/usr/bin/", "/bin/", "/usr/local/bin/"].some((at) => fs.existsSync(at + name));
const pids = () => fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
const quiet = (look) => { try { return look(); } catch (error) { return error.code; } };
module.exports = {
  add: (a, b) => a + b,
  dial: (port, host) => dial({ port, host }),
  door: () => dial("/run/door/door"),
  resolve: () => require("node:dns/promises").lookup("example.org").catch((error) => error.code),
  read: (path) => quiet(() => fs.readFileSync(path, "utf8").length),
  write: (path) => quiet(() => fs.writeFileSync(path, "x")) ?? "written",
  names: () => pids().map((pid) => quiet(() => fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim())),
  environment: () => Object.keys(process.env),
  npm: () => ["npm", "npx", "yarn", "gcc", "cc", "make"].filter(found),
  setuid: () => (quiet(() => process.setuid(0)), process.getuid()),
};
"""
SEEN = {
    "nobody_outside": 'solution.dial(80, "1.1.1.1") in ("ENETUNREACH", "EACCES", "EPERM")',
    "no_host": 'solution.dial(22, "172.17.0.1") in ("ENETUNREACH", "EACCES", "EPERM")',
    "no_resolver": 'solution.resolve() in ("EAI_AGAIN", "ENOTFOUND")',
    "no_second_line": 'solution.door() in ("ENOENT", "ECONNREFUSED", "EACCES")',
    "no_process_of_others": "set(solution.names()) <= {'docker-init', 'init', 'python3', 'MainThread', 'node'}",
    "no_secrets": "set(solution.environment()) <= {'PATH', 'HOME', 'LANG', 'HOSTNAME', 'PYTHONDONTWRITEBYTECODE',"
    " 'PYTHONNOUSERSITE', 'PYTHONUNBUFFERED', 'PYTHONUTF8'}",
    "no_other_driver": "solution.write('/opt/greenroom/driver.js') in ('EROFS', 'EACCES')",
    "no_shadow": "solution.read('/etc/shadow') == 'EACCES'",
    "no_memory_of_init": "solution.read('/proc/1/mem') in ('EACCES', 'EPERM', 'EIO')",
    "no_package_manager_and_no_compiler": "solution.npm() == []",
    "no_other_user": "solution.setuid() != 0",
}


def test_there_is_nothing_to_see_and_nobody_to_reach(hostile: Range) -> None:
    job = probe_job("", SEEN, **(NODE | {"files": {"solution.js": LOOK}}))
    outcome = hostile.run(job)
    assert passed(outcome) == set(SEEN), {c.id: (c.message, c.actual) for c in outcome.checks if not c.passed}


SERVER = """
const fs = require("node:fs");
const { spawn } = require("node:child_process");
const quiet = (look) => { try { return look(); } catch { return ""; } };
const open = fs.readdirSync("/proc/self/fd").map((n) => quiet(() => fs.readlinkSync(`/proc/self/fd/${n}`)));
const name = (pid) => quiet(() => fs.readFileSync(`/proc/${pid}/comm`, "utf8"));
const doings = {
  "/health": () => "up",
  "/fds": () => open.filter((name) => name.startsWith("socket:")).length,
  "/daemon": () => spawn("sleep", ["600"], { detached: true, stdio: "ignore" }).unref() ?? "left",
  "/sleepers": () => fs.readdirSync("/proc").filter((pid) => name(pid) === "sleep\\n").length,
  "/kill": () => process.kill(process.ppid, "SIGKILL"),
  "/all": () => { try { process.kill(-1, "SIGKILL"); } finally { process.exit(); } },
};
const serve = (request, response) => response.end(String(doings[request.url]()));
require("node:http").createServer(serve).listen(process.env.PORT, "127.0.0.1");
"""
SERVER_TESTS = """
def test_nothing_of_ours_is_open(start):
    assert start().get("/fds").text == "0"
    assert start().get("/fds").text == "0"

def test_no_daemon_outlives_a_restart(start):
    srv = start()
    srv.get("/daemon")
    assert srv.get("/sleepers").text == "1"
    srv.restart()
    assert srv.get("/sleepers").text == "0"
"""


def server_job(tests: str, *names: str) -> Job:
    return http_job("", tests, *names, runtime="node", entry="server.js", files={"server.js": SERVER},
                    command=("node", "server.js"), limits=PATIENT)  # fmt: skip


def test_a_server_has_nothing_of_ours_and_leaves_nothing(hostile: Range) -> None:
    job = server_job(SERVER_TESTS, "test_nothing_of_ours_is_open", "test_no_daemon_outlives_a_restart")
    assert accepted(hostile.run(job), job)


@pytest.mark.parametrize("path", ["/kill", "/all"])
def test_a_server_that_kills_the_shim_has_crashed(hostile: Range, path: str) -> None:
    tests = (
        f"def test_n(start):\n    srv = start()\n    srv.get('{path}')\n    assert srv.get('/health').text == 'up'\n"
    )
    job = server_job(tests, "test_n")
    outcome = hostile.run(job)
    assert outcome.ended in {Ended.CRASHED, Ended.COMPLETED}
    assert passed(outcome) == set()
