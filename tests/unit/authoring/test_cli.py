"""`flask exercises`: what it prints, and that its exit status can be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app.accounts.models import Role
from app.authoring.models import WorkingCopy
from app.authoring.transfer import from_zip
from app.catalog.format import from_files, load, read
from app.catalog.models import Exercise
from app.catalog.services import find
from app.catalog.sync import add_revision
from app.db import db
from app.submissions.sandboxes import EXTENSION
from sandbox.errors import EngineUnavailable
from sandbox.fake_box import FakeBox
from sandbox.job import Job
from sandbox.outcome import Ended, Outcome
from tests.conftest import MakeApp
from tests.exercise_folders import FILES, changed, write
from tests.factories import make_exercise, make_person
from tests.unit.authoring.test_proof import judge


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An exercises folder with one exercise, calls/double-it."""
    write(tmp_path / "exercises/calls/double-it")
    return tmp_path / "exercises"


@pytest.fixture
def site(make_app: MakeApp, root: Path) -> Flask:
    """The site on that folder, with a scripted sandbox."""
    app = make_app(exercises_dir=root)
    app.extensions[EXTENSION] = FakeBox(script=judge)
    return app


def run(app: Flask, *words: object) -> Result:
    """The result of `flask exercises …`."""
    return app.test_cli_runner().invoke(args=["exercises", *map(str, words)])


def said(result: Result) -> Any:
    """What was printed, as JSON."""
    return json.loads(result.stdout)


def test_sync_says_what_changed(site: Flask, root: Path) -> None:
    first = run(site, "sync")
    assert (first.exit_code, first.stdout.splitlines()[0]) == (0, "created      calls/double-it")
    assert run(site, "sync").stdout == "1 exercises published, 1 of them as before\n"
    write(root / "calls/double-it", changed("seconds: 10", "seconds: 0"))
    second = run(site, "sync")
    assert second.exit_code == 1
    assert second.stderr == f"{root}/calls/double-it/exercise.yaml:10: limits.seconds must be 1–120, got 0\n"


def test_prove_proves_all_and_keeps_the_card(site: Flask) -> None:
    run(site, "sync")
    result = run(site, "prove")
    assert result.exit_code == 0, result.output
    assert "1 of 1 exercises proven" in result.stdout and "FAIL" not in result.stdout
    with site.app_context():
        exercise = db.session.scalars(db.select(Exercise)).one()
        assert exercise.current is not None and exercise.current.proof is not None
        assert exercise.current.proof["passed"] is True


def test_prove_names_the_rule_and_the_place(site: Flask, root: Path) -> None:
    write(root / "calls/double-it", {"wrong/adds-two/app.py": FILES["solutions/python/app.py"]})
    result = run(site, "prove", root / "calls/double-it")
    assert result.exit_code == 1
    assert "  FAIL  wrong " in result.stdout and "wrong/adds-two: must fail big but passed" in result.stdout
    answer = run(site, "prove", root / "calls", "--json")
    assert answer.exit_code == 1
    assert said(answer)["passed"] is False
    assert [rule["name"] for rule in said(answer)["exercises"][0]["rules"] if not rule["passed"]] == ["wrong"]


