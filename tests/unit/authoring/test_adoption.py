"""A learner's submission becomes a wrong solution of the author's working copy."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import Role, User
from app.authoring import copies
from app.authoring.adoption import Entry, adopt, offer, with_wrong
from app.authoring.models import WorkingCopy
from app.catalog.format import from_files
from app.catalog.models import Exercise
from app.db import db, now
from app.errors import Conflict, Invalid, NotFound
from app.submissions.models import CheckResult, Purpose
from tests.conftest import Cast
from tests.exercise_folders import FILES
from tests.factories import make_exercise, make_person, make_submission

ANSWER = {"app.py": "def double(x):\n    return x + x + 1\n"}


def entry(**more: object) -> Entry:
    columns = {"dir": "off-by-one", "language": "python", "reason": "Adds one.", "must_fail": ["big"], **more}
    return Entry(**columns)


@pytest.fixture
def submission_id(app: Flask, cast: Cast) -> int:
    """Lena's submission to Ivan's exercise: it failed twice and big, and none was never run."""
    with app.app_context():
        exercise = make_exercise(
            "calls", "double-it", files=FILES, kind="calls", languages=["python"], owner_id=cast.ivan
        )
        lena = db.session.get_one(User, cast.lena)
        sent = make_submission(lena, exercise, verdict="wrong answer", language="python", files=ANSWER, judged_at=now())
        for position, (check_id, visible) in enumerate((("twice", True), ("big", False))):
            row = {"position": position, "check_id": check_id, "visible": visible, "passed": False}
            db.session.add(CheckResult(submission_id=sent.id, **row))
        db.session.commit()
        return sent.id


def test_files_and_entry_are_added_and_the_rest_stays_byte_for_byte() -> None:
    files = {**FILES, "exercise.yaml": FILES["exercise.yaml"].replace("wrong:\n", "wrong:  # one defect each\n")}
    made = with_wrong(files, entry(), ANSWER)
    line = '  - {dir: off-by-one, language: python, reason: "Adds one.", must_fail: [big]}\n'
    assert made["exercise.yaml"] == files["exercise.yaml"] + line
    assert made["wrong/off-by-one/app.py"] == ANSWER["app.py"]
    assert {name: text for name, text in made.items() if name in files and name != "exercise.yaml"} == {
        name: text for name, text in files.items() if name != "exercise.yaml"
    }
    assert from_files(made).spec.wrong[-1].dir == "off-by-one"


def test_entries_on_lines_of_their_own_stay_so() -> None:
    text = "checks:\n- id: big\n\nwrong:\n# the first\n- dir: a\n  language: python\n"
    made = with_wrong({"exercise.yaml": text}, entry(reason='Says "no": twice'), ANSWER)["exercise.yaml"]
    assert made == text + (
        '- dir: off-by-one\n  language: python\n  reason: "Says \\"no\\": twice"\n  must_fail: [big]\n'
    )


def test_checks_that_the_copy_does_not_have_are_left_out() -> None:
    made = with_wrong(FILES, entry(must_fail=["gone"]), ANSWER)
    assert made["exercise.yaml"].endswith('reason: "Adds one.", must_fail: []}\n')


@pytest.mark.parametrize(
    "text", ["", "- a list", "wrong: yes", "a: [", "a: *b", "[" * 5000, "a: [" + "1, " * 20_000 + "1]"]
)
def test_a_manifest_that_cannot_be_read_is_left_alone(text: str) -> None:
    with pytest.raises(Conflict):
        with_wrong({"exercise.yaml": text}, entry(), ANSWER)


def test_no_wrong_solution_is_written_over() -> None:
    with pytest.raises(Invalid, match="already"):
        with_wrong(FILES, entry(dir="adds-two"), ANSWER)
    with pytest.raises(Invalid, match="already"):
        with_wrong({"exercise.yaml": FILES["exercise.yaml"]}, entry(dir="adds-two"), ANSWER)


def test_it_must_fail_what_it_failed_and_what_never_ran(app: Flask, cast: Cast, submission_id: int) -> None:
    with app.app_context():
        offered = offer(db.session.get_one(User, cast.ivan), submission_id)
        assert offered.entry.dir == f"submission-{submission_id}"
        assert list(offered.entry.must_fail) == ["twice", "big", "none"]


def test_the_submission_goes_into_the_copy_that_is_in_work(app: Flask, cast: Cast, submission_id: int) -> None:
    with app.app_context():
        ivan = db.session.get_one(User, cast.ivan)
        copy = copies.revise(ivan, "calls", "double-it")
        copies.alter(copy, lambda files: {**files, "README.md": files["README.md"] + "\nMine.\n"})
        made = adopt(ivan, submission_id, name="off-by-one", reason="Adds  one.", must_fail=["big"])
        assert made.id == copy.id and "Mine." in made.files["README.md"]
        wrong = from_files(made.files).spec.wrong[-1]
        assert (wrong.dir, wrong.reason, wrong.must_fail) == ("off-by-one", "Adds one.", ["big"])
        assert "Lena" not in str(made.files)


def test_where_nothing_is_in_work_a_copy_is_begun(app: Flask, cast: Cast, submission_id: int) -> None:
    with app.app_context():
        made = adopt(db.session.get_one(User, cast.ivan), submission_id, name="x", reason="Wrong.", must_fail=[])
        assert (made.owner_id, made.path) == (cast.ivan, "calls/double-it")


@pytest.mark.parametrize(
    ("typed", "field"), [({"name": "Not Kebab"}, "name"), ({"name": "a" * 61}, "name"), ({"reason": " "}, "reason")]
)
def test_what_was_typed_wrong_is_said_and_kept(
    ivan: FlaskClient, app: Flask, submission_id: int, typed: dict[str, str], field: str
) -> None:
    form = {"name": "fine", "reason": "Fine & good.", "must_fail": "big", **typed}
    answer = ivan.post(f"/instructor/submissions/{submission_id}/wrong", data=form)
    assert answer.status_code == 422
    assert f'id="{field}-help"' in answer.text and 'aria-invalid="true"' in answer.text
    assert ("Fine &amp; good." in answer.text) == (field == "name")
    with app.app_context():
        assert db.session.scalars(select(WorkingCopy)).all() == []


def test_the_button_is_there_for_whoever_owns_the_exercise(
    ivan: FlaskClient, ada: FlaskClient, lena: FlaskClient, submission_id: int
) -> None:
    link = f"/instructor/submissions/{submission_id}/wrong"
    pages = {name: who.get(f"/submissions/{submission_id}").text for name, who in (("ivan", ivan), ("ada", ada))}
    assert link in pages["ivan"] and link not in pages["ada"]
    assert link not in lena.get(f"/submissions/{submission_id}").text
    page = ivan.get(link)
    assert page.status_code == 200 and "Add to my working copy" in page.text


def test_nobody_takes_a_submission_to_somebody_elses_exercise(app: Flask, cast: Cast, submission_id: int) -> None:
    with app.app_context():
        igor = make_person("Igor", role=Role.INSTRUCTOR)
        with pytest.raises(NotFound):
            offer(igor, submission_id)
        with pytest.raises(NotFound):
            adopt(igor, submission_id, name="x", reason="y", must_fail=[])


@pytest.mark.parametrize(
    ("verdict", "purpose"), [("judge error", Purpose.SUBMIT), (None, Purpose.SUBMIT), ("accepted", Purpose.RUN)]
)
def test_only_what_was_judged_against_everything_shows_something(
    app: Flask, cast: Cast, submission_id: int, verdict: str | None, purpose: Purpose
) -> None:
    with app.app_context():
        lena, exercise = db.session.get_one(User, cast.lena), db.session.scalars(select(Exercise)).one()
        sent = make_submission(lena, exercise, verdict=verdict, purpose=purpose, language="python", files=ANSWER)
        with pytest.raises(Conflict):
            offer(db.session.get_one(User, cast.ivan), sent.id)


def test_what_was_accepted_is_left_for_the_author_to_name(app: Flask, cast: Cast, submission_id: int) -> None:
    with app.app_context():
        lena, exercise = db.session.get_one(User, cast.lena), db.session.scalars(select(Exercise)).one()
        sent = make_submission(lena, exercise, verdict="accepted", language="python", files=ANSWER)
        for position, check_id in enumerate(("twice", "big", "none")):
            row = {"position": position, "check_id": check_id, "visible": False, "passed": True}
            db.session.add(CheckResult(submission_id=sent.id, **row))
        db.session.commit()
        assert list(offer(db.session.get_one(User, cast.ivan), sent.id).entry.must_fail) == []
