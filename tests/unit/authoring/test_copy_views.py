"""The pages on which exercises are written, as they work without a script, and what their script asks for."""

from __future__ import annotations

import io
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.authoring.models import WorkingCopy
from app.catalog.models import Exercise, Revision
from app.db import db
from tests.conftest import Cast, signed_in
from tests.exercise_folders import FILES
from tests.factories import make_exercise, make_person

URL = "/instructor/exercises/calls/double-it"
NEW = {"kind": "calls", "title": "Late orders", "track": "sql", "slug": "late-orders"}


@pytest.fixture
def at(app: Flask, cast: Cast) -> str:
    """The address of Ivan's working copy."""
    with app.app_context():
        copy = WorkingCopy(owner_id=cast.ivan, track="calls", slug="mine", files=FILES)
        db.session.add(copy)
        db.session.commit()
        return f"/instructor/copies/{copy.id}"


@pytest.fixture
def exercise_id(app: Flask) -> int:
    """An exercise of the house with two revisions."""
    with app.app_context():
        made = make_exercise("calls", "double-it", files={**FILES, "data/old": "1\n"}, kind="calls", title="Double it")
        made.current = Revision(exercise_id=made.id, number=2, digest="2" * 64, files=FILES, note="Without data")
        db.session.commit()
        return made.id


def stored(app: Flask) -> WorkingCopy:
    with app.app_context():
        return db.session.scalars(select(WorkingCopy).order_by(WorkingCopy.id.desc())).first()


def test_a_new_exercise_is_begun_and_opened(app: Flask, ivan: FlaskClient) -> None:
    page = ivan.get("/instructor/exercises/new").text
    assert "a server that the tests send requests to" in page and '<option value="sql">SQL</option>' in page
    answer = ivan.post("/instructor/exercises/new", data=NEW)
    assert answer.status_code == 303
    assert "Late orders" in ivan.get(answer.location).text
    assert stored(app).path == "sql/late-orders"
    assert "sql/late-orders" in ivan.get("/instructor/exercises").text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": ""}, "Choose a kind."),
        ({"kind": "essay"}, "Choose a kind: calls, http, mutation, sql."),
        ({"title": ""}, "Write a title."),
        ({"track": "Big Track"}, "lower-case words"),
        ({"slug": "x y"}, "lower-case words"),
        ({"track": "calls", "slug": "double-it"}, "There is an exercise at calls/double-it already"),
    ],
)
def test_a_new_exercise_is_refused_at_the_field_and_nothing_typed_is_lost(
    app: Flask, ivan: FlaskClient, exercise_id: int, changes: dict[str, str], said: str
) -> None:
    answer = ivan.post("/instructor/exercises/new", data={**NEW, **changes})
    assert answer.status_code == 422
    assert said in answer.text
    for value in {k: v for k, v in {**NEW, **changes}.items() if k != "kind"}.values():
        assert f'value="{value}"' in answer.text
    assert stored(app) is None


def test_one_exercise_is_forked_another_is_revised(
    app: Flask, ivan: FlaskClient, ada: FlaskClient, exercise_id: int
) -> None:
    page = ivan.get(URL).text
    assert f"{URL}/fork" in page and f"{URL}/revise" not in page
    forked = ivan.post(f"{URL}/fork")
    assert forked.status_code == 303 and "a fork" in ivan.get(forked.location).text
    assert ivan.post(f"{URL}/revise").status_code == 403
    assert "Edit the next revision" in ada.get(URL).text
    begun = ada.post(f"{URL}/revise")
    assert "the next revision after 2" in ada.get(begun.location).text
    assert "Go on with the next revision" in ada.get(URL).text
    assert ada.post(f"{URL}/revise").location == begun.location


def test_going_back_to_a_revision_begins_a_new_copy(app: Flask, ada: FlaskClient, exercise_id: int) -> None:
    assert "Without data" in ada.get(URL).text
    answer = ada.post(f"{URL}/revise", data={"number": "1"})
    assert "data/old" in ada.get(answer.location).text
    assert [ada.post(f"{URL}/revise", data={"number": n}).status_code for n in ("3", "0", "-1", "9" * 30, "x")] == [
        404
    ] * 5


def test_any_two_revisions_are_compared(ivan: FlaskClient, exercise_id: int) -> None:
    page = ivan.get(f"{URL}/compare").text
    assert "Revision 1 and revision 2" in page and "data/old" in page and "removed" in page
    assert "added" in ivan.get(f"{URL}/compare?old=2&new=1").text
    assert "Both hold the same files" in ivan.get(f"{URL}/compare?old=1&new=1").text
    for query in ("old=3", "new=9", "old=x", f"new={'9' * 30}"):
        assert ivan.get(f"{URL}/compare?{query}").status_code == 404
    assert ivan.get("/instructor/exercises/calls/nothing/compare").status_code == 404


