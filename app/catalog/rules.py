"""What must hold between `exercise.yaml` and the other files of an exercise. Pure.

Every rule yields problems, so that an author sees all of them at once.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from app.catalog import kinds
from app.catalog.manifest import NAME, Lines, key_name
from app.catalog.problems import Problem
from app.catalog.spec import ExerciseSpec

TOP_FILES = frozenset({NAME, "README.md"})
TOP_FOLDERS = frozenset({"starter", "solutions", "wrong", "tests", "data"})
Said = tuple[tuple[str | int, ...], str]  # a place in exercise.yaml, and what is wrong there


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """A pytest function as it stands in a file."""

    name: str
    file: str
    line: int


def problems(files: Mapping[str, str], spec: ExerciseSpec, lines: Lines) -> list[Problem]:
    """Return everything that is wrong between `spec` and `files`."""
    said = [*_ids(spec), *_kind(spec), *_languages(files, spec), *_wrong(files, spec), *_requirements(files, spec)]
    found = [Problem(file=NAME, line=lines.at(path), key=key_name(path), message=message) for path, message in said]
    tests, broken = _tests(files)
    found += broken
    found += _folders(files, spec)
    found += _statement(files)
    if not broken:
        found += _check_tests(spec, tests, lines)
    return found


def _repeated(values: Iterable[str]) -> set[str]:
    return {value for value, count in Counter(values).items() if count > 1}


def _ids(spec: ExerciseSpec) -> Iterator[Said]:
    """Names that must not repeat."""
    repeated = _repeated(spec.check_ids)
    tests = _repeated(check.test for check in spec.checks)
    for number, check in enumerate(spec.checks):
        if check.id in repeated:
            yield ("checks", number, "id"), f"must be unique, got {check.id!r} again"
        if check.test in tests:
            yield ("checks", number, "test"), f"must be unique, got {check.test!r} again"
    services = _repeated(spec.services)
    for number, service in enumerate(spec.services):
        if service in services:
            yield ("services", number), f"must be unique, got {str(service)!r} again"
    dirs = _repeated(wrong.dir for wrong in spec.wrong)
    for number, wrong in enumerate(spec.wrong):
        if wrong.dir in dirs:
            yield ("wrong", number, "dir"), f"must be unique, got {wrong.dir!r} again"
    skills = _repeated(spec.skills)
    for number, skill in enumerate(spec.skills):
        if skill in skills:
            yield ("skills", number), f"must be unique, got {skill!r} again"


def _kind(spec: ExerciseSpec) -> Iterator[Said]:
    """What the kind asks for."""
    if spec.kind not in kinds.all_kinds():
        yield ("kind",), f"must be one of {', '.join(kinds.all_kinds())}, got {spec.kind!r}"
    else:
        yield from kinds.find(spec.kind).complaints(spec)


def _languages(files: Mapping[str, str], spec: ExerciseSpec) -> Iterator[Said]:
    """Each language has a starter and a solution, and both hold the entry and the same files."""
    for name, language in spec.languages.items():
        for folder in (f"starter/{name}", f"solutions/{name}"):
            if not _has_folder(files, folder):
                yield ("languages", name), f"needs the folder {folder}/"
            elif f"{folder}/{language.entry}" not in files:
                yield ("languages", name, "entry"), f"must be a file in {folder}/, got {language.entry!r}"


def _wrong(files: Mapping[str, str], spec: ExerciseSpec) -> Iterator[Said]:
    """Each wrong solution is there, in a language that is offered, and names checks that exist."""
    known = set(spec.check_ids)
    for number, wrong in enumerate(spec.wrong):
        if not _has_folder(files, f"wrong/{wrong.dir}"):
            yield ("wrong", number, "dir"), f"needs the folder wrong/{wrong.dir}/"
        if wrong.language not in spec.languages:
            expected = ", ".join(spec.languages)
            yield ("wrong", number, "language"), f"must be one of {expected}, got {wrong.language!r}"
        elif (
            _has_folder(files, f"wrong/{wrong.dir}")
            and f"wrong/{wrong.dir}/{spec.languages[wrong.language].entry}" not in files
        ):
            entry = spec.languages[wrong.language].entry
            yield ("wrong", number, "dir"), f"must hold the entry {entry!r}"
        for key, ids in (("must_fail", wrong.must_fail), ("may_fail", wrong.may_fail)):
            for position, check_id in enumerate(ids):
                if check_id not in known:
                    yield ("wrong", number, key, position), f"must be the id of a check, got {check_id!r}"
        for check_id in sorted(set(wrong.must_fail) & set(wrong.may_fail)):
            yield ("wrong", number, "may_fail"), f"must not repeat {check_id!r} of must_fail"


def _requirements(files: Mapping[str, str], spec: ExerciseSpec) -> Iterator[Said]:
    """Each requirement that a check shows is one of the statement's."""
    statement = files.get("README.md", "")
    for number, check in enumerate(spec.checks):
        if not re.search(rf"\b{check.requirement}\b", statement):
            yield ("checks", number, "requirement"), f"must occur in README.md, got {check.requirement!r}"


