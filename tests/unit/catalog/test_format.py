"""Every authoring error is found, says where it is, and comes together with the others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.authoring.cli import schema_text
from app.catalog import kinds, manifest
from app.catalog.format import FormatError, from_files, load, path_problems, restore, write
from app.catalog.spec import KEBAB, ExerciseSpec, Group, Service
from config import ROOT
from tests import exercise_folders as folders
from tests.exercise_folders import FILES, changed, without


def problems(files: dict[str, str]) -> list[str]:
    """What an author is told about `files`."""
    with pytest.raises(FormatError) as error:
        from_files(files)
    return [str(problem) for problem in error.value.problems]


def test_a_good_folder_is_read(tmp_path: Path) -> None:
    source = load(folders.write(tmp_path / "double-it"))
    assert source.spec.title == "Double it"
    assert source.statement.startswith("# Double it")
    assert source.notes == "Say why multiplication is enough.\n"
    assert list(source.starter("python")) == list(source.solution("python")) == ["app.py"]
    assert source.wrong("adds-two")["app.py"].endswith("x + 2\n")
    assert list(source.visible_tests()) == ["test_visible.py"]
    assert [check.id for check in source.checks()] == ["twice", "big", "none"]
    assert [check.id for check in source.checks(visible_only=True)] == ["twice"]


def test_the_suite_is_tests_and_data_and_nothing_else() -> None:
    source = from_files({**FILES, "data/schema.sql": "", "tests/conftest.py": ""})
    assert set(source.suite()) == {
        "tests/hidden/test_hidden.py",
        "tests/visible/test_visible.py",
        "tests/conftest.py",
        "data/schema.sql",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema: 1", "schema: 2", "exercise.yaml:1: schema must be 1, got 2"),
        ("seconds: 10", "seconds: 0", "exercise.yaml:10: limits.seconds must be 1–120, got 0"),
        ("seconds: 10", "secs: 10", "exercise.yaml:10: limits.secs is not a key here; expected one of seconds, memory"),
        ("memory_mb: 128", "memory_mb: '128'", "exercise.yaml:10: limits.memory_mb must be 32–2048, got '128'"),
        ("cpus: 1", "cpus: .inf", "exercise.yaml:10: limits.cpus must be 0.25–2, got inf"),
        ("difficulty: 1", "difficulty: 6", "exercise.yaml:6: difficulty must be 1–5, got 6"),
        ("difficulty: 1", "difficulty: true", "exercise.yaml:6: difficulty must be 1–5, got true"),
        ("minutes: 5", "minutes:", "exercise.yaml:7: minutes must be 1–480, got nothing"),
        ("minutes: 5\n", "", "exercise.yaml:1: minutes is missing; expected 1–480"),
        ("minutes: 5", "minutes: 5\nservices: [redis]", "exercise.yaml:8: services is for kind http only"),
        (
            "minutes: 5",
            "minutes: 5\nservices: [mysql]",
            "exercise.yaml:8: services[0] must be one of postgres, redis, upstream, got 'mysql'",
        ),
        (
            "minutes: 5",
            "minutes: 5\nservices: redis",
            "exercise.yaml:8: services must be a list of postgres, redis, upstream, got 'redis'",
        ),
        (
            "minutes: 5",
            "minutes: 5\nservices: [redis, redis]",
            "exercise.yaml:8: services[0] must be unique, got 'redis' again",
        ),
        ("kind: calls", "kind: quiz", "exercise.yaml:4: kind must be one of calls, http, mutation, sql, got 'quiz'"),
        ("[arithmetic]", "[Bit Tricks]", "exercise.yaml:5: skills[0] must be a kebab-case skill, got 'Bit Tricks'"),
        ("[arithmetic]", "[a, a]", "exercise.yaml:5: skills[0] must be unique, got 'a' again"),
        ("[arithmetic]", "[]", "exercise.yaml:5: skills must be a list of 1–12 skills in kebab-case, got a list of 0"),
        ("id: 3f0c", "id: 3F0C", "exercise.yaml:2: id must be a UUID in lower case"),
        (
            "title: Double it",
            "title: ''",
            "exercise.yaml:3: title must be text of 1–160 characters on one line, got ''",
        ),
        (
            "python: {entry: app.py}",
            "Python 3: {entry: app.py}",
            "exercise.yaml:9: languages.Python 3 must be a language name",
        ),
        (
            "python: {entry: app.py}",
            "ruby: {entry: app.py}",
            "exercise.yaml:9: languages.ruby is no language of kind calls; expected python, node",
        ),
        ("entry: app.py", "entry: ../app.py", "exercise.yaml:9: languages.python.entry must be the file that is run"),
        (
            "entry: app.py",
            "entry: main.py",
            "exercise.yaml:9: languages.python.entry must be a file in starter/python/, got 'main.py'",
        ),
        ("entry: app.py", "entry: app.py, run: x", "exercise.yaml:9: languages.python.run is for kind http only"),
        ("entry: app.py", "entry: app.py, mode: query", "exercise.yaml:9: languages.python.mode is for kind sql only"),
        (
            "group: edge",
            "group: odd",
            "exercise.yaml:13: checks[1].group must be one of core, edge, concurrency, security, performance",
        ),
        ("visible: true", "visible: yes", "exercise.yaml:12: checks[0].visible must be true or false, got 'yes'"),
        (
            "requirement: R2",
            "requirement: R9",
            "exercise.yaml:14: checks[2].requirement must occur in README.md, got 'R9'",
        ),
        ("requirement: R2", "requirement: 2", "exercise.yaml:14: checks[2].requirement must be R1–R99"),
        ("id: big", "id: twice", "exercise.yaml:13: checks[1].id must be unique, got 'twice' again"),
        ("test: test_none", "test: test_big", "exercise.yaml:14: checks[2].test must be unique, got 'test_big' again"),
        (
            "test: test_none",
            "test: test_nil",
            "exercise.yaml:14: checks[2].test must be a function in tests/hidden/test_*.py, got 'test_nil'",
        ),
        (
            "visible: true, ",
            "",
            "exercise.yaml:12: checks[0].test is hidden, so test_twice must be defined in tests/hidden/",
        ),
        (
            "test: test_twice",
            "test: twice",
            "exercise.yaml:12: checks[0].test must be the name of a pytest function, test_…, got 'twice'",
        ),
        ("dir: adds-two", "dir: adds-three", "exercise.yaml:17: wrong[0].dir needs the folder wrong/adds-three/"),
        ("dir: adds-two", "dir: adds-three", "wrong/adds-two: is not listed in exercise.yaml"),
        ("dir: takes-none", "dir: adds-two", "exercise.yaml:18: wrong[1].dir must be unique, got 'adds-two' again"),
        (
            "dir: adds-two, language: python",
            "dir: adds-two, language: node",
            "exercise.yaml:17: wrong[0].language must be one of python, got 'node'",
        ),
        (
            "must_fail: [none]",
            "must_fail: []",
            "exercise.yaml:18: wrong[1].must_fail must be the ids of one check or more, got a list of 0",
        ),
        (
            "must_fail: [none]",
            "must_fail: [nil]",
            "exercise.yaml:18: wrong[1].must_fail[0] must be the id of a check, got 'nil'",
        ),
        (
            "may_fail: [none]",
            "may_fail: [nil]",
            "exercise.yaml:17: wrong[0].may_fail[0] must be the id of a check, got 'nil'",
        ),
        (
            "may_fail: [none]",
            "may_fail: [big]",
            "exercise.yaml:17: wrong[0].may_fail must not repeat 'big' of must_fail",
        ),
        ("difficulty: 1", "difficulty: 1\ndifficulty: 2", 'exercise.yaml:7: found duplicate key "difficulty"'),
        ("title: Double it", "title: [Double", "exercise.yaml:4: expected ',' or ']'"),
        ("minutes: 5", "minutes: &five 5\nextra: *five", "exercise.yaml:8: aliases (*name) are not allowed"),
        ("minutes: 5", f"minutes: {'[' * 20}{']' * 20}", "exercise.yaml:7: is nested deeper than 10 levels"),
        ("minutes: 5", f"minutes: [{'1,' * 100_000}]", "exercise.yaml:7: holds more than 10000 keys and values"),
        ("minutes: 5", "minutes: \x00", "exercise.yaml:7: holds a NUL character"),
    ],
)
def test_a_mistake_in_the_yaml_is_found_where_it_is(old: str, new: str, said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(changed(old, new))), problems(changed(old, new))


def test_at_least_two_wrong_solutions_are_needed() -> None:
    files = changed('  - {dir: takes-none, language: python, reason: "Lets null through.", must_fail: [none]}\n', "")
    assert "exercise.yaml:16: wrong must be a list of at least two wrong solutions, got a list of 1" in problems(files)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (without("exercise.yaml"), "exercise.yaml: is missing"),
        (without("README.md"), "README.md: is missing"),
        ({**FILES, "README.md": " \n"}, "README.md: is empty"),
        (without("starter/"), "exercise.yaml:9: languages.python needs the folder starter/python/"),
        (without("solutions/python"), "exercise.yaml:9: languages.python needs the folder solutions/python/"),
        ({**FILES, "starter/node/app.js": ""}, "starter/node: is not listed in exercise.yaml"),
        ({**FILES, "wrong/new/app.py": ""}, "wrong/new: is not listed in exercise.yaml"),
        ({**FILES, "wrong/app.py": ""}, "wrong/app.py: is not in a folder of its own; expected wrong/<name>/app.py"),
        ({**FILES, "tests/private/test_x.py": ""}, "tests/private: is neither tests/visible nor tests/hidden"),
        ({**FILES, "solution/python/app.py": ""}, "solution: is not part of an exercise; expected README.md, data"),
        ({**FILES, "NOTES.md": ""}, "NOTES.md: is not part of an exercise; expected README.md, data"),
        ({**FILES, "solutions/why.md": ""}, "solutions/why.md: is not in the folder of a language"),
        ({**FILES, "wrong/adds-two/sub/../x.py": ""}, "wrong/adds-two/sub/../x.py: must be a relative path"),
        ({**FILES, "/etc/passwd": ""}, "/etc/passwd: must be a relative path"),
        ({**FILES, "data/a\\b": ""}, "data/a\\b: must be a relative path"),
        (
            {**FILES, "data/" + "d/" * 8 + "x": ""},
            "data/d/d/d/d/d/d/d/d/x: must be at most 200 characters long and at most 8 folders deep",
        ),
        ({**FILES, "readme.md": ""}, "readme.md: must not differ from README.md in capitals alone"),
        ({**FILES, "data": "", "data/x.sql": ""}, "data/x.sql: stands in data, which is a file"),
        ({**FILES, "data/x.sql": "a\nb\0"}, "data/x.sql:2: holds a NUL character"),
        ({**FILES, "data/x.sql": "x" * (256 * 1024 + 1)}, "data/x.sql: is too large: 256 KB, at most 256 KB"),
        ({**FILES, **{f"data/{n}.sql": "x" * 250_000 for n in range(9)}}, ": holds more than 500 files or 2 MB"),
        ({**FILES, **{f"data/{n}.sql": "" for n in range(500)}}, ": holds more than 500 files or 2 MB"),
        (
            {**FILES, "tests/hidden/test_more.py": "def test_more():\n    pass\n"},
            "tests/hidden/test_more.py:1: test_more is not the test of any check in exercise.yaml",
        ),
        (
            {**FILES, "tests/hidden/test_more.py": "\ndef test_twice():\n    pass\n"},
            "tests/hidden/test_more.py:2: test_twice is defined again; it is also in tests/visible/test_visible.py:1",
        ),
        (
            {**FILES, "tests/hidden/test_more.py": "def test_more(:\n"},
            "tests/hidden/test_more.py:1: is not Python",
        ),
        (
            {**FILES, "tests/hidden/test_more.py": "class TestMore:\n    pass\n"},
            "tests/hidden/test_more.py:1: TestMore must be a plain function: every check is one",
        ),
        (
            {**FILES, "tests/hidden/test_more.py": "async def test_more():\n    pass\n"},
            "tests/hidden/test_more.py:1: test_more must be a plain function",
        ),
        (
            {**without("wrong/adds-two"), "wrong/adds-two/x.py": ""},
            "exercise.yaml:17: wrong[0].dir must hold the entry",
        ),
    ],
)
def test_a_mistake_in_the_folder_is_found_where_it_is(files: dict[str, str], said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(files)), problems(files)


@pytest.mark.parametrize(
    ("kind", "language", "said"),
    [
        ("http", "python: {entry: app.py}", "languages.python.run is missing; expected the command that starts"),
        ("http", 'python: {entry: app.py, run: "a \'b"}', "languages.python.run must be a command that a shell could"),
        ("http", "python: {entry: app.py, run: a, mode: query}", "languages.python.mode is for kind sql only"),
        ("sql", "python: {entry: app.py, mode: query}", "languages.python is no language of kind sql; expected sql"),
        ("sql", "sql: {entry: app.py}", "languages.sql.mode must be one of query, script, statements, got ''"),
        ("sql", "sql: {entry: app.py, mode: x}", "must be one of query, script, statements, got 'x'"),
        ("sql", "sql: {entry: app.py, mode: query, run: x}", "languages.sql.run is for kind http only"),
    ],
)
def test_a_kind_says_what_it_needs(kind: str, language: str, said: str) -> None:
    text = FILES["exercise.yaml"].replace("kind: calls", f"kind: {kind}").replace("python: {entry: app.py}", language)
    assert any(said in problem for problem in problems({**FILES, "exercise.yaml": text}))


def test_sql_needs_a_schema() -> None:
    text = FILES["exercise.yaml"].replace("kind: calls", "kind: sql")
    assert "data/schema.sql: is missing; kind sql needs it" in problems({**FILES, "exercise.yaml": text})


def test_every_kind_of_the_folder_is_registered_under_its_own_name() -> None:
    modules = {path.stem for path in (ROOT / "app/catalog/kinds").glob("*.py")} - {"__init__"}
    assert modules == set(kinds.all_kinds()) == {kind.name for kind in kinds.all_kinds().values()}


def test_problems_come_all_at_once_and_in_order() -> None:
    files = changed("seconds: 10", "seconds: 0")
    files["exercise.yaml"] = files["exercise.yaml"].replace("difficulty: 1", "difficulty: 9").replace("core", "heart")
    said = problems(files)
    assert [problem.split(" must")[0] for problem in said] == [
        "exercise.yaml:6: difficulty",
        "exercise.yaml:10: limits.seconds",
        "exercise.yaml:12: checks[0].group",
    ]


def test_problems_of_the_folder_come_all_at_once_too() -> None:
    files = {**without("starter/", "README.md"), "NOTES.md": "", "tests/hidden/test_more.py": "def test_x():\n  pass\n"}
    said = "\n".join(problems(files))
    for part in ("starter/python/", "README.md", "NOTES.md", "test_x is not the test"):
        assert part in said


def test_what_is_on_disk_and_no_plain_text_is_refused(tmp_path: Path) -> None:
    folder = folders.write(tmp_path / "double-it")
    (folder / "data").mkdir()
    (folder / "data" / "latin").write_bytes(b"caf\xe9")
    (folder / "data" / "big").write_bytes(b"x" * (256 * 1024 + 1))
    (folder / "data" / "link").symlink_to("/etc/hostname")
    (folder / "data" / "there").symlink_to("/etc", target_is_directory=True)
    os.mkfifo(folder / "data" / "pipe")
    with pytest.raises(FormatError) as error:
        load(folder)
    said = [str(problem).removeprefix(f"{folder}/data/") for problem in error.value.problems]
    assert said == [
        "big: is too large: 256 KB, at most 256 KB",
        "latin: is not UTF-8 text: unexpected end of data at byte 3",
        "link: is a symbolic link; expected a plain file",
        "pipe: is not a plain file",
        "there: is a symbolic link; expected a plain file",
    ]


def test_a_file_that_cannot_be_read_is_not_also_called_missing(tmp_path: Path) -> None:
    folder = folders.write(tmp_path / "double-it")
    (folder / "exercise.yaml").write_bytes(b"\xff")
    with pytest.raises(FormatError) as error:
        load(folder)
    assert [problem.message for problem in error.value.problems] == ["is not UTF-8 text: invalid start byte at byte 0"]


def test_a_folder_that_is_a_link_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folders.write(tmp_path / "double-it"), target_is_directory=True)
    for name in ("link", "nowhere"):
        with pytest.raises(FormatError, match="is not a folder"):
            load(tmp_path / name)


def test_what_tools_leave_behind_is_ignored(tmp_path: Path) -> None:
    folder = folders.write(tmp_path / "double-it")
    digest = load(folder).digest
    (folder / "tests/hidden/__pycache__").mkdir()
    (folder / "tests/hidden/__pycache__/x.pyc").write_bytes(b"\xff\x00")
    (folder / ".DS_Store").write_bytes(b"\xff")
    assert load(folder).digest == digest


def test_the_digest_changes_with_any_file() -> None:
    digest = from_files(FILES).digest
    assert from_files({**FILES, "README.md": FILES["README.md"] + "\n"}).digest != digest
    assert from_files({**FILES, "data/new": ""}).digest != digest
    assert from_files(dict(reversed(FILES.items()))).digest == digest


def test_a_stored_revision_is_read_although_rules_became_stricter() -> None:
    assert restore(without("README.md", "starter/")).spec.title == "Double it"


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
lines = texts.map(lambda text: " ".join(text.split())).filter(bool)
names = st.from_regex(KEBAB, fullmatch=True).filter(lambda name: len(name) <= 40 and name.isascii())
prose = st.tuples(lines, texts).map("\n".join)


@st.composite
def specs(draw: st.DrawFn) -> ExerciseSpec:
    """Any exercise that the schema allows."""
    ids = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    some_ids = st.lists(st.sampled_from(ids), min_size=1, max_size=3)
    checks: list[dict[str, Any]] = [
        {
            "id": check_id,
            "test": f"test_{number}",
            "requirement": f"R{number + 1}",
            "group": draw(st.sampled_from([str(group) for group in Group])),
            "visible": draw(st.booleans()),
            "title": draw(lines),
            "hint": draw(st.just("") | prose),
        }
        for number, check_id in enumerate(ids)
    ]
    wrong = [
        {
            "dir": draw(names),
            "language": "python",
            "reason": draw(prose),
            "must_fail": draw(some_ids),
            "may_fail": draw(some_ids),
        }
        for _ in range(2)
    ]
    return ExerciseSpec.model_validate(
        {
            "schema": 1,
            "id": str(draw(st.uuids(version=4))),
            "title": draw(lines),
            "kind": draw(st.sampled_from(sorted(kinds.all_kinds()))),
            "skills": draw(st.lists(names, min_size=1, max_size=4)),
            "difficulty": draw(st.integers(1, 5)),
            "minutes": draw(st.integers(1, 480)),
            "services": draw(st.lists(st.sampled_from([str(service) for service in Service]), max_size=3)),
            "languages": {"python": {"entry": "a/b.py", "run": draw(st.just("") | lines), "mode": draw(texts)}},
            "limits": {
                "seconds": draw(st.integers(1, 120)),
                "memory_mb": draw(st.integers(32, 2048)),
                "cpus": draw(st.floats(0.25, 2)),
            },
            "checks": checks,
            "hints": draw(st.lists(prose, max_size=3)),
            "wrong": wrong,
        }
    )


@settings(deadline=None, max_examples=60)
@given(specs())
def test_what_is_dumped_is_parsed_back_the_same(spec: ExerciseSpec) -> None:
    assert manifest.parse(manifest.dump(spec))[0] == spec


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_]{1,8}(/[a-z]{1,5})?", fullmatch=True).map(
            lambda name: f"starter/python/more/{name}"
        ),
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=80),
        max_size=5,
    )
)
def test_what_is_written_is_loaded_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, more: dict[str, str]
) -> None:
    assume(not list(path_problems(more)))
    source = from_files({**FILES, **more})
    folder = tmp_path_factory.mktemp("written")
    write(source.files, folder)
    assert load(folder) == source
    with pytest.raises(FileExistsError):
        write(source.files, folder)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_an_exercise_or_has_problems(text: str) -> None:
    with pytest.raises(FormatError) as error:
        manifest.parse(text)
    assert error.value.problems
    assert all(problem.line >= 1 and problem.file == "exercise.yaml" for problem in error.value.problems)


def test_the_committed_schema_for_editors_is_current() -> None:
    path = ROOT / "exercises" / "exercise.schema.json"
    assert path.read_text() == schema_text(), "run: flask --app wsgi exercises schema > exercises/exercise.schema.json"


def test_the_schema_says_what_a_value_must_be() -> None:
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert schema["properties"]["kind"]["enum"] == sorted(kinds.all_kinds())
    assert schema["$defs"]["LimitsSpec"]["properties"]["seconds"]["description"] == "1–120"
