"""Pages in a real browser, which notice what went wrong inside them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.browser.site import Person, Site

PATIENCE = 60_000  # milliseconds: a busy machine is no fault of the page
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@dataclass(kw_only=True)  # no slots: Playwright keeps its handlers' wrappers on their object
class Browsing:
    """Opens pages as one person or another, and remembers every complaint of theirs."""

    site: Site
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _forgiven: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def as_(self, person: Person | None = None, **options: Any) -> BrowserContext:
        """Return a browser of its own, signed in as `person`; `options` are those of a Playwright context."""
        options = {"viewport": DESKTOP, "reduced_motion": "reduce", **options}
        context = self.browser.new_context(base_url=self.site.url, **options)
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        if person is not None:
            context.add_cookies([{"name": "greenroom", "value": person.session, "url": self.site.url}])
        context.on("page", self._watch)
        context.on("requestfailed", self._on_failed_request)
        return context

    def page(self, person: Person | None = None, **options: Any) -> Page:
        """Return a page in a browser of its own."""
        return self.as_(person, **options).new_page()

    def forgive(self, pattern: str) -> None:
        """Let the test provoke what matches `pattern`: complaints of that kind are its purpose."""
        self._forgiven.append(pattern)

    def close(self) -> list[str]:
        """Close every page and return what was complained about and not forgiven."""
        for context in self._contexts:
            context.close()
        return [said for said in self.complaints if not any(re.search(each, said) for each in self._forgiven)]

    def _watch(self, page: Page) -> None:
        page.on("console", lambda said: said.type == "error" and self.complaints.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error in the page: {error}"))

    def _on_failed_request(self, request: Request) -> None:
        # Leaving a page aborts what it was still asking for: not a complaint.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"request: {request.url}: {request.failure}")