def _has_folder(files: Mapping[str, str], folder: str) -> bool:
    return any(name.startswith(f"{folder}/") for name in files)


def _folders(files: Mapping[str, str], spec: ExerciseSpec) -> Iterator[Problem]:
    """Nothing stands in the folder that nobody asked for, and what the kind needs is there."""
    listed = {
        "starter": set(spec.languages),
        "solutions": set(spec.languages),
        "wrong": {wrong.dir for wrong in spec.wrong},
        "tests": {"visible", "hidden"},
    }
    kind = kinds.all_kinds().get(spec.kind)
    folders = TOP_FOLDERS | (kind.folders if kind is not None else frozenset())
    unexpected: dict[str, str] = {}
    for name in files:
        top, _, rest = name.partition("/")
        second, _, below = rest.partition("/")
        if top not in folders if rest else top not in TOP_FILES:
            unexpected[top] = f"is not part of an exercise; expected {', '.join(sorted(TOP_FILES | folders))}"
        elif below and top in listed and second not in listed[top]:
            wanted = "is neither tests/visible nor tests/hidden" if top == "tests" else f"is not listed in {NAME}"
            unexpected[f"{top}/{second}"] = wanted
        elif rest and not below and top in {"starter", "wrong"}:
            unexpected[name] = f"is not in a folder of its own; expected {top}/<name>/{rest}"
        elif rest and not below and top == "solutions" and rest != "notes.md":
            unexpected[name] = "is not in the folder of a language; beside those only notes.md is expected"
    for name, message in unexpected.items():
        yield Problem(file=name, message=message)
    if kind is not None:
        for name in kind.required_files:
            if name not in files:
                yield Problem(file=name, message=f"is missing; kind {spec.kind} needs it")
        for name, message in kind.file_rules(files):
            yield Problem(file=name, message=message)


def _statement(files: Mapping[str, str]) -> Iterator[Problem]:
    if not files.get("README.md", "").strip():
        yield Problem(file="README.md", message="is missing" if "README.md" not in files else "is empty")


def _tests(files: Mapping[str, str]) -> tuple[list[_Test], list[Problem]]:
    """Return the test functions of both folders, and what cannot be read as tests."""
    tests: list[_Test] = []
    broken: list[Problem] = []
    for name, text in files.items():
        if not name.startswith("tests/") or not name.endswith(".py"):
            continue
        try:
            body = ast.parse(text).body
        except SyntaxError as error:
            broken.append(Problem(file=name, line=error.lineno or 1, message=f"is not Python: {error.msg}"))
            continue
        except (ValueError, RecursionError, MemoryError) as error:
            broken.append(Problem(file=name, message=f"is not Python: {error}"))
            continue
        if not PurePosixPath(name).name.startswith("test_"):
            continue  # conftest.py and modules that tests import
        for node in body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                tests.append(_Test(name=node.name, file=name, line=node.lineno))
            elif isinstance(node, (ast.AsyncFunctionDef, ast.ClassDef)) and node.name.lower().startswith("test"):
                message = f"{node.name} must be a plain function: every check is one"
                broken.append(Problem(file=name, line=node.lineno, message=message))
    return tests, broken


def _check_tests(spec: ExerciseSpec, tests: list[_Test], lines: Lines) -> Iterator[Problem]:
    """Each check has its test, in the folder that matches its visibility, and each test its check."""
    by_name: dict[str, list[_Test]] = {}
    for test in tests:
        by_name.setdefault(test.name, []).append(test)
    for number, check in enumerate(spec.checks):
        path = ("checks", number, "test")
        folder = "tests/visible/" if check.visible else "tests/hidden/"
        found = by_name.get(check.test, [])
        if not found:
            message = f"must be a function in {folder}test_*.py, got {check.test!r}"
            yield Problem(file=NAME, line=lines.at(path), key=key_name(path), message=message)
        elif not found[0].file.startswith(folder):
            said = "visible" if check.visible else "hidden"
            message = f"is {said}, so {check.test} must be defined in {folder}, not in {found[0].file}"
            yield Problem(file=NAME, line=lines.at(path), key=key_name(path), message=message)
    listed = {check.test for check in spec.checks}
    for name, places in by_name.items():
        for again in places[1:]:
            message = f"{name} is defined again; it is also in {places[0].file}:{places[0].line}"
            yield Problem(file=again.file, line=again.line, message=message)
        if name not in listed:
            message = f"{name} is not the test of any check in {NAME}"
            yield Problem(file=places[0].file, line=places[0].line, message=message)
