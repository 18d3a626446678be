"""An exercise in which all that a learner must not see holds a canary, and a walk over all that they can ask.

Used with the scripted sandbox (tests/unit/test_canary.py) and with the real one (tests/sandbox/test_canary.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from app.catalog.models import Exercise
from app.db import db
from app.submissions.models import Submission
from tests.factories import make_exercise

# Never shown to a learner, whatever they do.
HIDDEN = {
    "test": "canary-9d1b-test",
    "function": "canary_9d1b_function",
    "input": "canary-9d1b-input",
    "expected": "canary-9d1b-expected",
    "message": "canary-9d1b-message",
    "data": "canary-9d1b-data",
    "wrong code": "canary-9d1b-wrong",
    "wrong reason": "canary-9d1b-reason",
    "wrong folder": "canary-9d1b-folder",
    "operator": "canary-9d1b-operator",
}
# Shown to those who solved it or gave up.
SOLUTION = {"reference": "canary-9d1b-reference", "notes": "canary-9d1b-notes"}
HINTS = ("canary-9d1b-first-hint", "canary-9d1b-second-hint")
EVERY = {**HIDDEN, **SOLUTION, **{hint: hint for hint in HINTS}}

TRACK, SLUG = "welcome", "echo"
URL = f"/exercises/{TRACK}/{SLUG}"
JSON = {"Accept": "application/json"}

MANIFEST = f"""\
schema: 1
id: 0b1c2d3e-0000-4000-8000-0000000000ca
title: Echo
kind: calls
skills: [echoing]
difficulty: 1
minutes: 5
languages:
  python: {{entry: app.py}}
limits: {{seconds: 20, memory_mb: 128, cpus: 1}}
checks:
  - {{id: plain, test: test_plain, requirement: R1, group: core, visible: true, title: "Says it back"}}
  - {{id: odd, test: test_{HIDDEN["function"]}, requirement: R1, group: edge, title: "Says odd things", hint: "Odd?"}}
  - {{id: loud, test: test_loud, requirement: R2, group: security, title: "Shouts when asked to"}}
hints: ["{HINTS[0]}", "{HINTS[1]}"]
wrong:
  - dir: {HIDDEN["wrong folder"]}
    language: python
    reason: "{HIDDEN["wrong reason"]}"
    must_fail: [odd]
    may_fail: []
  - {{dir: mute, language: python, reason: "{HIDDEN["wrong reason"]} two", must_fail: [plain], may_fail: [odd, loud]}}
"""
REFERENCE = f"""\
def echo(text):  # {SOLUTION["reference"]}
    return {{"{HIDDEN["input"]}": "{HIDDEN["expected"]}"}}.get(text, text)
"""
FILES = {
    "exercise.yaml": MANIFEST,
    "README.md": "# Echo\n\nSay it back.\n\n- **R1** Return the text.\n- **R2** Shout.\n",
    "starter/python/app.py": "def echo(text):\n    return ''\n",
    "solutions/python/app.py": REFERENCE,
    "solutions/notes.md": f"Say {SOLUTION['notes']}.\n",
    f"wrong/{HIDDEN['wrong folder']}/app.py": f"def echo(text):  # {HIDDEN['wrong code']}\n    return 'x'\n",
    "wrong/mute/app.py": f"def echo(text):  # {HIDDEN['wrong code']}\n    return ''\n",
    "tests/visible/test_visible.py": "def test_plain(solution):\n    assert solution.echo('hello') == 'hello'\n",
    "tests/hidden/test_hidden.py": f"""\
# {HIDDEN["test"]}
def test_{HIDDEN["function"]}(solution, data):
    assert "{HIDDEN["data"]}" in (data / "words.txt").read_text()
    assert solution.echo("{HIDDEN["input"]}") == "{HIDDEN["expected"]}", "{HIDDEN["message"]}"


def test_loud(solution):
    assert solution.echo("{HIDDEN["input"]}").upper() != "", "{HIDDEN["message"]}"
""",
    "data/words.txt": f"{HIDDEN['data']}\n",
}

# Passes without holding any canary in the learner's own text, which the site shows them of course.
RIGHT = "def echo(text):\n    p = 'can' + 'ary-9d1b-'\n    return p + 'expected' if text == p + 'input' else text\n"
WRONG = "def echo(text):\n    return text\n"
# Tells all it can reach: what it is called with, its surroundings, and every file that it may read.
SPY = """\
import os, sys, traceback

MARK = "can" + "ary-9d1b"


def look(where):
    for folder, _, names in os.walk(where):
        for name in names:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as file:
                    text = file.read(200_000)
            except OSError:
                continue
            if MARK.encode() in text or MARK in path:
                print("FOUND", path, text)


for place in ("/work", "/tmp", "/opt", "/srv", "/home", "/run", "/var", "/dev/shm"):
    look(place)
print(sys.argv, dict(os.environ))


def echo(text):
    print("CALLED WITH", text, file=sys.stderr)
    print("CALLED WITH", text)
    with open("/tmp/seen", "a") as file:
        file.write(text)
    print(open("/tmp/seen").read(), "".join(traceback.format_stack()))
    if MARK in text:
        raise ValueError(text)
    return text
