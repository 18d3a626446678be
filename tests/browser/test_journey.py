"""From the first page to the printed report: what a learner came for."""

from __future__ import annotations

import csv
import io
import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.solving import (
    HTTP,
    SQL,
    WELCOME,
    answer,
    check,
    expect_verdict,
    only,
    open_exercise,
    press,
    wait_until_saved,
    write,
)
from tests.factories import PASSWORD


def register(page: Page, name: str, email: str) -> None:
    """Create an account by the form, as anybody would, and sign in with it."""
    page.goto("/")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_label("E-mail")).to_have_value(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your progress")


def solve_the_welcome_exercise(page: Page) -> None:
    """Look at a failing run with its values, then submit the solution."""
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep API keys out of the log")
    write(page, "def mask(key):\n    print('called with', key)\n    return key.upper()\n")
    press(page, "run")
    expect_verdict(page, "Wrong answer")
    failed = check(page, "The last four characters stay")
    expect(failed).to_have_attribute("open", "")
    expect(failed.get_by_label("Steps")).to_contain_text("mask")
    expect(failed.get_by_label("Expected")).to_contain_text("********5501")
    expect(failed.get_by_label("Actual")).to_contain_text("GR_TEST_5501")
    expect(failed.get_by_label("Printed")).to_contain_text("called with gr_test_5501")

    write(page, only(answer(WELCOME)))
    press(page, "run")
    expect_verdict(page, "The visible check passes")
    press(page, "submit")
    expect_verdict(page, "Accepted")
    wait_until_saved(page)


def solve_the_sql_exercise(page: Page) -> None:
    """Go wrong once, read what the hidden checks say, then submit the solution."""
    open_exercise(page, SQL)
    write(page, only(answer(SQL, of="refund-fan-out")))
    press(page, "submit")
    expect_verdict(page, "Wrong answer")
    hidden = check(page, "An invoice with several refunds is counted once")
    expect(hidden).to_contain_text("How many rows does your join give")
    expect(hidden).to_contain_text("what it sends and expects is not shown")
    expect(check(page, "The five columns")).to_have_class(re.compile("gr-check--passed"))
    write(page, only(answer(SQL)))
    press(page, "submit")
    expect_verdict(page, "Accepted")


def figure(page: Page, title: str) -> str:
    """Return the number that stands under `title`."""
    return page.locator(".gr-stat").filter(has_text=title).locator("dd").first.inner_text().strip()


def test_a_newcomer_solves_two_exercises_and_prints_the_report(browsing: Browsing) -> None:
    page = browsing.page()
    register(page, "Nora Newcomer", "nora@example.com")
    solve_the_welcome_exercise(page)
    solve_the_sql_exercise(page)

    page.goto("/progress")
    assert figure(page, "Solved, of") == "2"
    assert figure(page, "Solved unaided") == "2"
    assert figure(page, "Tried") == "2"
    page.locator(".gr-stat").filter(has_text="Tried").get_by_role("link").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)  # as many as the figure says
    page.get_by_role("link", name=re.compile("Attempt . of 2 at Revenue by month")).click()
    expect(rows).to_have_count(2)  # both attempts at that one
    expect(rows.filter(has_text="not solved")).to_have_count(1)
    rows.first.get_by_role("link", name=re.compile("#")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Submission #")
    expect(page.locator(".gr-banner__title")).to_have_text("Accepted")
    expect(page.get_by_label("query.sql")).to_contain_text("generate_series")

    page.goto("/progress")
    page.get_by_role("link", name="Printable report").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nora Newcomer")
    expect(page.locator("main")).to_contain_text("Keep API keys out of the log")
    address = page.get_by_role("link", name=re.compile("CSV")).get_attribute("href") or ""
    answered = page.request.get(address)
    assert answered.headers["content-type"].startswith("text/csv")
    solved = [row for row in csv.DictReader(io.StringIO(answered.text().lstrip("\ufeff"))) if row["status"] == "solved"]
    assert {row["exercise"]: row["attempts"] for row in solved} == {"keys-in-the-log": "1", "revenue-by-month": "2"}
    assert {row["learner_name"] for row in solved} == {"Nora Newcomer"}


def test_a_server_of_the_learners_is_started_and_accepted(page: Page) -> None:
    open_exercise(page, HTTP)
    write(page, only(answer(HTTP)))
    press(page, "submit")
    banner = expect_verdict(page, "Accepted")
    expect(banner).to_contain_text(re.compile(r"All \d+ checks pass"))
