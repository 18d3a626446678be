"""What is typed is never lost."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.site import Person
from tests.browser.solving import WELCOME, editor, open_exercise, wait_until_saved, write


def test_a_draft_survives_a_reload(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, "kept = 'over a reload'\n")
    wait_until_saved(page)
    page.reload()
    expect(editor(page)).to_contain_text("kept = 'over a reload'")


def test_a_draft_follows_its_writer_to_another_computer(browsing: Browsing, lena: Person) -> None:
    here = browsing.page(lena)
    open_exercise(here, WELCOME)
    write(here, "kept = 'on the server'\n")
    wait_until_saved(here)
    there = browsing.page(lena)
    open_exercise(there, WELCOME)
    expect(editor(there)).to_contain_text("kept = 'on the server'")


def test_two_tabs_that_disagree_are_told_and_asked(browsing: Browsing, lena: Person) -> None:
    browsing.forgive("status of 409")
    context = browsing.as_(lena)
    one, other = context.new_page(), context.new_page()
    open_exercise(one, WELCOME)
    open_exercise(other, WELCOME)
    write(one, "text = 'of the first tab'\n")
    wait_until_saved(one)
    write(other, "text = 'of the second tab'\n")
    dialog = other.get_by_role("dialog", name="Changed in another tab")
    dialog.get_by_role("button", name="Decide later").click()
    expect(other.locator("#saved")).to_contain_text("changed in another tab")
    expect(editor(other)).to_contain_text("of the second tab")
    other.get_by_role("button", name="Choose").click()
    dialog.get_by_role("button", name="Keep mine").click()
    wait_until_saved(other)
    one.reload()
    expect(editor(one)).to_contain_text("of the second tab")


def test_the_other_tabs_text_can_be_taken(browsing: Browsing, lena: Person) -> None:
    browsing.forgive("status of 409")
    context = browsing.as_(lena)
    one, other = context.new_page(), context.new_page()
    open_exercise(one, WELCOME)
    open_exercise(other, WELCOME)
    write(one, "text = 'of the first tab'\n")
    wait_until_saved(one)
    write(other, "text = 'of the second tab'\n")
    other.get_by_role("dialog").get_by_role("button", name="Take the other").click()
    expect(editor(other)).to_contain_text("of the first tab")


def test_without_a_network_the_text_is_kept_and_saved_later(browsing: Browsing, lena: Person) -> None:
    browsing.forgive("ERR_INTERNET_DISCONNECTED")
    context = browsing.as_(lena)
    page = context.new_page()
    open_exercise(page, WELCOME)
    context.set_offline(True)
    write(page, "typed = 'in a tunnel'\n")
    expect(page.locator("#saved")).to_contain_text("kept in this browser")
    context.set_offline(False)
    wait_until_saved(page)
    page.reload()
    expect(editor(page)).to_contain_text("in a tunnel")


def test_text_of_a_visit_that_ended_without_a_network_is_offered(browsing: Browsing, lena: Person) -> None:
    browsing.forgive("ERR_INTERNET_DISCONNECTED")
    context = browsing.as_(lena)
    page = context.new_page()
    open_exercise(page, WELCOME)
    context.set_offline(True)
    write(page, "typed = 'before the battery died'\n")
    expect(page.locator("#saved")).to_contain_text("kept in this browser")
    page.close()
    context.set_offline(False)
    again = context.new_page()
    open_exercise(again, WELCOME)
    expect(editor(again)).to_contain_text("def mask(key):")
    again.get_by_role("dialog", name="Unsaved text found").get_by_role("button", name="Restore it").click()
    expect(editor(again)).to_contain_text("before the battery died")
    wait_until_saved(again)
