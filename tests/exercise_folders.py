"""A small well-formed exercise folder that tests spoil in one place at a time."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """\
schema: 1
id: 3f0c6f3a-5d51-4a3c-8f0e-6a0f4f1f2b11
title: Double it
kind: calls
skills: [arithmetic]
difficulty: 1
minutes: 5
languages:
  python: {entry: app.py}
limits: {seconds: 10, memory_mb: 128, cpus: 1}
checks:
  - {id: twice, test: test_twice, requirement: R1, group: core, visible: true, title: "Doubles a number"}
  - {id: big, test: test_big, requirement: R1, group: edge, title: "Doubles big numbers", hint: "How big is big?"}
  - {id: none, test: test_none, requirement: R2, group: security, title: "Refuses nothing"}
hints: ["Multiply."]
wrong:
  - {dir: adds-two, language: python, reason: "Adds two.", must_fail: [big], may_fail: [none]}
  - {dir: takes-none, language: python, reason: "Lets null through.", must_fail: [none]}
"""

FILES = {
    "exercise.yaml": MANIFEST,
    "README.md": "# Double it\n\nGive back *twice* of it.\n\n**R1** Double numbers.\n\n**R2** Refuse null.\n",
    "starter/python/app.py": "def double(x):\n    return x\n",
    "solutions/python/app.py": "def double(x):\n    if x is None:\n        raise ValueError\n    return x * 2\n",
    "solutions/notes.md": "Say why multiplication is enough.\n",
    "wrong/adds-two/app.py": "def double(x):\n    return x + 2\n",
    "wrong/takes-none/app.py": "def double(x):\n    return x and x * 2\n",
    "tests/visible/test_visible.py": "def test_twice(solution):\n    assert solution.double(2) == 4\n",
    "tests/hidden/test_hidden.py": (
        "import pytest\nfrom sandbox.judge import SolutionError\n\n\n"
        "def test_big(solution):\n    assert solution.double(7654321) == 15308642\n\n\n"
        "def test_none(solution):\n    with pytest.raises(SolutionError):\n        solution.double(None)\n"
    ),
}


def changed(old: str, new: str, *, file: str = "exercise.yaml") -> dict[str, str]:
    """The files, with `old` in one of them replaced by `new`."""
    assert old in FILES[file]
    return {**FILES, file: FILES[file].replace(old, new)}


def without(*names: str) -> dict[str, str]:
    """The files without those whose path starts with one of `names`."""
    return {name: text for name, text in FILES.items() if not name.startswith(names)}


def write(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Write the files below `folder` and return it."""
    for name, text in (FILES if files is None else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder
