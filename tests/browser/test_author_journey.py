"""An exercise from its template to its second revision, with a learner on the other side, and a class around both."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from config import ROOT
from tests.browser.browsing import Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import VERDICT_PATIENCE, WELCOME, answer, expect_verdict, open_exercise, press, write
from tests.browser.test_accessibility import violations
from tests.browser.test_proving import edit_without_script, with_axe

TITLE = "Count the votes"
SLUG = "count-the-votes"
TYPED = (
    "  - id: typed\n    test: test_health_is_json\n    requirement: R1\n    group: edge\n"
    '    title: "Also the health check answers JSON"\n'
)
TEST = (
    '\n\ndef test_health_is_json(srv):\n    assert srv.get("/health").headers["Content-Type"] == "application/json"\n'
)
REASON = "Every answer is JSON, the health check too: that was not looked at."


def reference() -> str:
    """The solution that the template of an HTTP server comes with."""
    return (ROOT / "exercises/_start/http/solutions/python/app.py").read_text()


def prove(page: Page, found: str) -> None:
    """Prove what is in the editor, and wait until the proof says what it `found`."""
    page.get_by_role("button", name="Prove").first.click()
    expect(page.get_by_role("heading", name=found)).to_be_visible(timeout=VERDICT_PATIENCE)


def publish(page: Page, note: str) -> None:
    page.get_by_label("What is new").fill(note)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_contain_text(f"{TITLE} is published.")


def test_from_the_template_to_a_regrade(browsing: Browsing, site: Site, ivan: Person, lena: Person) -> None:
    site.in_class(ivan, lena)
    page = with_axe(browsing, ivan)
    page.goto("/instructor/exercises/new")
    page.get_by_label("HTTP server", exact=False).check()
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Track").fill("apis")
    page.get_by_label("Name in addresses").fill(SLUG)
    page.get_by_role("button", name="Begin").click()
    prove(page, "Every rule holds")
    publish(page, "The first one")

    # Lena's server answers in plain text where nobody looked.
    learner = browsing.page(lena)
    open_exercise(learner, f"apis/{SLUG}")
    write(learner, reference().replace('return jsonify(status="up")', 'return "up"'))
    press(learner, "submit")
    expect_verdict(learner, "Accepted")

    # A check for it that nothing fails is refused; her submission is what shows that it notices.
    page.goto(f"/instructor/exercises/apis/{SLUG}")
    sent = page.locator("a[href^='/submissions/']").first.get_attribute("href")
    page.get_by_role("button", name=re.compile("next revision")).click()
    page.wait_for_url(re.compile("/instructor/copies/"))
    found = re.search(r"/instructor/copies/(\d+)", page.url)
    assert found is not None
    copy_id = int(found[1])
    edit_without_script(browsing, ivan, copy_id, "exercise.yaml", "\nhints:", f"{TYPED}\nhints:")
    hidden = "tests/hidden/test_hidden.py"
    edit_without_script(
        browsing, ivan, copy_id, hidden, "def test_parallel_requests", f"{TEST.strip()}\n\n\ndef test_parallel_requests"
    )
    page.reload()
    prove(page, "1 of 10 rules does not hold")
    expect(page.get_by_role("region", name="Rules")).to_contain_text(
        "check typed: no wrong solution and no starter fails it"
    )
    page.goto(sent or "")
    page.get_by_role("link", name="Add as wrong solution").click()
    page.get_by_label("Name of its folder").fill("health-in-text")
    page.get_by_label("What is wrong with it").fill("Answers the health check in plain text.")
    assert violations(page) == []
    page.get_by_role("button", name="Add to my working copy").click()
    page.wait_for_url(re.compile(f"/instructor/copies/{copy_id}"))
    edit_without_script(browsing, ivan, copy_id, "exercise.yaml", "must_fail: []", "must_fail: [typed]")
    page.reload()
    prove(page, "Every rule holds")
    publish(page, "The health check answers JSON")

    # Judged again, her submission is rejected; she is told why, and mends it.
    page.goto(f"/instructor/exercises/apis/{SLUG}")
    page.get_by_role("link", name="Regrade…").click()
    page.get_by_role("link", name="Regrade…").click()
    page.get_by_label("Reason, for the learners").fill(REASON)
    page.get_by_role("button", name="Begin the dry run").click()
    expect(page.get_by_role("button", name="Apply")).to_be_visible(timeout=VERDICT_PATIENCE)
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("loses credit")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_contain_text("The regrade is applied")
    learner.goto("/notices")
    learner.get_by_role("button", name=TITLE).click()
    expect(learner.locator("#results")).to_contain_text(REASON)
    expect(learner.locator("#results")).to_contain_text("The verdict was accepted at first.")
    open_exercise(learner, f"apis/{SLUG}")
    write(learner, reference())
    press(learner, "submit")
    expect_verdict(learner, "Accepted")


def test_a_class_with_an_assignment_an_extension_and_a_comment(
    browsing: Browsing, site: Site, ivan: Person, lena: Person
) -> None:
    cohort = site.in_class(ivan, lena, name="Evening class")
    assignment = site.assigned(ivan, cohort, WELCOME, title="Secrets")
    page = with_axe(browsing, ivan)
    page.goto(f"/instructor/cohorts/{cohort}")
    page.get_by_role("link", name="Extensions").click()
    expect(page).to_have_url(re.compile(f"/assignments/{assignment}/"))
    page.get_by_label("Learner").select_option(value=str(lena.id))
    page.get_by_label("Due for them").fill("2099-03-01T09:00")
    page.get_by_label("Reason").fill("She was ill.")
    page.get_by_role("button", name="Give the extension").click()
    expect(page.locator("main")).to_contain_text("She was ill.")
    assert violations(page) == []

    learner = browsing.page(lena)
    learner.goto("/progress")
    learner.get_by_role("region", name="Assignments").get_by_role("link", name="Secrets").click()
    expect(learner.locator("main")).to_contain_text("2099")
    sent = site.judged(lena, WELCOME, answer(WELCOME))

    page.goto(f"/submissions/{sent}")
    form = page.get_by_role("region", name="Comment on a line")
    form.get_by_label("Line", exact=True).fill("4")
    form.get_by_label("Comment").fill("Would a reader see why?")
    form.get_by_role("button", name="Comment", exact=True).click()
    learner.goto("/notices")
    learner.get_by_role("button", name="commented on line 4").click()
    thread = learner.get_by_role("article", name="line 4 of mask.py")
    thread.get_by_text("Answer", exact=False).first.click()
    thread.get_by_label("Your answer").fill("I named it.")
    thread.get_by_role("button", name="Send").click()
    thread.get_by_role("button", name="Resolve").click()
    expect(thread).to_contain_text("Resolved by Lena Learner")
    page.goto(f"/instructor/cohorts/{cohort}")
    expect(page.get_by_role("row", name=re.compile("Lena Learner"))).to_contain_text("10 points")
