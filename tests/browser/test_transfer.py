"""Exercises come in and go out as archives, and a folder that disagrees with the site is told of."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from app.accounts.models import Role
from app.authoring.starts import start_files
from app.authoring.transfer import from_zip, to_zip
from app.catalog.format import from_files, load
from app.catalog.services import find
from app.catalog.sync import add_revision
from app.db import db
from config import ROOT
from tests.browser.browsing import Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import WELCOME
from tests.browser.test_accessibility import AXE, SIZES, overflow, violations


def payload(archive: bytes, name: str = "my-shares.zip") -> FilePayload:
    """A file as somebody chooses it."""
    return FilePayload(name=name, mimeType="application/zip", buffer=archive)


def choose(page: Page, archive: bytes, *, track: str) -> None:
    """Fill the import form and send it."""
    page.goto("/instructor/exercises")
    page.get_by_role("link", name="Import").click()
    page.get_by_label("Archive").set_input_files(payload(archive))
    page.get_by_label("Track").fill(track)
    page.get_by_role("button", name="Import").click()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scripted", [True, False], ids=["with script", "without script"])
def test_an_archive_comes_in_and_goes_out_the_same(
    browsing: Browsing, ivan: Person, size: str, scripted: bool, tmp_path: Path
) -> None:
    slug = f"my-shares-{ivan.id}"
    files = start_files("calls", title="My shares", track="practice", slug=slug)
    page = browsing.page(ivan, viewport=SIZES[size], java_script_enabled=scripted)
    choose(page, to_zip(files, folder=slug), track="practice")
    expect(page.get_by_text("Imported into a working copy.")).to_be_visible()
    expect(page.get_by_text(f"practice/{slug}").first).to_be_visible()
    page.get_by_text("More", exact=True).click()
    with page.expect_download() as sent:
        page.get_by_role("link", name="Export as a zip").click()
    sent.value.save_as(tmp_path / "out.zip")
    assert from_zip((tmp_path / "out.zip").read_bytes()).files == files


def test_a_revision_goes_out(browsing: Browsing, ivan: Person, tmp_path: Path) -> None:
    page = browsing.page(ivan)
    page.goto(f"/instructor/exercises/{WELCOME}")
    with page.expect_download() as sent:
        page.get_by_role("link", name="Export").first.click()
    assert sent.value.suggested_filename == "keys-in-the-log-1.zip"
    sent.value.save_as(tmp_path / "out.zip")
    assert from_zip((tmp_path / "out.zip").read_bytes()).files == load(ROOT / "exercises" / WELCOME).files


@pytest.fixture
def conflict(site: Site) -> Iterator[str]:
    """The path of an exercise that was changed in the browser and in its folder."""
    path = "auth/lab-tokens"
    with site.app.app_context():
        exercise = find(*path.split("/"))
        before = (exercise.current_revision_id, exercise.synced_digest)
        assert exercise.current is not None
        files = {**exercise.current.files, "README.md": exercise.current.files["README.md"] + "\nMore.\n"}
        add_revision(exercise, from_files(files), author_id=None, note="changed in the browser")
        exercise.synced_digest = "0" * 64
        db.session.commit()
    yield path
    with site.app.app_context():
        exercise = find(*path.split("/"))
        exercise.current_revision_id, exercise.synced_digest = before
        db.session.commit()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_refused_and_what_disagrees_is_said_on_pages_without_faults(
    browsing: Browsing, site: Site, conflict: str, theme: str, size: str
) -> None:
    browsing.forgive("status of 422")
    ivan = site.person("Ivan Instructor", Role.INSTRUCTOR, theme=theme)
    context = browsing.as_(ivan, viewport=SIZES[size], color_scheme=theme, is_mobile=size == "phone")
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.goto("/instructor/exercises/import")
    assert (violations(page), overflow(page)) == ([], [])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../up.py", "x")
        archive.writestr("data/" + "long-name-" * 12 + ".txt", b"\xff")
    choose(page, out.getvalue(), track="practice")
    expect(page.get_by_role("region", name="What is in the archive")).to_contain_text(
        "../up.py must be a relative path"
    )
    expect(page.get_by_label("Track")).to_have_value("practice")
    assert (violations(page), overflow(page)) == ([], [])
    page.goto(f"/instructor/exercises/{conflict}")
    said = page.get_by_role("region", name="The folder and the site disagree")
    expect(said).to_contain_text("README.md")
    expect(said).to_contain_text(f"exercises sync --take folder {conflict}")
    assert (violations(page), overflow(page)) == ([], [])