"""


def echo_exercise() -> int:
    """Publish the exercise and return its id. Call it inside an application context."""
    return make_exercise(
        TRACK, SLUG, files=FILES, kind="calls", skills=["echoing"], languages=["python"], title="Echo"
    ).id


def send(browser: FlaskClient, code: str, purpose: str) -> int:
    """Send `code` to be judged and return the submission's id."""
    form = {"language": "python", "draft_version": "0", "purpose": purpose, "files[app.py]": code}
    answer = browser.post(f"{URL}/submissions", data=form, headers=JSON)
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: `text` is headers and body."""

    asked: str
    text: str


def everything(app: Flask, browser: FlaskClient, learner_id: int) -> Iterator[Answer]:
    """Yield the answer to all that a learner can ask without changing what the next step needs.

    New routes are walked by themselves; one with an argument that is not known here fails until it is given values.
    """
    with app.app_context():
        ids = list(db.session.scalars(select(Submission.id).order_by(Submission.id)))
        exercise_id = db.session.scalar(select(Exercise.id))
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        for path in paths(rule, ids, learner_id):
            for headers in ({}, JSON):
                for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"} | {"GET", "DELETE"}):
                    if method in {"GET", "DELETE"} or rule.endpoint not in CHANGING:
                        yield said(browser, method, path, headers)
    for query in (f"?exercise={exercise_id}", "?result=solved", "?track=welcome", "?skill=echoing", "?exercise=x"):
        yield said(browser, "GET", f"/progress/attempts{query}", {})
    for query in (
        "?q=canary",
        "?status=solved",
        "?skill=echoing",
        "?language=python",
        "?sort=x",
    ):
        yield said(browser, "GET", f"/exercises{query}", {})
    for query in ("?language=python", "?language=sql", "?after=1", "?hint=2", "?solution=1", "?revision=1"):
        yield said(browser, "GET", f"{URL}{query}", {})
    for one in ids:
        for other in ids:
            yield said(browser, "GET", f"/submissions/{one}?against={other}", {})
    yield from refused(browser)
    yield from static_files(app, browser)


# Signing out would end the walk; the others are asked with what they refuse (see `refused`).
CHANGING = {
    "accounts.sign_out",
    "accounts.end_sessions",
    "cohorts.leave",
    "submissions.open_hint",
    "submissions.open_solution",
    "submissions.create",
    "submissions.reset",
    "submissions.restore",
    "submissions.save_draft",
}


def paths(rule: Rule, ids: list[int], learner_id: int) -> Iterator[str]:
    """Yield the addresses of one route, with every value that its arguments can have here."""
    known: dict[str, list[str | int]] = {
        "track": [TRACK],
        "slug": [SLUG],
        "submission_id": [*ids, 999_999],
        "learner_id": [learner_id, 999_999],
        "thread_id": [1, 999_999],
        "copy_id": [1],
        "proof_id": [1],
        "template_id": [1],
        "run_id": [1],
        "pair_id": [1],
        "notice_id": [1],
        "cohort_id": [1],
        "person_id": [learner_id],
        "invitation_id": [1],
        "assignment_id": [1],
        "regrade_id": [1],
        "code": ["ABCDEFGH"],
    }
    chosen: list[dict[str, object]] = [{}]
    for name in rule.arguments:
        chosen = [{**each, name: value} for each in chosen for value in known[name]]
    for values in chosen:
        built = rule.build(values)
        assert built is not None, rule
        yield built[1]


def refused(browser: FlaskClient) -> Iterator[Answer]:
    """Yield what is said to those who ask for too much, too early or in the wrong way."""
    for draft in (
        {"language": "python", "version": 99, "files": {"app.py": "x"}},
        {"language": "python", "version": 0, "files": {"tests/hidden/test_hidden.py": ""}},
        {"language": "python", "version": 0, "files": {"../solutions/python/app.py": ""}},
        {"language": "sql", "version": 0, "files": {"app.py": "x"}},
        {"language": "python"},
    ):
        answer = browser.put(f"{URL}/draft", json=draft, headers=JSON)
        yield Answer(asked=f"PUT {URL}/draft {draft}", text=answer.text)
    for form in (
        {"purpose": "submit", "language": "python"},
        {"purpose": "submit", "language": "python", "files[app.py]": ""},
        {"purpose": "prove", "language": "python", "files[app.py]": WRONG},
        {"purpose": "submit", "language": "python", "files[tests/hidden/test_hidden.py]": "x"},
        {"purpose": "submit", "language": "cobol", "files[app.py]": WRONG},
    ):
        yield said(browser, "POST", f"{URL}/submissions", JSON, form)
        yield said(browser, "POST", f"{URL}/submissions", {}, form)
    for form in ({"position": "0"}, {"position": "9"}, {"position": "x"}):
        yield said(browser, "POST", f"{URL}/hints", {}, form)
    yield said(browser, "POST", f"{URL}/solution", {}, {"sure": "no"})
    yield said(browser, "POST", f"{URL}/reset", {}, {"language": "cobol"})
    for path in (
        f"{URL}/tests/hidden/test_hidden.py",
        f"{URL}/solutions",
        f"/exercises/{TRACK}/{SLUG}/../{SLUG}/exercise.yaml",
        "/static/../../exercises/welcome/echo/exercise.yaml",
        "/static/..%2f..%2fconfig.py",
        "/%00",
        "/nothing",
    ):
        yield said(browser, "GET", path, {})


def said(
    browser: FlaskClient, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None = None
) -> Answer:
    """Return the answer to one request, its headers included."""
    with browser.open(path, method=method, headers=headers, data=form) as answer:
        return Answer(asked=f"{method} {path} {headers or ''} {form or ''}", text=f"{answer.headers}\n{answer.text}")


def static_files(app: Flask, browser: FlaskClient) -> Iterator[Answer]:
    """Yield each file that is served as it is."""
    root = Path(app.static_folder or "")
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield Answer(asked=f"static {path.name}", text=path.read_bytes().decode("utf-8", "replace"))


def found(answers: Iterator[Answer], secrets: dict[str, str]) -> list[str]:
    """Return what of `secrets` the answers told, and where."""
    return [
        f"{answer.asked} tells the {name}"
        for answer in answers
        for name, secret in secrets.items()
        if secret in answer.text
    ]
