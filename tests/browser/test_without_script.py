"""Without JavaScript everything still works, one page after another."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.browsing import Browsing
from tests.browser.site import Person
from tests.browser.solving import VERDICT_PATIENCE, WELCOME, answer, only


def test_without_javascript_an_answer_is_written_submitted_and_judged(browsing: Browsing, lena: Person) -> None:
    page = browsing.page(java_script_enabled=False)
    page.goto(f"/exercises/{WELCOME}")
    page.get_by_role("link", name="Sign in").last.click()
    page.get_by_label("E-mail").fill(lena.email)
    page.get_by_label("Password").fill(lena.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep API keys out of the log")
    page.get_by_label("mask.py").last.fill(only(answer(WELCOME)))
    page.get_by_role("button", name="Submit").click()
    # The page that follows refreshes itself; nobody presses anything.
    expect(page.get_by_role("heading", name="Accepted")).to_be_visible(timeout=VERDICT_PATIENCE)
    expect(page.locator(".gr-check--passed")).to_have_count(6)

    page.get_by_role("link", name="Back to the editor").click()
    expect(page.locator("textarea")).to_have_value(only(answer(WELCOME)))
    page.get_by_role("link", name="Progress").click()
    expect(page.locator(".gr-stat").filter(has_text="Solved, of").locator("dd")).to_have_text("1")


def test_without_javascript_hints_reset_and_the_solution_open(browsing: Browsing, lena: Person) -> None:
    page = browsing.page(lena, java_script_enabled=False)
    page.goto(f"/exercises/{WELCOME}")
    page.get_by_role("button", name="Show hint 1 of 2").click()
    expect(page.locator("#panel-hints")).to_contain_text("three stars")
    page.get_by_label("I want to see it now").check()
    page.get_by_role("button", name="Give up").click()
    expect(page.locator("#panel-solutions")).to_contain_text("SHOWN = 4")


def test_without_javascript_the_catalogue_is_searched(browsing: Browsing) -> None:
    page = browsing.page(java_script_enabled=False)
    page.goto("/exercises")
    page.get_by_label("Search").fill("revenue")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr").filter(has=page.locator("td"))).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("Revenue by month")
