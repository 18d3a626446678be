"""Who may import whom: each contract holds, and each is broken here once on purpose to see it caught."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# Contract, the module that breaks it, and the line that does.
BREAKS = [
    ("nouns", "app/live/models.py", "import app.accounts.models"),
    ("nouns", "app/accounts/models.py", "from app.catalog import models as _"),
    ("nouns", "app/accounts/models.py", "import app.audit.models"),
    ("nouns", "app/cohorts/models.py", "from app.catalog import models as _"),
    ("nouns", "app/catalog/models.py", "import app.progress.models"),
    ("nouns", "app/progress/models.py", "import app.submissions.models"),
    ("nouns", "app/submissions/models.py", "import app.authoring"),
    ("nouns", "app/reports/table.py", "import app.assignments.rules"),
    ("nouns", "app/submissions/models.py", "import app.regrades"),
    ("nouns", "app/db.py", "import app.errors"),
    ("roles", "app/accounts/models.py", "import app.accounts.services"),
    ("roles", "app/progress/services.py", "import app.progress.views"),
    ("pure", "app/submissions/verdict.py", "from app.db import db as _"),
    ("pure", "app/progress/figures.py", "import flask"),
    ("sandbox", "sandbox/job.py", "import config"),
    ("sandbox", "sandbox/wire.py", "from app import errors as _"),
    ("sandbox", "sandbox/kinds/__init__.py", "import sqlalchemy"),
    ("askers", "app/catalog/models.py", "from sandbox.job import Job as _"),
    ("judge", "sandbox/judge/__init__.py", "import docker"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of all that the contracts speak of, to be broken."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("app", "sandbox"):
        for path in (ROOT / package).rglob("*.py"):
            if "node_modules" not in path.parts:
                target = tmp_path / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    return tmp_path


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [LINT_IMPORTS, "--no-cache", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def contracts() -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    return found


def test_every_contract_holds() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("contract", "module", "line"), BREAKS, ids=lambda value: value.replace("/", "."))
def test_a_broken_contract_is_caught(tree: Path, contract: str, module: str, line: str) -> None:
    broken = tree / module
    broken.write_text(broken.read_text() + f"\n{line}\n")
    done = lint(tree, "--contract", contract)
    assert done.returncode == 1
    assert "1 broken" in done.stdout
    assert module.removesuffix(".py").removesuffix("/__init__").replace("/", ".") in done.stdout


def test_every_contract_is_broken_once_above() -> None:
    assert {contract["id"] for contract in contracts()} == {contract for contract, _, _ in BREAKS}


def test_every_noun_and_every_module_of_the_site_is_in_the_layers() -> None:
    layers = next(contract["layers"] for contract in contracts() if contract["id"] == "nouns")
    assert isinstance(layers, list)
    known = {name.strip() for layer in layers for name in layer.split("|")}
    site = ROOT / "app"
    modules = {f"app.{path.stem}" for path in site.glob("*.py") if path.stem not in {"__init__", "cli"}}
    nouns = {f"app.{path.parent.name}" for path in site.glob("*/__init__.py")}
    assert known == modules | nouns


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_the_site_never_speaks_to_docker_itself() -> None:
    assert [path for path in (ROOT / "app").rglob("*.py") if "docker" in imported(path)] == []


def test_the_sandbox_needs_nothing_but_the_standard_library_and_docker() -> None:
    """With docker comes requests, whose errors it lets through; the judge's image brings what suites use."""
    judge = {"pytest", "httpx", "httpcore", "psycopg", "redis"}
    foreign = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "sandbox").rglob("*.py")
        if ROOT / "sandbox/runtimes" not in path.parents  # run in images of their own; one is a syntax error on purpose
        for name in imported(path) - sys.stdlib_module_names - {"sandbox", "docker", "requests"}
        if not ("judge" in path.parts and name in judge)
    }
    assert foreign == set()


def test_only_the_configuration_reads_the_environment_for_the_site() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.py")
        if "node_modules" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert readers == set()