def test_prove_reports_a_folder_that_is_no_exercise(site: Flask, tmp_path: Path, root: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run(site, "prove", empty)
    assert result.exit_code == 1 and "exercise.yaml: is missing" in result.stdout
    assert run(site, "prove", tmp_path / "nowhere").exit_code == 2
    (root / "calls/double-it/exercise.yaml").unlink()
    assert run(site, "prove").exit_code == 1  # a broken folder among the shipped ones is not passed over


def test_a_proof_needs_no_database(make_app: MakeApp, root: Path, tmp_path: Path) -> None:
    app = make_app(exercises_dir=root, database_url=f"sqlite:///{tmp_path}/none.sqlite3")
    app.extensions[EXTENSION] = FakeBox(script=judge)
    result = run(app, "prove")
    assert result.exit_code == 0, result.output


def test_a_database_that_is_not_prepared_is_said_plainly(make_app: MakeApp, root: Path, tmp_path: Path) -> None:
    app = make_app(exercises_dir=root, database_url=f"sqlite:///{tmp_path}/none.sqlite3")
    result = run(app, "sync")
    assert result.exit_code == 2
    assert "no such table" in result.stderr and "flask --app wsgi db upgrade" in result.stderr


@pytest.mark.parametrize(
    ("folder", "status", "verdict"),
    [("solutions/python", 0, "accepted"), ("wrong/takes-none", 1, "wrong answer")],
)
def test_judge_decides_about_any_folder(site: Flask, root: Path, folder: str, status: int, verdict: str) -> None:
    exercise = root / "calls/double-it"
    result = run(site, "judge", exercise, exercise / folder, "--language", "python", "--json")
    assert result.exit_code == status
    assert said(result) == {
        "verdict": verdict,
        "checks": [
            {"id": "twice", "passed": True, "group": "core"},
            {"id": "big", "passed": True, "group": "edge"},
            {"id": "none", "passed": status == 0, "group": "security"},
        ],
        "wall_ms": 1000,
    }
    assert run(site, "judge", exercise, exercise / folder, "--language", "python").stdout.startswith(verdict)


def test_judge_takes_a_seed(site: Flask, root: Path) -> None:
    exercise = root / "calls/double-it"
    run(site, "judge", exercise, exercise / "solutions/python", "--language", "python", "--seed", 5)
    assert site.extensions[EXTENSION].jobs[-1].seed == 5


def broken(_job: Job) -> Outcome:
    """The platform's fault."""
    return Outcome(ended=Ended.JUDGE_BROKE, reason="the judge stopped")


class NoEngine(FakeBox):
    """A sandbox whose engine is gone."""

    def run(self, job: Job, on_event: object) -> Outcome:
        raise EngineUnavailable("no Docker engine answers")


@pytest.mark.parametrize(
    ("box", "reason"), [(FakeBox(script=broken), "the judge stopped"), (NoEngine(), "no Docker engine answers")]
)
def test_a_judge_error_has_its_own_status_and_a_reason(site: Flask, root: Path, box: FakeBox, reason: str) -> None:
    site.extensions[EXTENSION] = box
    exercise = root / "calls/double-it"
    result = run(site, "judge", exercise, exercise / "solutions/python", "--language", "python", "--json")
    assert result.exit_code == 3
    assert (said(result)["verdict"], said(result)["reason"]) == ("judge error", reason)


def test_prove_without_an_engine_says_so(site: Flask) -> None:
    site.extensions[EXTENSION] = NoEngine()
    result = run(site, "prove")
    assert result.exit_code == 3 and "no Docker engine answers" in result.stderr


def test_judge_refuses_bad_input_with_the_place(site: Flask, root: Path, tmp_path: Path) -> None:
    exercise, empty = root / "calls/double-it", tmp_path / "empty"
    empty.mkdir()
    good = exercise / "solutions/python"
    wrong_language = run(site, "judge", exercise, good, "--language", "node")
    assert wrong_language.exit_code == 2 and "--language must be one of python, got 'node'" in wrong_language.stderr
    no_entry = run(site, "judge", exercise, empty, "--language", "python")
    assert no_entry.exit_code == 2 and f"{empty}/app.py: is missing; it is the entry for python" in no_entry.stderr
    missing = run(site, "judge", tmp_path / "nowhere", good, "--language", "python")
    assert missing.exit_code == 2 and "does not exist" in missing.stderr
    assert run(site, "judge", exercise, good).exit_code == 2
    write(exercise, changed("seconds: 10", "seconds: 0"))
    bad = run(site, "judge", exercise, good, "--language", "python")
    assert bad.exit_code == 2 and "exercise.yaml:10: limits.seconds must be 1–120, got 0" in bad.stderr


def test_a_new_exercise_is_a_folder_that_can_be_taken_over(site: Flask, root: Path) -> None:
    result = run(site, "new", "http", "apis/late-orders", "--title", "Orders: late")
    assert result.exit_code == 0, result.output
    assert load(root / "apis/late-orders").spec.title == "Orders: late"
    assert run(site, "sync").stdout.splitlines()[0] == "created      apis/late-orders"
    again = run(site, "new", "sql", "apis/late-orders")
    assert again.exit_code == 2 and "is there already" in again.stderr
    assert load(root / "apis/late-orders").spec.kind == "http"


@pytest.mark.parametrize("place", ["late-orders", "apis/", "Apis/late", "apis/late/orders", "../late", f"{'a' * 41}/b"])
def test_a_new_exercise_needs_a_place(site: Flask, place: str) -> None:
    result = run(site, "new", "calls", place)
    assert result.exit_code == 2 and "expected two lower-case names like apis/late-orders" in result.stderr


def test_a_title_that_is_none_is_refused(site: Flask, root: Path) -> None:
    result = run(site, "new", "calls", "apis/late-orders", "--title", "x" * 161)
    assert result.exit_code == 2 and "title must be text of 1–160 characters on one line" in result.stderr
    assert not (root / "apis/late-orders").exists()


def publish_in_browser(site: Flask) -> dict[str, str]:
    """Ivan publishes other files at calls/double-it; return them."""
    files = changed("Multiply.", "Multiply by two.")
    with site.app_context():
        exercise = find("calls", "double-it")
        add_revision(exercise, from_files(files), author_id=make_person("Ivan", email="ivan@example.com").id)
        db.session.commit()
    return files


def test_a_conflict_is_told_with_the_way_out(site: Flask, root: Path) -> None:
    run(site, "sync")
    publish_in_browser(site)
    write(root / "calls/double-it", changed("Give back", "Return", file="README.md"))
    told = run(site, "sync")
    assert told.exit_code == 1
    assert "calls/double-it: changed in the folder and in the browser (README.md, exercise.yaml)" in told.stderr
    assert "exercises sync --take folder calls/double-it" in told.stderr
    assert run(site, "sync", "--allow-conflicts").exit_code == 0
    decided = run(site, "sync", "--take", "site", "calls/double-it")
    assert (decided.exit_code, decided.stdout.splitlines()[0]) == (0, "kept         calls/double-it")
    assert run(site, "sync").exit_code == 0
    assert run(site, "sync", "--take", "site", "calls/triple-it").exit_code == 1
    assert run(site, "sync", "--take", "both", "calls/double-it").exit_code == 2


def test_a_folder_whose_address_is_taken_does_not_stop_the_site(site: Flask, root: Path) -> None:
    with site.app_context():
        make_exercise("calls", "double-it", owner_id=make_person("Ivan").id)
    told = run(site, "sync")
    assert told.exit_code == 1 and "calls/double-it: another exercise is there" in told.stderr
    assert run(site, "sync", "--allow-conflicts").exit_code == 0


def test_what_was_changed_in_the_browser_is_written_back_into_its_folder(site: Flask, root: Path) -> None:
    run(site, "sync")
    files, folder = publish_in_browser(site), root / "calls/double-it"
    (folder / "data").mkdir()
    (folder / "data/unseen.sql").write_text("not committed yet")
    refused = run(site, "export", "calls/double-it", folder)
    assert refused.exit_code == 2 and "does not hold a state of this exercise that the site knows" in refused.stderr
    (folder / "data/unseen.sql").unlink()
    assert run(site, "export", "calls/double-it", folder).exit_code == 0
    assert read(folder) == (files, [])
    assert run(site, "sync").stdout == "1 exercises published, 1 of them as before\n"


def test_an_archive_goes_out_and_comes_in_again(site: Flask, tmp_path: Path) -> None:
    run(site, "sync")
    files = publish_in_browser(site)
    for options, expected in (((), files), (("--revision", 1), FILES)):
        target = tmp_path / f"{len(options)}.zip"
        assert run(site, "export", "calls/double-it", target, *options).exit_code == 0
        assert from_zip(target.read_bytes()).files == expected
        assert run(site, "export", "calls/double-it", target).exit_code == 2  # nothing is written over
    with site.app_context():
        make_person("Ines", role=Role.INSTRUCTOR, email="ines@example.com")
    result = run(site, "import", tmp_path / "0.zip", "--owner", "ines@example.com", "--to", "calls/my-own")
    assert result.exit_code == 0, result.output
    assert "of ines@example.com: calls/my-own. calls/double-it is not yours to revise" in result.stdout
    with site.app_context():
        copy = db.session.scalars(db.select(WorkingCopy)).one()
        assert {**copy.files, "exercise.yaml": ""} == {**files, "exercise.yaml": ""}


def test_a_folder_comes_in_with_what_is_wrong_in_it(site: Flask, root: Path, tmp_path: Path) -> None:
    with site.app_context():
        make_person("Ines", role=Role.INSTRUCTOR, email="ines@example.com")
        make_person("Lena", email="lena@example.com")
    folder = write(tmp_path / "calls/not-yet", {"README.md": "# It"})
    result = run(site, "import", folder, "--owner", "ines@example.com")
    assert result.exit_code == 0
    assert "calls/not-yet" in result.stdout and "exercise.yaml: is missing" in result.stderr
    assert run(site, "import", folder, "--owner", "lena@example.com").exit_code == 2
    assert run(site, "import", folder, "--owner", "nobody@example.com").exit_code == 2
    (folder / "picture.png").write_bytes(b"\x89PNG")
    refused = run(site, "import", folder, "--owner", "ines@example.com")
    assert refused.exit_code == 2 and f"{folder}/picture.png: is not UTF-8 text" in refused.stderr


def test_there_is_nothing_to_export_where_no_exercise_is(site: Flask, tmp_path: Path) -> None:
    run(site, "sync")
    for words in (("calls/triple-it",), ("calls/double-it", "--revision", 9)):
        result = run(site, "export", words[0], tmp_path / "it", *words[1:])
        assert result.exit_code == 2 and "There is no such" in result.stderr
