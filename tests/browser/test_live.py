"""While a submission is judged the page says where it is; and still gets there when the events do not come."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from tests.browser.browsing import Browsing
from tests.browser.site import Person
from tests.browser.solving import WELCOME, answer, expect_verdict, only, open_exercise, press, write

SLOW = "import time\ntime.sleep(1.5)\n"  # longer than the answer to a submission waits for its verdict


def test_a_quick_verdict_comes_with_the_answer_itself(page: Page) -> None:
    open_exercise(page, WELCOME)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    write(page, only(answer(WELCOME)))
    with page.expect_response(re.compile(r"/exercises/.*/submissions$")) as answered:
        press(page, "submit")
    expect_verdict(page, "Accepted")
    if answered.value.json()["fragment"] is not None:  # on a busy machine it may take longer
        assert not [url for url in asked if url.endswith(("/events", "/fragment"))]


def test_progress_is_shown_until_the_verdict_comes(page: Page) -> None:
    open_exercise(page, WELCOME)
    # What is under way comes and goes within moments: an observer notes every text that the pane shows.
    page.locator("#results").evaluate(
        """pane => {
          window.seen = [];
          const note = () => window.seen.push(pane.textContent.trim().replace(/\\s+/g, " "));
          new MutationObserver(note).observe(pane, { subtree: true, childList: true, characterData: true });
        }"""
    )
    with page.expect_response(re.compile(r"/events$")) as streamed:
        write(page, SLOW + only(answer(WELCOME)))
        press(page, "submit")
    assert streamed.value.headers["content-type"].startswith("text/event-stream")
    expect_verdict(page, "Accepted")
    seen = page.evaluate("() => window.seen")
    assert seen[0] == "Submitting…"
    assert any(re.match(r"Judging…|Next in line|Starting a fresh box…|Running the checks…", text) for text in seen)


def test_without_events_the_page_asks_until_the_verdict_is_there(browsing: Browsing, lena: Person) -> None:
    browsing.forgive("net::ERR_FAILED")
    context = browsing.as_(lena)
    context.route(re.compile(r"/submissions/\d+/events"), lambda route: route.abort())
    page = context.new_page()
    open_exercise(page, WELCOME)
    write(page, SLOW + only(answer(WELCOME)))
    press(page, "submit")
    expect_verdict(page, "Accepted")


def test_a_page_that_is_opened_meanwhile_follows_the_same_submission(browsing: Browsing, lena: Person) -> None:
    context = browsing.as_(lena)
    page = context.new_page()
    open_exercise(page, WELCOME)
    write(page, "def mask(key):\n    import time; time.sleep(2)\n    return key\n")
    with page.expect_response(re.compile(r"/exercises/.*/submissions$")):
        press(page, "run")
    again = context.new_page()
    open_exercise(again, WELCOME)
    expect_verdict(again, "Wrong answer")
    expect_verdict(page, "Wrong answer")
