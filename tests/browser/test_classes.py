"""A class from its creation to the results of its first assignment."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.browsing import Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import WELCOME, answer
from tests.browser.test_accessibility import AXE, overflow, violations


def test_a_class_is_created_joined_by_its_link_and_read(
    browsing: Browsing, site: Site, ivan: Person, lena: Person
) -> None:
    sent = site.judged(lena, WELCOME, answer(WELCOME))
    browsing.forgive("status of 404")
    page = browsing.page(ivan)
    page.goto(f"/submissions/{sent}")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")

    page.get_by_role("link", name="Go to the start page").click()
    page.get_by_role("link", name="Classes", exact=True).click()
    page.get_by_label("New class").fill("Night school")
    page.get_by_role("button", name="Create the class").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Night school")
    page.get_by_role("link", name="Settings").first.click()
    link = page.locator("#join-link").inner_text()

    learner = browsing.page(lena)
    learner.goto(link)
    expect(learner.get_by_role("heading", level=1)).to_have_text("Join Night school?")
    learner.get_by_role("button", name="Join the class").click()
    expect(learner.locator("main")).to_contain_text("You are in the class Night school.")

    page.get_by_role("link", name="Members").click()
    page.get_by_role("link", name="Lena Learner").click()
    page.get_by_role("link", name=f"#{sent}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Submission #{sent}")


def test_a_list_of_people_is_answered_line_by_line(browsing: Browsing, site: Site, ivan: Person, lena: Person) -> None:
    cohort = site.in_class(ivan, name="From a list")
    context = browsing.as_(ivan, viewport={"width": 390, "height": 844})
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.goto(f"/instructor/cohorts/{cohort}/members")
    text = f"{lena.email};Lena\nsomebody-new@example.com\nnonsense\n".encode()
    page.get_by_label("CSV file").set_input_files({"name": "class.csv", "mimeType": "text/csv", "buffer": text})
    page.get_by_role("button", name="Invite them").click()
    report = page.get_by_role("region", name="What became of the list")
    expect(report).to_contain_text(re.compile(r"2 invited,\s+0 already there,\s+1 refused"))
    expect(report.get_by_role("row", name=re.compile("nonsense"))).to_contain_text("not an e-mail address")
    expect(page.get_by_role("region", name="Invited")).to_contain_text("somebody-new@example.com")
    assert violations(page) == []
    assert overflow(page) == []
    learner = browsing.as_(lena).new_page()
    learner.goto("/cohorts")
    learner.get_by_role("button", name="Join From a list").click()
    expect(learner.locator("main")).to_contain_text("You are in the class From a list.")
    page.goto(f"/instructor/cohorts/{cohort}/members")
    page.get_by_role("button", name="Remove Lena Learner").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("main")).to_contain_text("They are no longer in the class.")


def test_an_assignment_is_set_solved_and_stands_in_the_results(
    browsing: Browsing, site: Site, ivan: Person, lena: Person
) -> None:
    cohort = site.in_class(ivan, lena, name="With work")
    page = browsing.page(ivan)
    page.goto(f"/instructor/cohorts/{cohort}")
    page.get_by_role("link", name="New assignment").click()
    page.get_by_label("Title").fill("Week 1")
    page.get_by_label("Opens").fill("2026-01-05T08:00")
    page.get_by_label("Due", exact=True).fill("2099-01-05T08:00")
    page.get_by_label("Look for").fill("keys log")
    page.get_by_role("button", name="Find").click()
    page.get_by_label("Keep API keys out of the log", exact=False).first.check()
    page.get_by_label("Points for Keep API keys out of the log").fill("7")
    page.get_by_role("button", name="Set the assignment").click()
    expect(page.locator("main")).to_contain_text("Week 1 is set")

    learner = browsing.page(lena)
    learner.goto("/progress")
    learner.get_by_role("region", name="Assignments").get_by_role("link", name="Week 1").click()
    expect(learner.get_by_role("row", name=re.compile("Keep API keys"))).to_contain_text("not started")
    learner.get_by_role("link", name="Keep API keys out of the log").click()
    learner.get_by_role("tab", name="Solution").click()
    expect(learner.locator("#panel-solutions")).to_contain_text("The solution opens on")

    sent = site.judged(lena, WELCOME, answer(WELCOME))
    page.reload()
    row = page.get_by_role("row", name=re.compile("Lena Learner"))
    expect(row).to_contain_text("7 points")
    row.get_by_role("link", name="7 points").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Submission #{sent}")
