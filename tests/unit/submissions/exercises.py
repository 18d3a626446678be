"""A small exercise for the tests of submissions. What a learner must never see holds the word HIDDEN."""

from __future__ import annotations

from typing import Any

from app.catalog.models import Exercise
from tests.factories import make_exercise

HIDDEN = "canary-7f3a"

MANIFEST = f"""\
schema: 1
id: 0b1c2d3e-0000-4000-8000-000000000001
title: Double it
kind: calls
skills: [arithmetic]
difficulty: 1
minutes: 5
languages:
  python: {{entry: app.py}}
limits: {{seconds: 7, memory_mb: 96, cpus: 1}}
checks:
  - {{id: twice, test: test_twice, requirement: R1, group: core, visible: true, title: "Doubles a number"}}
  - {{id: text, test: test_text, requirement: R2, group: edge, visible: true, title: "Doubles a text"}}
  - {{id: big, test: test_big, requirement: R1, group: edge, title: "Doubles big numbers", hint: "How big is big?"}}
  - {{id: none, test: test_none, requirement: R3, group: security, title: "Refuses nothing"}}
hints: ["First hint.", "Second hint."]
wrong:
  - {{dir: adds-two, language: python, reason: "{HIDDEN} adds", must_fail: [big], may_fail: []}}
  - {{dir: adds-one, language: python, reason: "{HIDDEN} adds one", must_fail: [big], may_fail: []}}
  - {{dir: takes-none, language: python, reason: "{HIDDEN} none", must_fail: [none], may_fail: []}}
"""

FILES = {
    "exercise.yaml": MANIFEST,
    "README.md": "# Double it\n\n**R1** Double numbers.\n\n**R2** Double texts.\n\n**R3** Refuse null.\n",
    "starter/python/app.py": "def double(x):\n    return x\n",
    "starter/python/notes.py": "# Notes\n",
    "solutions/python/app.py": "def double(x):  # the reference\n    return x * 2\n",
    "solutions/python/notes.py": "# Notes\n",
    "solutions/notes.md": "Say why multiplication is enough.\n",
    "wrong/adds-two/app.py": f"# {HIDDEN}\ndef double(x):\n    return x + 2\n",
    "wrong/adds-two/notes.py": "# Notes\n",
    "wrong/adds-one/app.py": f"# {HIDDEN}\ndef double(x):\n    return x + 1\n",
    "wrong/adds-one/notes.py": "# Notes\n",
    "wrong/takes-none/app.py": f"# {HIDDEN}\ndef double(x):\n    return x and x * 2\n",
    "wrong/takes-none/notes.py": "# Notes\n",
    "tests/visible/test_visible.py": (
        "def test_twice(solution):\n    assert solution.double(2) == 4\n\n\n"
        "def test_text(solution):\n    assert solution.double('a') == 'aa'\n"
    ),
    "tests/hidden/test_hidden.py": (
        f"CANARY = '{HIDDEN}'\n\n\ndef test_big(solution):\n    assert solution.double(10**9) == 2 * 10**9\n\n\n"
        "def test_none(solution):\n    assert solution.double(None) is None\n"
    ),
}

ANSWER = {"app.py": "def double(x):\n    return x * 2\n", "notes.py": "# Notes\n"}
CHECKS = ("twice", "text", "big", "none")
URL = "/exercises/welcome/double-it"


def double_it(**more: Any) -> Exercise:
    """The exercise, published."""
    columns = {"kind": "calls", "skills": ["arithmetic"], "languages": ["python"], "title": "Double it", **more}
    return make_exercise("welcome", "double-it", files=FILES, **columns)
