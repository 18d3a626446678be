"""From the click on Submit until the verdict is in the page, in Chromium, on a served site with its own workers.

The page's clock counts: from the moment of the click event until a MutationObserver sees the verdict. Beside it, in
turn: how long fetching the page itself takes, which is what this machine, server and browser need for anything.
"""

from __future__ import annotations

import shutil
import time
from contextlib import closing

from playwright.sync_api import Page, expect, sync_playwright

from deploy.prepare import BROWSERS
from tests.bench.report import Answer, Goal, Row
from tests.bench.stage import reference, served_site
from tests.browser.browsing import Browsing
from tests.browser.conftest import ARGUMENTS
from tests.browser.site import Person
from tests.browser.solving import WELCOME, expect_verdict, only, open_exercise, press, wait_until_saved, write

EACH = 20  # submissions of one account: the site limits how many it takes per minute
PAUSE = 1.5  # seconds between submissions: nobody sends the next one at once
WARM_UPS = 2
MEDIAN_MS = 250.0

WATCH = """
(() => {
  let clicked = null;
  window.verdictTimes = [];
  addEventListener("click", (event) => {
    if (event.target.closest?.("#submit")) clicked = event.timeStamp;
  }, true);
  addEventListener("DOMContentLoaded", () => {
    const pane = document.getElementById("results");
    if (!pane) return;
    new MutationObserver(() => {
      if (clicked === null || !pane.querySelector(".gr-banner__title")) return;
      window.verdictTimes.push(performance.now() - clicked);
      clicked = null;
    }).observe(pane, { childList: true, subtree: true });
  });
})();
"""
FETCH = """
async () => {
  const began = performance.now();
  await (await fetch(location.href)).text();
  return performance.now() - began;
}
"""


def answer(n: int) -> Answer:
    """Return the verdict beside the fetch; two thirds of `n` submissions, and not less than three."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        return Answer(rows=[Row(what="click to verdict", note=f"no browser: one of {', '.join(BROWSERS)}")])
    verdicts: list[float] = []
    fetches: list[float] = []
    with (
        served_site() as site,
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=path, args=ARGUMENTS)) as chromium,
    ):
        left = max(3, n * 2 // 3)
        while left > 0:
            browsing = Browsing(site=site, browser=chromium)
            times = _submissions(_page(browsing, site.person("Lena Learner")), min(EACH, left))
            verdicts += times[0]
            fetches += times[1]
            left -= EACH
            complaints = browsing.close()
            assert not complaints, complaints
    rows = [
        Row(what="click on Submit to verdict in the page", values=verdicts, note=WELCOME),
        Row(what="fetch of the page", values=fetches, note="in the same page, in turn"),
    ]
    return Answer(rows=rows, goals=[Goal(what="click to verdict, median", wanted=MEDIAN_MS, found=rows[0].p50)])


def _page(browsing: Browsing, person: Person) -> Page:
    context = browsing.as_(person)
    context.add_init_script(WATCH)
    page = context.new_page()
    open_exercise(page, WELCOME)
    write(page, only(reference(WELCOME)))
    wait_until_saved(page)
    return page


def _submissions(page: Page, count: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of verdicts and of fetches."""
    fetches = []
    for _ in range(WARM_UPS + count):
        fetches.append(float(page.evaluate(FETCH)))
        time.sleep(PAUSE)
        press(page, "submit")
        expect_verdict(page, "Accepted")
        expect(page.locator("#submit")).to_have_attribute("aria-disabled", "false")
    verdicts = [float(each) for each in page.evaluate("() => window.verdictTimes")]
    assert len(verdicts) == len(fetches), "a verdict was not noticed"
    return verdicts[WARM_UPS:], fetches[WARM_UPS:]
