"""The solve screen: verdicts that are no answer, help, reset."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import (
    WELCOME,
    answer,
    check,
    editor,
    expect_verdict,
    only,
    open_exercise,
    press,
    wait_until_saved,
    write,
)

ENDLESS = "def mask(key):\n    while True:\n        pass\n"


def tab(page: Page, name: str) -> None:
    """Open a tab of the left pane."""
    page.get_by_role("tab", name=name).click()


def test_what_does_not_compile_is_said_in_a_red_banner(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, "def mask(key:\n    return key\n")
    press(page, "submit")
    banner = expect_verdict(page, "Compile error")
    expect(banner).to_have_class(re.compile("gr-banner--limit"))
    expect(banner.get_by_label("What was reported")).to_contain_text("SyntaxError")
    expect(page.locator("#results .gr-check--passed")).to_have_count(0)


def test_an_endless_loop_ends_in_a_red_banner_and_no_green_list(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, ENDLESS)
    press(page, "submit")
    banner = expect_verdict(page, "Time limit")
    expect(banner).to_have_class(re.compile("gr-banner--limit"))
    expect(banner).to_contain_text("10 s")
    expect(page.locator("#results .gr-check--passed")).to_have_count(0)
    expect(page.get_by_role("button", name="Submit")).to_have_attribute("aria-disabled", "false")


def test_of_a_hidden_check_the_title_requirement_and_hint_are_shown_and_nothing_else(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, only(answer(WELCOME, of="off-by-one")))
    press(page, "submit")
    banner = expect_verdict(page, "Wrong answer")
    expect(banner).to_contain_text("5 of 6 checks pass")
    failed = check(page, "A key of exactly four characters shows nothing")
    expect(failed).to_contain_text("R2")
    expect(failed).to_contain_text("R2 says how long a key has to be before any of it may be seen.")
    expect(failed.locator("pre")).to_have_count(0)


def test_hints_come_one_at_a_time_and_cost_the_word_unaided(page: Page, lena: Person) -> None:
    open_exercise(page, WELCOME)
    tab(page, "Hints")
    hints = page.locator("#panel-hints .gr-card")
    expect(hints).to_have_count(0)
    page.get_by_role("button", name="Show hint 1 of 2").click()
    expect(hints).to_have_count(1)
    expect(hints).to_contain_text("three stars")
    page.get_by_role("button", name="Show hint 2 of 2").click()
    expect(hints).to_have_count(2)
    expect(page.locator("#panel-hints")).to_contain_text("There are no more hints.")

    write(page, only(answer(WELCOME)))
    press(page, "submit")
    expect_verdict(page, "Accepted")
    page.goto("/progress")
    expect(page.locator(".gr-stat").filter(has_text="Solved, of").locator("dd")).to_have_text("1")
    expect(page.locator(".gr-stat").filter(has_text="Solved unaided").locator("dd")).to_have_text("0")
    expect(page.locator("main")).to_contain_text("with help")


def test_giving_up_shows_the_solution_after_a_question(page: Page) -> None:
    open_exercise(page, WELCOME)
    tab(page, "Solution")
    panel = page.locator("#panel-solutions")
    expect(panel).to_contain_text("Locked until you have solved it")
    panel.get_by_label("I want to see it now").check()
    panel.get_by_role("button", name="Give up").click()
    dialog = page.get_by_role("dialog", name="Give up and see the solution?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Cancel").click()
    expect(panel).to_contain_text("Locked")
    panel.get_by_role("button", name="Give up").click()
    dialog.get_by_role("button", name="Show the solution").click()
    expect(panel.get_by_label("mask.py")).to_contain_text("SHOWN = 4")


def test_the_solution_opens_by_itself_once_it_is_solved(page: Page, site: Site, lena: Person) -> None:
    site.judged(lena, WELCOME, answer(WELCOME))
    open_exercise(page, WELCOME)
    tab(page, "Solution")
    expect(page.locator("#panel-solutions").get_by_label("mask.py")).to_contain_text("SHOWN = 4")


def test_reset_asks_first_and_can_be_undone(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, "precious = 'text'\n")
    wait_until_saved(page)
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(editor(page)).to_contain_text("precious")
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(editor(page)).to_contain_text("def mask(key):")
    page.get_by_role("button", name="Undo reset").click()
    expect(editor(page)).to_contain_text("precious")


def test_two_submissions_are_compared_and_an_old_one_is_restored(browsing: Browsing, site: Site, lena: Person) -> None:
    first = site.judged(lena, WELCOME, {"mask.py": "def mask(key):\n    return 'first'\n"})
    second = site.judged(lena, WELCOME, {"mask.py": "def mask(key):\n    return 'second'\n"})
    page = browsing.page(lena)
    page.goto(f"/submissions/{second}")
    page.get_by_label("Compare with").select_option(str(first))
    page.get_by_role("button", name="Compare").click()
    difference = page.get_by_label("Difference in mask.py")
    expect(difference.locator("del")).to_contain_text("'first'")
    expect(difference.locator("ins")).to_contain_text("'second'")
    page.goto(f"/submissions/{first}")
    page.get_by_role("button", name="Restore into the editor").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(editor(page)).to_contain_text("'first'")
