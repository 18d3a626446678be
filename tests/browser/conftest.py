"""Fixtures for tests in a browser: `site` runs once, `browsing` opens pages, `lena` and `ivan` are people of the test.

A page that logs an error, breaks or hits the Content Security Policy fails its test. Waiting is done by locators:
the policy forbids `wait_for_function`, and nothing here asserts how fast anything is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.accounts.models import Role
from deploy.prepare import BROWSERS
from tests.browser.browsing import PATIENCE, Browsing
from tests.browser.site import Person, Site, live_site

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOG_LINES = 40
TIMEOUT = 900  # seconds for one test, the start of the site included

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests in a browser more time than others, unless they say how much."""
    for item in items:
        if "browsing" in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the end of the site's log beside a failure."""
    outcome: Any = yield
    report = outcome.get_result()
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and isinstance(site, Site):
        lines = site.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        report.sections.append((f"end of {site.log}", "\n".join(lines)))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site of this test session."""
    with live_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Where there is none, the tests fail."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, f"no browser found: one of {', '.join(BROWSERS)} must be installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browsing(site: Site, browser: Browser) -> Iterator[Browsing]:
    """Opens pages for the test, and fails it for what goes wrong inside them."""
    browsing = Browsing(site=site, browser=browser)
    yield browsing
    assert browsing.close() == []


@pytest.fixture
def lena(site: Site) -> Person:
    """Lena, who learns."""
    return site.person("Lena Learner")


@pytest.fixture
def ivan(site: Site) -> Person:
    """Ivan, who instructs."""
    return site.person("Ivan Instructor", Role.INSTRUCTOR)


@pytest.fixture
def page(browsing: Browsing, lena: Person) -> Page:
    """A page of Lena's."""
    return browsing.page(lena)
