"""Writing an exercise in the browser, from a fork to trying it as a learner."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from app.accounts.models import Role
from tests.browser.browsing import DESKTOP, PHONE, Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import WELCOME, answer, editor, expect_verdict, only, press, wait_until_saved, write
from tests.browser.test_accessibility import AXE, overflow, violations


@pytest.fixture
def page(browsing: Browsing, ivan: Person) -> Page:
    """A page of Ivan's, on his fork of an exercise."""
    page = browsing.page(ivan)
    fork(page)
    return page


def fork(page: Page, path: str = WELCOME) -> None:
    """Fork an exercise and wait for its editor."""
    page.goto(f"/instructor/exercises/{path}")
    page.get_by_role("button", name="Fork").click()
    expect(editor(page)).to_be_visible()


def tree(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Files")


def open_file(page: Page, path: str) -> None:
    """Open a file from the tree."""
    tree(page).locator(f'a[data-path="{path}"]').click()
    expect(page.locator("#open-path")).to_have_text(path)
    expect(page.get_by_role("textbox", name=f"Code of {path}")).to_be_visible()


def test_a_new_exercise_is_begun_from_the_list(browsing: Browsing, ivan: Person) -> None:
    browsing.forgive("status of 422")
    page = browsing.page(ivan)
    page.goto("/instructor/exercises")
    page.get_by_role("link", name="New exercise").click()
    page.get_by_role("radio", name=re.compile("^Functions")).check()
    page.get_by_label("Title").fill("Split a bill")
    page.get_by_label("Track").fill("billing")
    page.get_by_label("Name in addresses").fill("Split a bill")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Write lower-case words")).to_be_visible()
    page.get_by_label("Name in addresses").fill(f"split-a-bill-{ivan.id}")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Split a bill")
    expect(editor(page)).to_contain_text("Split a bill")


def test_problems_stand_at_their_lines_and_go_when_they_are_solved(page: Page, browsing: Browsing) -> None:
    browsing.forgive("status of 422")
    expect(page.locator("#problem-count")).to_have_text("0")
    open_file(page, "exercise.yaml")
    text = only(
        {
            "exercise.yaml": page.evaluate(
                "() => JSON.parse(document.getElementById('author-data').textContent).files['exercise.yaml']"
            )
        }
    )
    write(page, re.sub(r"difficulty: \d", "difficulty: 9", text))
    page.get_by_role("tab", name="Problems").click()
    problem = page.get_by_role("tabpanel", name="Problems").get_by_role("listitem")
    expect(problem).to_contain_text("difficulty must be 1–5, got 9")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    open_file(page, "README.md")
    problem.get_by_role("link").click()
    expect(page.locator("#open-path")).to_have_text("exercise.yaml")
    expect(page.locator(".cm-activeLine:visible")).to_contain_text("difficulty: 9")
    page.get_by_role("button", name="Try as a learner").click()
    expect(page.get_by_role("alert")).to_contain_text("1 problem must be solved first")
    write(page, text)
    expect(page.locator("#problem-count")).to_have_text("0")


def test_the_preview_follows_the_statement(page: Page) -> None:
    open_file(page, "README.md")
    write(page, "# A title\n\nDo it **well**.\n\n- **R1** First.\n")
    preview = page.get_by_role("tabpanel", name="Preview")
    expect(preview.locator("strong", has_text="well")).to_be_visible()
    expect(preview).not_to_contain_text("A title")


def test_files_are_added_renamed_uploaded_and_deleted(page: Page) -> None:
    page.get_by_text("Add files").click()
    page.get_by_label("New file").fill("../up")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Expected a name of letters")).to_be_visible()
    page.get_by_label("New file").fill("data/a.csv")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#open-path")).to_have_text("data/a.csv")
    page.keyboard.insert_text("id\n1\n")
    page.get_by_text("Rename", exact=True).first.click()
    page.get_by_label("New path").fill("data/b.csv")
    page.locator("#rename-form button").click()
    page.get_by_label("Upload text files into").fill("data")
    page.get_by_label("Files from this computer").set_input_files(
        [
            {"name": "c.csv", "mimeType": "text/csv", "buffer": b"c"},
            {"name": "d.csv", "mimeType": "text/csv", "buffer": b"d"},
        ]
    )
    page.get_by_role("button", name="Upload").click()
    open_file(page, "data/d.csv")
    page.locator("#remove-form button").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(tree(page).locator('a[data-path^="data/"]')).to_have_text(["b.csv", "c.csv"])
    page.keyboard.press("Control+S")
    wait_until_saved(page)
    page.reload()
    expect(tree(page).locator('a[data-path^="data/"]')).to_have_text(["b.csv", "c.csv"])
    open_file(page, "data/b.csv")
    expect(editor(page)).to_contain_text("id")


def test_keys_and_names_are_completed(page: Page) -> None:
    open_file(page, "exercise.yaml")
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\n")
    page.keyboard.type("lim")
    offered = page.locator(".cm-tooltip-autocomplete [role=option]")
    expect(offered).to_have_count(0)  # it is there already in this file, further up
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("schema: 1\nchecks:\n  - {id: twice, gro")
    page.keyboard.press("Control+Space")
    expect(offered.first).to_contain_text("group")
    offered.first.click()
    expect(editor(page)).to_contain_text("group:")
    page.keyboard.press("Control+Space")
    expect(offered).to_have_text(["concurrency", "core", "edge", "performance", "security"])
    page.keyboard.press("Escape")


def test_two_tabs_that_disagree_are_asked_and_nothing_is_lost(browsing: Browsing, ivan: Person) -> None:
    browsing.forgive("status of 409")
    context = browsing.as_(ivan)
    one = context.new_page()
    fork(one)
    other = context.new_page()
    other.goto(one.url)
    open_file(one, "README.md")
    open_file(other, "README.md")
    write(one, "# Of the first tab\n")
    wait_until_saved(one)
    write(other, "# Of the second tab\n")
    dialog = other.get_by_role("dialog", name="Changed in another tab")
    dialog.get_by_role("button", name="Take the other").click()
    expect(editor(other)).to_contain_text("Of the first tab")
    write(other, "# Of both\n")
    wait_until_saved(other)


def test_it_is_tried_as_a_learner_by_its_author_alone(page: Page, browsing: Browsing, site: Site) -> None:
    browsing.forgive("status of 404")
    page.get_by_role("button", name="Try as a learner").click()
    expect(page.get_by_text("You are trying this as a learner")).to_be_visible()
    write(page, only(answer(WELCOME)))
    press(page, "submit")
    expect_verdict(page, "Accepted")
    address = page.url
    stranger = browsing.page(site.person("Iris Instructor", Role.INSTRUCTOR))
    stranger.goto(address)
    expect(stranger.get_by_role("heading", level=1)).not_to_have_text("Keep API keys out of the log")
    page.get_by_role("link", name="Back to the working copy").click()
    expect(editor(page)).to_be_visible()
    page.goto("/progress")
    expect(page.locator("main")).not_to_contain_text("Keep API keys out of the log-fork")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_pages_are_accessible(browsing: Browsing, site: Site, theme: str, size: dict[str, int]) -> None:
    browsing.forgive("status of 422")
    ada = site.person("Ada Admin", Role.ADMIN, theme=theme)
    context = browsing.as_(ada, viewport=size, color_scheme=theme, is_mobile=size is PHONE)
    context.add_init_script(path=AXE)
    page = context.new_page()
    fork(page)
    found = violations(page) + overflow(page)
    at = page.url.partition("?")[0]
    open_file(page, "exercise.yaml")
    write(page, "schema: 2\n")
    expect(page.locator("#problem-count")).not_to_have_text("0")
    wait_until_saved(page)
    for menu in page.locator("main details.gr-menu > summary").all():
        menu.click()
        found += violations(page)
    for path in (
        at,
        f"{at}/changes",
        "/instructor/exercises",
        "/instructor/exercises/new",
        f"/instructor/exercises/{WELCOME}/compare",
    ):
        page.goto(path)
        found += [f"{path}: {each}" for each in violations(page) + overflow(page)]
    page.goto("/instructor/exercises/new")
    page.get_by_role("button", name="Begin").click()
    found += violations(page)
    assert not found, "\n".join(found)


def test_it_works_without_a_script(browsing: Browsing, ivan: Person) -> None:
    page = browsing.page(ivan, java_script_enabled=False)
    page.goto(f"/instructor/exercises/{WELCOME}")
    page.get_by_role("button", name="Fork").click()
    page.get_by_role("navigation", name="Files").get_by_role("link", name="README.md").click()
    page.get_by_label("Text of README.md").fill("# Another one\n\nDo it.\n")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Text of README.md")).to_have_value("# Another one\n\nDo it.\n")
    page.get_by_text("Add files").click()
    page.get_by_label("New file").fill("data/a.csv")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#open-path")).to_have_text("data/a.csv")
    page.locator("#remove-form button").click()
    expect(page.get_by_role("navigation", name="Files").get_by_role("link", name="a.csv")).to_have_count(0)