def test_changes_since_the_revision_are_shown(app: Flask, ada: FlaskClient, exercise_id: int) -> None:
    at = ada.post(f"{URL}/revise").location
    assert "Both hold the same files" in ada.get(f"{at}/changes").text
    ada.post(f"{at}/save", data={"path": "README.md", "text": "# Other\n", "draft_version": "1"})
    assert "<ins>+ # Other</ins>" in ada.get(f"{at}/changes").text


def test_a_file_is_edited_without_a_script(app: Flask, ivan: FlaskClient, at: str) -> None:
    page = ivan.get(f"{at}?file=starter/python/app.py").text
    assert "def double(x):\n    return x\n</textarea>" in page
    answer = ivan.post(f"{at}/save", data={"path": "starter/python/app.py", "text": "x = 1\r\n", "draft_version": "1"})
    assert (answer.status_code, answer.location) == (303, f"{at}?file=starter/python/app.py")
    assert (stored(app).files["starter/python/app.py"], stored(app).version) == ("x = 1\n", 2)
    assert ivan.get(f"{at}?file=nothing").status_code == 404


def test_a_stale_form_shows_both_texts_and_overwrites_nothing(app: Flask, ivan: FlaskClient, at: str) -> None:
    ivan.post(f"{at}/save", data={"path": "README.md", "text": "# The other\n", "draft_version": "1"})
    answer = ivan.post(f"{at}/save", data={"path": "README.md", "text": "# Mine\n", "draft_version": "1"})
    assert answer.status_code == 409
    assert "# The other" in answer.text and "# Mine\n</textarea>" in answer.text and "author.js" not in answer.text
    assert stored(app).files["README.md"] == "# The other\n"
    version = re.search(r'name="draft_version" value="(\d+)"', answer.text)[1]
    again = ivan.post(f"{at}/save", data={"path": "README.md", "text": "# Mine\n", "draft_version": version})
    assert (again.status_code, stored(app).files["README.md"]) == (303, "# Mine\n")


def test_text_that_cannot_be_kept_stays_in_the_form(app: Flask, ivan: FlaskClient, at: str) -> None:
    answer = ivan.post(f"{at}/save", data={"path": "README.md", "text": "x" * 300_000, "draft_version": "1"})
    assert answer.status_code == 422
    assert "README.md is too large" in answer.text and "x" * 300_000 in answer.text
    assert stored(app).version == 1


def test_files_are_created_renamed_uploaded_and_deleted(app: Flask, ivan: FlaskClient, at: str) -> None:
    assert ivan.post(f"{at}/create", data={"path": " data/a.csv "}).location == f"{at}?file=data/a.csv"
    assert ivan.post(f"{at}/rename", data={"path": "data/a.csv", "to": "data/b.csv"}).location.endswith("data/b.csv")
    uploads = [(io.BytesIO(b"1\n"), "c.csv"), (io.BytesIO(b"2\n"), "C:/fake/d.csv")]
    sent = ivan.post(f"{at}/upload", data={"folder": "data", "files": uploads}, content_type="multipart/form-data")
    assert sent.status_code == 303
    assert ivan.post(f"{at}/remove", data={"path": "data/b.csv"}).status_code == 303
    assert {p: t for p, t in stored(app).files.items() if p.startswith("data/")} == {
        "data/c.csv": "1\n",
        "data/d.csv": "2\n",
    }


@pytest.mark.parametrize(
    ("form", "data", "said"),
    [
        ("create", {"path": "../up"}, "cannot be a path"),
        ("create", {"path": "README.md"}, "is there already"),
        ("rename", {"path": "README.md", "to": "a b"}, "cannot be a path"),
        ("rename", {"path": "nothing", "to": "b"}, "There is no file or folder"),
        ("remove", {"path": "nothing"}, "There is no file or folder"),
        ("upload", {"folder": "data"}, "Choose one file or more"),
    ],
)
def test_what_cannot_be_done_to_files_is_said_beside_the_form(
    app: Flask, ivan: FlaskClient, at: str, form: str, data: dict[str, str], said: str
) -> None:
    answer = ivan.post(f"{at}/{form}", data=data)
    assert answer.status_code == 422
    assert said in answer.text and f'id="{form}-error"' in answer.text
    assert stored(app).files == FILES


def test_a_script_saves_what_changed_and_hears_what_is_wrong(app: Flask, ivan: FlaskClient, at: str) -> None:
    sent = {"version": 1, "changed": {"exercise.yaml": "schema: 2\n"}, "removed": ["solutions/notes.md"]}
    answer = ivan.put(f"{at}/files", json=sent)
    assert answer.status_code == 200
    assert answer.json["version"] == 2
    assert {"file": "exercise.yaml", "line": 1, "message": "schema must be 1, got 2"} in answer.json["problems"]
    assert "schema must be 1, got 2" in answer.json["shown"] and 'data-line="1"' in answer.json["shown"]
    stale = ivan.put(f"{at}/files", json=sent | {"changed": {"README.md": "# Mine"}})
    assert stale.status_code == 409
    assert (stale.json["version"], stale.json["files"]["exercise.yaml"]) == (2, "schema: 2\n")
    assert "solutions/notes.md" not in stored(app).files


