"""A search for similar submissions, from its form to a judgement; a worker of the live site does it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import DESKTOP, PHONE, Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import VERDICT_PATIENCE, WELCOME, answer
from tests.browser.test_accessibility import AXE, overflow, violations


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_pair_is_searched_for_looked_at_and_judged(
    browsing: Browsing, site: Site, ivan: Person, lena: Person, phone: bool
) -> None:
    nora = site.person("Nora Nightingale")
    site.in_class(ivan, lena, nora)
    for person in (lena, nora):
        site.judged(person, WELCOME, answer(WELCOME))
    context = browsing.as_(
        ivan, viewport=PHONE if phone else DESKTOP, is_mobile=phone, color_scheme="dark" if phone else "light"
    )
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.goto("/instructor/similarity")
    page.get_by_label("In common, at least %").fill("40")
    assert violations(page) == []
    page.get_by_role("button", name="Search", exact=True).click()
    pair = page.get_by_role("link", name="Lena Learner and Nora Nightingale")
    again = page.get_by_role("link", name="Look again")
    expect(pair.or_(again)).to_be_visible()
    while again.is_visible():
        again.click()
        expect(pair.or_(again)).to_be_visible(timeout=VERDICT_PATIENCE)
    assert violations(page) == []
    pair.click()
    expect(page.get_by_role("region", name="First submission").locator(".hll")).not_to_have_count(0)
    expect(page.locator("main")).to_contain_text("Nothing here accuses anybody")
    assert violations(page) == []
    assert overflow(page) == []
    page.get_by_label("discussed").check()
    page.get_by_label("Note").fill("They worked on it together.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Lena Learner and Nora Nightingale")).to_contain_text("discussed")
    assert overflow(page) == []
