"""An instructor comments on a line, the learner answers and resolves; and the instructor looks as the learner does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import DESKTOP, PHONE, Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import WELCOME, answer
from tests.browser.test_accessibility import AXE, overflow, violations


@pytest.fixture
def sent(site: Site, ivan: Person, lena: Person) -> int:
    """A submission of Lena's that Ivan may read."""
    site.in_class(ivan, lena)
    return site.judged(lena, WELCOME, answer(WELCOME))


def watched(browsing: Browsing, person: Person, *, phone: bool = False, **options: bool) -> Page:
    """Return a page of this person's that axe can look at."""
    context = browsing.as_(person, viewport=PHONE if phone else DESKTOP, is_mobile=phone, **options)
    context.add_init_script(path=AXE)
    return context.new_page()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_comment_on_a_line_is_answered_and_resolved(
    browsing: Browsing, ivan: Person, lena: Person, sent: int, phone: bool
) -> None:
    page = watched(browsing, ivan, phone=phone)
    page.goto(f"/submissions/{sent}")
    page.get_by_title("Comment on line 4", exact=True).click()
    form = page.get_by_role("region", name="Comment on a line")
    expect(form.get_by_label("Line", exact=True)).to_have_value("4")
    form.get_by_label("Comment").fill("Why `SHOWN`?")
    form.get_by_role("button", name="Comment", exact=True).click()
    thread = page.get_by_role("article", name="line 4 of mask.py")
    expect(thread.locator("code").last).to_have_text("SHOWN")
    assert violations(page) == []
    assert overflow(page) == []

    learner = watched(browsing, lena, phone=phone)
    learner.goto("/notices")
    learner.get_by_role("button", name="Ivan Instructor commented on line 4").click()
    theirs = learner.get_by_role("article", name="line 4 of mask.py")
    theirs.get_by_text("Answer", exact=False).first.click()
    theirs.get_by_label("Your answer").fill("So that it is said once.")
    theirs.get_by_role("button", name="Send").click()
    expect(theirs).to_contain_text("So that it is said once.")
    theirs.get_by_role("button", name="Resolve").click()
    expect(theirs).to_contain_text("Resolved by Lena Learner")
    assert violations(learner) == []
    assert overflow(learner) == []

    page.reload()
    expect(thread).to_contain_text("So that it is said once.")
    thread.get_by_role("button", name="Reopen").click()
    expect(thread).not_to_contain_text("Resolved by")


def test_without_javascript_a_template_is_inserted_and_what_is_wrong_is_said(
    browsing: Browsing, ivan: Person, sent: int
) -> None:
    browsing.forgive("status of 422")
    page = browsing.page(ivan, java_script_enabled=False)
    page.goto("/instructor/message-templates")
    page.get_by_label("Title").fill("Names")
    page.get_by_label("Text").fill("Use names that say what.")
    page.get_by_role("button", name="Keep it").click()
    page.goto(f"/submissions/{sent}")
    form = page.get_by_role("region", name="Comment on a line")
    form.get_by_label("Line", exact=True).fill("99")
    form.get_by_label("Comment").fill("Hello.")
    form.get_by_label("Message template").select_option("Names")
    form.get_by_role("button", name="Insert").click()
    expect(form.get_by_label("Comment")).to_have_value("Hello.\n\nUse names that say what.")
    form.get_by_role("button", name="Comment", exact=True).click()
    expect(form).to_contain_text("a number from 1 to 8")
    form.get_by_label("Line", exact=True).fill("8")
    form.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_role("article", name="line 8 of mask.py")).to_contain_text("Use names that say what.")


def test_an_instructor_sees_the_site_as_the_learner_and_changes_nothing(
    browsing: Browsing, ivan: Person, lena: Person, sent: int
) -> None:
    browsing.forgive("status of 403")
    page = watched(browsing, ivan)
    page.goto(f"/reports/learner/{lena.id}")
    page.get_by_role("button", name="See the site as Lena Learner").click()
    bar = page.get_by_role("region", name="Seeing the site as somebody else")
    expect(bar).to_contain_text("You see the site as Lena Learner. Nothing you do is kept.")
    expect(page.get_by_role("link", name="Manage exercises")).to_have_count(0)
    assert violations(page) == []
    page.goto(f"/exercises/{WELCOME}")
    expect(bar).to_be_visible()
    page.goto(f"/submissions/{sent}")
    page.get_by_role("button", name="Restore into the editor").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore", exact=True).click()
    expect(page.locator("main")).to_contain_text("nothing can be changed")
    bar.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lena Learner")
    expect(page.get_by_role("link", name="Manage exercises")).to_be_visible()