@pytest.mark.parametrize(
    "sent",
    [
        [],
        {},
        {"version": "1", "changed": {}, "removed": []},
        {"version": 2**31, "changed": {}, "removed": []},
        {"version": 1, "changed": {"a": 1}, "removed": []},
        {"version": 1, "changed": {}, "removed": [1]},
        {"version": 1, "changed": {"../up": ""}, "removed": []},
        {"version": 1, "changed": {"a": "\ud800"}, "removed": []},
    ],
)
def test_a_save_of_another_shape_is_refused(app: Flask, ivan: FlaskClient, at: str, sent: object) -> None:
    answer = ivan.put(f"{at}/files", data=json.dumps(sent), content_type="application/json")
    assert answer.status_code == 400
    assert stored(app).files == FILES


def test_the_preview_is_what_learners_see_and_safe(ivan: FlaskClient, at: str) -> None:
    answer = ivan.post(f"{at}/preview", json={"text": "# T\n\n**R1** *Do* it. <script>x</script>\n"})
    assert '<strong id="r1"' in answer.json["html"] and "<script>" not in answer.json["html"]
    assert ivan.post(f"{at}/preview", json={"text": 1}).status_code == 400
    assert "<em>twice</em>" in ivan.get(at).text


def test_page_data_cannot_break_out_of_the_page(app: Flask, ivan: FlaskClient, at: str) -> None:
    ivan.post(f"{at}/save", data={"path": "data/x", "text": "</script><b>", "draft_version": "1"})
    page = ivan.get(f"{at}?file=data/x").text
    assert "</script><b>" not in page
    data = json.loads(re.search(r'id="author-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    assert data["files"]["data/x"] == "</script><b>"


def test_it_is_tried_as_a_learner_once_it_is_well_formed(app: Flask, ivan: FlaskClient, at: str) -> None:
    answer = ivan.post(f"{at}/try")
    assert (answer.status_code, answer.location) == (303, f"/exercises/try/copy-{at.rpartition('/')[2]}")
    assert "You are trying this as a learner" in ivan.get(answer.location).text
    ivan.post(f"{at}/remove", data={"path": "tests"})
    refused = ivan.post(f"{at}/try")
    assert refused.status_code == 422
    assert "3 problems must be solved first" in refused.text


def test_a_new_exercise_is_moved_before_it_is_published(
    app: Flask, ivan: FlaskClient, at: str, exercise_id: int
) -> None:
    assert ivan.post(f"{at}/move", data={"track": "apis", "slug": "other"}).status_code == 303
    assert stored(app).path == "apis/other"
    refused = ivan.post(f"{at}/move", data={"track": "calls", "slug": "double-it"})
    assert refused.status_code == 422
    assert "already" in refused.text and 'value="double-it"' in refused.text


def test_a_deleted_copy_is_gone(app: Flask, ivan: FlaskClient, at: str) -> None:
    assert "Double it" in ivan.get("/instructor/exercises").text
    assert ivan.post(f"{at}/delete").status_code == 303
    page = ivan.get("/instructor/exercises").text
    assert "is deleted" in page and "You are not writing anything" in page
    assert ivan.get(at).status_code == 404


def test_another_instructor_finds_nothing_of_it(app: Flask, cast: Cast, at: str) -> None:
    with app.app_context():
        other = signed_in(app, make_person("Iris", role="instructor").id)
    assert "calls/mine" not in other.get("/instructor/exercises").text
    sent = {"json": {"version": 1, "changed": {}, "removed": [], "text": ""}}
    answers = [other.get(at), other.get(f"{at}/changes"), other.put(f"{at}/files", **sent)]
    answers += [other.post(f"{at}/preview", **sent)]
    forms = ("save", "create", "upload", "rename", "remove", "move", "try", "delete")
    answers += [other.post(f"{at}/{form}", data={"path": "README.md", "to": "x"}) for form in forms]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert stored(app).files == FILES
    with app.app_context():
        assert db.session.scalars(select(Exercise)).all() == []


def test_the_schema_is_for_instructors(ivan: FlaskClient, lena: FlaskClient) -> None:
    schema = ivan.get("/instructor/exercise.schema.json").json
    assert schema["properties"]["kind"]["enum"] == ["calls", "http", "mutation", "sql"]
    assert lena.get("/instructor/exercise.schema.json").status_code == 403
