"""Settings: theme and time zone stay with the account."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import WELCOME


def test_the_dark_theme_shows_at_once_and_stays(browsing: Browsing, lena: Person) -> None:
    page = browsing.page(lena)
    page.goto("/settings")
    page.get_by_label("Dark").check()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status")).to_contain_text("saved")
    elsewhere = browsing.page(lena)
    elsewhere.goto("/exercises")
    expect(elsewhere.locator("html")).to_have_attribute("data-bs-theme", "dark")
    light = elsewhere.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(light[:3]) < 80


def test_times_are_shown_in_the_zone_that_was_chosen(page: Page, site: Site, lena: Person) -> None:
    sent = site.judged(lena, WELCOME, {"mask.py": "def mask(key):\n    return key\n"})
    page.goto(f"/submissions/{sent}")
    moment = page.locator("main header time").first
    before = moment.inner_text()
    at = moment.get_attribute("datetime")
    page.goto("/settings")
    page.get_by_label("Time zone").select_option("Asia/Kathmandu")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Kathmandu")
    page.goto(f"/submissions/{sent}")
    assert moment.inner_text() != before
    assert moment.get_attribute("datetime") == at


def test_registering_takes_the_browsers_time_zone(browsing: Browsing) -> None:
    page = browsing.page(timezone_id="Pacific/Auckland")
    page.goto("/register")
    page.get_by_label("Name").fill("Aroha Away")
    page.get_by_label("E-mail").fill("aroha@example.com")
    page.get_by_label("Password").fill("kia ora koutou katoa")
    page.get_by_role("button", name="Create the account").click()
    page.get_by_label("Password").fill("kia ora koutou katoa")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your progress")
    page.goto("/settings")
    expect(page.get_by_label("Time zone")).to_have_value("Pacific/Auckland")
