"""What instructors see: exercises with their proof, learners, reports, and any submission, to read."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from sandbox.docker_box import DockerBox
from sandbox.doctor import examine
from tests.browser.browsing import Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import WELCOME, answer


@pytest.fixture
def page(browsing: Browsing, ivan: Person) -> Page:
    """A page of Ivan's."""
    return browsing.page(ivan)


def test_exercises_are_listed_each_with_its_proof_card(page: Page, site: Site) -> None:
    box = DockerBox()
    assert examine(box).passed
    card = site.proven(WELCOME, box)
    page.goto("/progress")
    page.get_by_role("link", name="Manage exercises").click()
    expect(page.locator("tbody tr")).not_to_have_count(0)
    page.get_by_role("link", name="Keep API keys out of the log").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep API keys out of the log")
    proof = page.get_by_role("region", name="Proof")
    expect(proof).to_contain_text("proven")
    expect(proof).not_to_contain_text("not proven")
    for rule in card.rules:
        expect(proof).to_contain_text(rule.title)
    proof.get_by_text(f"{len(card.results)} runs").click()
    expect(proof.locator("tbody tr")).to_have_count(len(card.results))
    expect(proof.get_by_role("row", name=re.compile("off-by-one"))).to_contain_text("boundary")
    expect(page.locator("main")).to_contain_text("A short key shows nothing")


def test_a_learner_is_found_and_their_figures_open_to_submissions(page: Page, site: Site, ivan: Person) -> None:
    nora = site.person("Nora Nightingale")
    site.in_class(ivan, nora)
    sent = site.judged(nora, WELCOME, answer(WELCOME))
    page.goto("/instructor/learners")
    page.get_by_role("searchbox").fill("nightingale")
    page.get_by_role("button", name="Show").click()
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    row.get_by_role("link", name="Nora Nightingale", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nora Nightingale")
    page.get_by_role("link", name=f"#{sent}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Submission #{sent}")
    expect(page.locator("main")).to_contain_text("by Nora Nightingale")
    expect(page.get_by_label("mask.py")).to_contain_text("SHOWN = 4")
    expect(page.get_by_role("button", name=re.compile("Restore"))).to_have_count(0)


def test_a_learner_sees_neither_the_menu_nor_the_pages_of_instructors(browsing: Browsing, lena: Person) -> None:
    page = browsing.page(lena)
    page.goto("/progress")
    expect(page.get_by_role("link", name="Progress")).to_be_visible()
    expect(page.get_by_role("link", name="Manage exercises")).to_have_count(0)
    expect(page.get_by_role("link", name="Learners")).to_have_count(0)
