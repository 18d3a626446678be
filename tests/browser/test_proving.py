"""An instructor proves what they wrote, is told what is missing, mends it and publishes; a learner finds it."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import Role
from app.authoring.models import WorkingCopy
from app.db import db
from tests.browser.browsing import PHONE, Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import VERDICT_PATIENCE, editor
from tests.browser.test_accessibility import AXE, overflow, violations
from tests.exercise_folders import FILES, MANIFEST

ID = "3f0c6f3a-5d51-4a3c-8f0e-6a0f4f1f2b11"
DEAD = '  - {id: calm, test: test_calm, requirement: R1, group: edge, title: "Stays calm"}\n'
CALM = "\n\ndef test_calm(solution):\n    assert solution.double(0) is not None\n"


def files_with_a_dead_check() -> dict[str, str]:
    """A small exercise; nothing fails its check `calm`."""
    manifest = MANIFEST.replace(ID, str(uuid4())).replace("hints:", f"{DEAD}hints:")
    hidden = FILES["tests/hidden/test_hidden.py"] + CALM
    return {**FILES, "exercise.yaml": manifest, "tests/hidden/test_hidden.py": hidden}


def copy_of(site: Site, owner: Person, files: dict[str, str], slug: str) -> int:
    """Return the id of a working copy."""
    with site.app.app_context():
        copy = WorkingCopy(owner_id=owner.id, track="welcome", slug=slug, files=files)
        db.session.add(copy)
        db.session.commit()
        return copy.id


def with_axe(browsing: Browsing, person: Person, **options: Any) -> Page:
    """Return a page in which axe can be asked."""
    context = browsing.as_(person, **options)
    context.add_init_script(path=AXE)
    return context.new_page()


def edit_without_script(browsing: Browsing, ivan: Person, copy_id: int, path: str, old: str, new: str) -> None:
    """Replace `old` in one file of the copy, with the page's plain form."""
    plain = browsing.page(ivan, java_script_enabled=False)
    plain.goto(f"/instructor/copies/{copy_id}?file={path}")
    area = plain.locator("#file-text")
    text = area.input_value()
    assert old in text
    area.fill(text.replace(old, new))
    plain.get_by_role("button", name=re.compile("^Save")).click()


def test_what_is_proven_is_published_and_what_is_not_is_told_why(
    browsing: Browsing, site: Site, ivan: Person, lena: Person
) -> None:
    copy_id = copy_of(site, ivan, files_with_a_dead_check(), "double-it-dead")
    page = with_axe(browsing, ivan)
    page.goto(f"/instructor/copies/{copy_id}")
    page.get_by_role("button", name="Prove").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Proof of welcome/double-it-dead")
    # The page follows the runs by itself, and says at the end what is missing.
    expect(page.get_by_role("heading", name="1 of 10 rules does not hold")).to_be_visible(timeout=VERDICT_PATIENCE)
    expect(page.get_by_role("status")).to_have_text("1 of 10 rules does not hold")
    rules = page.get_by_role("region", name="Rules")
    expect(rules).to_contain_text("check calm: no wrong solution and no starter fails it")
    expect(page.get_by_role("region", name="What the runs say about your tests")).to_contain_text("Nothing fails calm")
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    # What a hidden test itself said is a click away.
    run = page.locator(".gr-check", has_text="wrong/takes-none")
    run.locator("summary").click()
    expect(run).to_contain_text("DID NOT RAISE")
    assert violations(page) == []
    edit_without_script(browsing, ivan, copy_id, "exercise.yaml", DEAD, "")
    edit_without_script(browsing, ivan, copy_id, "tests/hidden/test_hidden.py", CALM.strip(), "")
    page.reload()
    expect(page.get_by_text("The files were changed since")).to_be_visible()
    page.get_by_role("button", name="Prove again").click()
    expect(page.get_by_role("heading", name="Every rule holds")).to_be_visible(timeout=VERDICT_PATIENCE)
    page.get_by_label("What is new").fill("The first one")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_contain_text("Double it is published.")
    expect(page.get_by_role("region", name="Proof")).to_contain_text("proven")
    assert violations(page) == []
    learner = browsing.page(lena)
    learner.goto("/exercises/welcome/double-it-dead")
    expect(learner.get_by_role("heading", level=1)).to_have_text("Double it")


def test_without_a_script_the_page_of_a_proof_refreshes_itself(browsing: Browsing, site: Site, ivan: Person) -> None:
    browsing.forgive("status of 422")
    files = {**FILES, "exercise.yaml": MANIFEST.replace(ID, str(uuid4()))}
    copy_id = copy_of(site, ivan, files, "double-it-plain")
    page = browsing.page(ivan, java_script_enabled=False)
    page.goto(f"/instructor/copies/{copy_id}")
    page.get_by_role("button", name="Prove").click()
    expect(page.get_by_role("heading", name="Every rule holds")).to_be_visible(timeout=VERDICT_PATIENCE)
    page.get_by_label("Name in addresses").fill("keys-in-the-log")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("There is an exercise at welcome/keys-in-the-log already")).to_be_visible()
    page.get_by_label("Name in addresses").fill("double-it-plain")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Double it is published.")).to_be_visible()


def test_the_bar_above_the_editor_follows_what_is_saved(browsing: Browsing, site: Site, ivan: Person) -> None:
    copy_id = copy_of(site, ivan, {**FILES, "exercise.yaml": MANIFEST + "oops: 1\n"}, "bar")
    page = browsing.page(ivan)
    page.goto(f"/instructor/copies/{copy_id}")
    bar = page.locator("#proof-bar")
    expect(bar).to_contain_text("Not proven yet")
    bar.get_by_role("button", name="Prove").click()
    expect(page.get_by_role("heading", name="1 of 1 rules does not hold")).to_be_visible()
    page.get_by_role("link", name="Back to the editor").click()
    expect(bar).to_contain_text("The proof does not hold")
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("# more\n")
    page.keyboard.press("Control+S")
    expect(bar).to_contain_text("Changed since the last proof")
    bar.get_by_role("button", name="Prove").click()
    expect(page.get_by_role("heading", name="1 of 1 rules does not hold")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("slug", ["good", "bad"])
def test_proofs_are_readable_in_both_themes_and_on_a_phone(
    browsing: Browsing, site: Site, theme: str, slug: str
) -> None:
    author = site.person("Iris Instructor", Role.INSTRUCTOR, theme=theme)
    files = files_with_a_dead_check() if slug == "bad" else {**FILES, "exercise.yaml": MANIFEST + "oops: 1\n"}
    copy_id = copy_of(site, author, files, f"{slug}-{theme}")
    page = with_axe(browsing, author, viewport=PHONE, color_scheme=theme)
    page.goto(f"/instructor/copies/{copy_id}")
    page.get_by_role("button", name="Prove").click()
    expect(page.locator("[data-proof][data-stage=done]")).to_be_visible(timeout=VERDICT_PATIENCE)
    for summary in page.locator("[data-proof] details > summary").all():
        summary.click()
    assert violations(page) == []
    assert overflow(page) == []
