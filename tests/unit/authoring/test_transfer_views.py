"""Importing and exporting in the browser."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts.models import Role
from app.authoring.models import WorkingCopy
from app.authoring.transfer import from_zip, to_zip
from app.catalog.format import from_files
from app.catalog.services import find, sync
from app.catalog.sync import add_revision
from app.db import db
from tests.conftest import Cast, MakeApp, signed_in
from tests.exercise_folders import FILES, changed, write
from tests.factories import make_exercise, make_person

IMPORT = "/instructor/exercises/import"
ODD = {**FILES, "data/odd.txt": "\ufeffline\r\nends\rkept"}


def send(browser: FlaskClient, archive: bytes, *, name: str = "double-it.zip", **fields: str) -> TestResponse:
    """Ivan's browser sends the form."""
    sent = {"archive": (io.BytesIO(archive), name), "track": "calls", "slug": "", **fields}
    return browser.post(IMPORT, data=sent)


def copies(app: Flask) -> list[WorkingCopy]:
    """Every working copy there is."""
    with app.app_context():
        return list(db.session.scalars(select(WorkingCopy)))


def test_an_archive_becomes_a_working_copy_byte_for_byte(app: Flask, ivan: FlaskClient, cast: Cast) -> None:
    answer = send(ivan, to_zip(ODD, folder="double-it"))
    [copy] = copies(app)
    assert (answer.status_code, copy.owner_id, copy.path, copy.files) == (303, cast.ivan, "calls/double-it", ODD)
    assert answer.headers["Location"] == f"/instructor/copies/{copy.id}"
    assert "Imported into a working copy." in ivan.get(answer.headers["Location"]).text
    exported = ivan.get(f"/instructor/copies/{copy.id}/export.zip")
    assert exported.headers["Content-Disposition"] == "attachment; filename=double-it-working-copy.zip"
    assert exported.mimetype == "application/zip"
    assert from_zip(exported.data).files == ODD


def test_what_is_not_well_formed_yet_can_be_put_right_in_the_editor(app: Flask, ivan: FlaskClient) -> None:
    answer = send(ivan, to_zip({"exercise.yaml": "schema: 1\n", "README.md": "# It"}, folder="it"))
    assert answer.status_code == 303
    assert "is missing" in ivan.get(answer.headers["Location"]).text


def test_a_hostile_archive_is_refused_and_every_entry_named(app: Flask, ivan: FlaskClient) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("README.md", "# It")
        archive.writestr("../<script>.py", "x")
        archive.writestr("data/picture.png", b"\x89PNG")
    answer = send(ivan, out.getvalue(), slug="typed-name")
    assert answer.status_code == 422
    assert "<code>../&lt;script&gt;.py</code> must be a relative path" in answer.text
    assert "Nothing was imported." in answer.text
    assert 'value="typed-name"' in answer.text
    assert copies(app) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"track": ""}, "Write lower-case words with - between them"),
        ({"slug": "No Name"}, "Write lower-case words with - between them"),
        ({"slug": "taken"}, "There is an exercise at calls/taken already"),
    ],
)
def test_a_place_that_cannot_be_is_said_at_its_field(
    app: Flask, ivan: FlaskClient, fields: dict[str, str], said: str
) -> None:
    with app.app_context():
        make_exercise("calls", "taken")
    answer = send(ivan, to_zip(FILES, folder="double-it"), **fields)
    assert answer.status_code == 422
    assert re.search(rf'<div class="invalid-feedback" id="{next(iter(fields))}-error">{said}', answer.text)


@pytest.mark.parametrize("archive", [b"", b"not a zip"])
def test_what_is_no_archive_is_said_at_the_field(app: Flask, ivan: FlaskClient, archive: bytes) -> None:
    answer = send(ivan, archive)
    assert answer.status_code == 422 and "is not a zip archive, or is damaged" in answer.text


def test_a_form_without_a_file_says_what_is_missing(ivan: FlaskClient) -> None:
    answer = ivan.post(IMPORT, data={"track": "calls"})
    assert answer.status_code == 422 and "Choose a zip archive." in answer.text


def test_more_than_the_site_accepts_is_not_read(ivan: FlaskClient) -> None:
    assert send(ivan, bytes(2 * 1024 * 1024)).status_code == 413


def test_any_instructor_exports_what_is_published(app: Flask, ivan: FlaskClient) -> None:
    with app.app_context():
        make_exercise("calls", "double-it", files=FILES, kind="calls")
    answer = ivan.get("/instructor/exercises/calls/double-it/export.zip")
    assert answer.headers["Content-Disposition"] == "attachment; filename=double-it-1.zip"
    assert from_zip(answer.data).files == FILES
    for revision in ("2", "0", "x", "99999999999"):
        assert ivan.get(f"/instructor/exercises/calls/double-it/export.zip?revision={revision}").status_code == 404


def test_a_folder_that_disagrees_is_told_of(make_app: MakeApp, tmp_path: Path) -> None:
    write(tmp_path / "exercises/calls/double-it")
    app = make_app(exercises_dir=tmp_path / "exercises")
    with app.app_context():
        sync(tmp_path / "exercises")
        ivan = make_person("Ivan", role=Role.INSTRUCTOR)
        browser, url = signed_in(app, ivan.id), "/instructor/exercises/calls/double-it"
        assert "The folder and the site disagree" not in browser.get(url).text
        add_revision(find("calls", "double-it"), from_files(ODD), author_id=ivan.id)
        db.session.commit()
    assert "The folder and the site disagree" not in browser.get(url).text
    write(tmp_path / "exercises/calls/double-it", changed("Give back", "Return", file="README.md"))
    page = browser.get(url).text
    assert "The folder and the site disagree" in page
    assert "README.md</code>" in page and "data/odd.txt</code>" in page
    assert "flask --app wsgi exercises sync --take site calls/double-it" in page


def test_a_working_copy_goes_out_to_its_owner_and_to_admins_alone(
    app: Flask, ivan: FlaskClient, ada: FlaskClient
) -> None:
    copy_id = copies_after(app, send(ivan, to_zip(ODD, folder="double-it")))
    with app.app_context():
        ines = signed_in(app, make_person("Ines", role=Role.INSTRUCTOR).id)
    url = f"/instructor/copies/{copy_id}/export.zip"
    assert [browser.get(url).status_code for browser in (ivan, ada, ines)] == [200, 200, 404]


def copies_after(app: Flask, answer: TestResponse) -> int:
    """The id of the one working copy there is now."""
    assert answer.status_code == 303
    return int(copies(app)[0].id)
