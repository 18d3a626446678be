"""A test was mended: Ivan judges again, sees what changes, applies it, and Lena reads why."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.catalog.models import Exercise, Revision
from app.catalog.services import find
from app.db import db, now
from app.progress.services import record_attempt
from app.submissions.models import CheckResult, Purpose, Stage, Submission
from tests.browser.browsing import PHONE, Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import VERDICT_PATIENCE, WELCOME, answer
from tests.browser.test_accessibility import AXE, overflow, violations

TITLE = "Judged by a wrong test"
REASON = "The check for short keys was wrong."


@pytest.fixture
def path(site: Site, ivan: Person, lena: Person) -> str:
    """An exercise of Ivan's, not in the catalogue, whose tests once rejected what Lena rightly sent."""
    site.in_class(ivan, lena)
    slug = f"mended-{ivan.id}"
    with site.app.app_context():
        like = find(*WELCOME.split("/"))
        assert like.current is not None
        copied = {name: getattr(like, name) for name in ("kind", "difficulty", "minutes", "skills", "languages")}
        exercise = Exercise(
            uuid=str(uuid4()), track="welcome", slug=slug, title=TITLE, published=False, owner_id=ivan.id, **copied
        )
        revision = Revision(exercise=exercise, number=1, digest=like.current.digest, files=like.current.files)
        exercise.current = revision
        db.session.add(revision)
        db.session.flush()
        known = {"exercise_id": exercise.id, "revision_id": revision.id, "language": like.languages[0], "seed": 1}
        for sent, verdict in ((answer(WELCOME), "wrong answer"), (answer(WELCOME, of="off-by-one"), "wrong answer")):
            submission = Submission(
                learner=db.session.get_one(User, lena.id),
                files=sent,
                purpose=Purpose.SUBMIT,
                stage=Stage.JUDGED,
                verdict=verdict,
                judged_at=now(),
                **known,
            )
            submission.checks = [CheckResult(position=0, check_id="boundary", visible=False, passed=False)]
            db.session.add(submission)
            db.session.flush()
            record_attempt(
                submission_id=submission.id,
                learner_id=lena.id,
                exercise_id=exercise.id,
                solved=False,
                at=submission.created_at,
            )
        db.session.commit()
    return f"/instructor/exercises/welcome/{slug}"


def sound(page: Page) -> None:
    """The page has no fault that axe finds, and does not scroll sideways."""
    assert violations(page) == []
    assert overflow(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_from_a_mended_test_to_the_learners_new_verdict(
    browsing: Browsing, site: Site, ivan: Person, lena: Person, path: str, theme: str
) -> None:
    browsing.forgive("status of 422")
    phone = {"viewport": PHONE, "is_mobile": True} if theme == "dark" else {}
    context = browsing.as_(ivan, color_scheme=theme, **phone)
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.goto(path)
    page.get_by_role("link", name="Regrade…").click()
    sound(page)
    page.get_by_role("link", name="Regrade…").click()
    sound(page)
    page.get_by_role("button", name="Begin the dry run").click()
    expect(page.get_by_text("Say in a sentence why")).to_be_visible()
    page.get_by_label("Reason, for the learners").fill(REASON)
    page.get_by_role("button", name="Begin the dry run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(TITLE)
    expect(page.get_by_role("button", name="Apply")).to_be_visible(timeout=VERDICT_PATIENCE)
    expect(page.locator("tbody tr").first).to_contain_text("gains credit")
    sound(page)
    page.get_by_role("link", name="All (2)").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_contain_text("The regrade is applied")
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    sound(page)
    learner = browsing.page(lena, color_scheme=theme, **phone)
    learner.goto("/notices")
    learner.get_by_role("button", name=TITLE).click()
    expect(learner.locator("#results")).to_contain_text(REASON)
    expect(learner.locator("#results")).to_contain_text("wrong answer at first")
    expect(learner.locator(".gr-banner__title")).to_have_text("Accepted")


def test_without_scripts_the_page_refreshes_itself_and_can_stop_the_dry_run(
    browsing: Browsing, ivan: Person, path: str
) -> None:
    page = browsing.page(ivan, java_script_enabled=False)
    page.goto(f"{path}/regrades/new")
    page.get_by_label("Reason, for the learners").fill(REASON)
    page.get_by_role("button", name="Begin the dry run").click()
    page.get_by_role("button", name="iscard").click()
    expect(page.get_by_role("status")).to_contain_text("discarded")
