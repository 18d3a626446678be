"""What goes wrong is said in words, on a page of the site, with a way on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import WELCOME


def expect_friendly(page: Page, status: int) -> None:
    """An error page has the site's frame, one heading, the status, and a way on."""
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).not_to_be_empty()
    expect(page.locator("main")).to_contain_text(str(status))
    expect(page.get_by_role("link", name="Go to the start page")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_attached()
    assert "Traceback" not in page.content()


@pytest.mark.parametrize(
    "path", ["/nothing", "/exercises/welcome/nothing", "/submissions/999999", "/reports/learner/1"]
)
def test_what_is_not_there_or_not_yours_is_404(browsing: Browsing, page: Page, path: str) -> None:
    browsing.forgive("status of 404")
    answered = page.goto(path)
    assert answered and answered.status == 404
    expect_friendly(page, 404)


def test_pages_for_instructors_are_403_for_learners(browsing: Browsing, page: Page) -> None:
    browsing.forgive("status of 403")
    answered = page.goto("/instructor/learners")
    assert answered and answered.status == 403
    expect_friendly(page, 403)


def test_a_form_that_is_too_large_is_413(browsing: Browsing, page: Page) -> None:
    browsing.forgive("status of 413")
    page.goto("/settings")
    page.get_by_label("Name").evaluate(
        "field => { field.removeAttribute('maxlength'); field.value = 'x'.repeat(2e6); }"
    )
    page.get_by_role("button", name="Save settings").click()
    expect_friendly(page, 413)


def test_guessing_passwords_is_429(browsing: Browsing, site: Site) -> None:
    browsing.forgive("status of (429|422)")
    victim: Person = site.person("Vera Victim")
    page = browsing.page()
    for _ in range(11):
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(victim.email)
        page.get_by_label("Password").fill("a guess of mine")
        with page.expect_navigation():
            page.get_by_role("button", name="Sign in").click()
        if page.locator("main").get_by_text("429").count():
            break
    expect_friendly(page, 429)


def test_a_refused_draft_is_said_and_the_text_is_kept(browsing: Browsing, page: Page) -> None:
    browsing.forgive("status of 40[03]|413")
    page.goto(f"/exercises/{WELCOME}")
    content = page.locator(".cm-content:visible")
    content.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("#" + "x" * 300_000)
    expect(page.locator("#saved")).to_contain_text("Not saved")
    expect(page.locator("#saved")).to_contain_text("too large")
