"""Every page, in both themes, wide and on a phone: axe finds no fault (WCAG 2.2 AA), nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import Role
from app.submissions.models import Purpose
from sandbox.fake_box import FakeBox
from tests.browser.browsing import DESKTOP, PHONE, Browsing
from tests.browser.site import Person, Site
from tests.browser.solving import HTTP, SQL, WELCOME, answer

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # what a theme can make wrong
SIZES = {"desktop": DESKTOP, "phone": PHONE}
PRINTS = {"mask.py": "def mask(key):\n    print(key)\n    return key\n"}
ENDLESS = {"mask.py": "def mask(key):\n    while True:\n        pass\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """People, and submissions of each sort to look at."""

    lena: Person
    ivan: Person
    fresh: Person  # who has done nothing yet
    class_: int  # in which Ivan instructs and Lena learns
    assigned: int  # an assignment of that class
    accepted: int
    wrong: int
    shown: int  # a run: a visible check with its values
    broken: int
    endless: int


@pytest.fixture(scope="module")
def scene(site: Site) -> Iterator[Scene]:
    """Lena has tried and solved, and is in a class of Ivan's."""
    lena, ivan = site.person("Lena"), site.person("Ivan", Role.INSTRUCTOR)
    site.judged(lena, SQL, answer(SQL, of="refund-fan-out"))
    accepted = site.judged(lena, WELCOME, answer(WELCOME))
    class_ = site.in_class(ivan, lena, name="Class of Ivan")
    site.proven(SQL, FakeBox())  # which accepts everything: the card is red, with a finding for each wrong solution
    yield Scene(
        lena=lena,
        ivan=ivan,
        fresh=site.person("Fenna"),
        class_=class_,
        assigned=site.assigned(ivan, class_, SQL, HTTP),
        accepted=accepted,
        wrong=site.judged(lena, WELCOME, answer(WELCOME, of="off-by-one")),
        shown=site.judged(lena, WELCOME, PRINTS, Purpose.RUN),
        broken=site.judged(lena, WELCOME, {"mask.py": "def mask(key:\n"}),
        endless=site.judged(lena, WELCOME, ENDLESS),
    )


def pages(scene: Scene) -> dict[str, list[str]]:
    """Return every page by who looks at it: "visitor", "fresh", "lena" or "ivan"."""
    own = scene.lena.id
    class_ = f"/instructor/cohorts/{scene.class_}"
    return {
        "visitor": ["/", "/register", "/sign-in", "/exercises", f"/exercises/{WELCOME}"],
        "fresh": ["/progress", f"/reports/learner/{scene.fresh.id}", f"/exercises/{WELCOME}", "/nothing"],
        "lena": [
            "/progress",
            "/progress/attempts",
            "/settings",
            "/cohorts",
            "/assignments",
            f"/assignments/{scene.assigned}",
            "/exercises",
            "/exercises?q=nothing-is-called-so",
            f"/exercises/{WELCOME}",
            f"/exercises/{WELCOME}#panel-tests",
            f"/exercises/{WELCOME}#panel-hints",
            f"/exercises/{WELCOME}#panel-submissions",
            f"/exercises/{WELCOME}#panel-solutions",
            f"/exercises/{SQL}",
            f"/exercises/{SQL}#panel-solutions",
            f"/exercises/{HTTP}",
            f"/reports/learner/{own}",
            f"/reports/learner/{own}/attempts",
            "/instructor/learners",  # 403
        ],
        "ivan": [
            "/instructor/exercises",
            f"/instructor/exercises/{WELCOME}",
            f"/instructor/exercises/{SQL}",
            "/instructor/learners",
            "/instructor/cohorts",
            class_,
            f"{class_}/members",
            f"{class_}/assignments/new",
            f"{class_}/assignments/{scene.assigned}",
            f"{class_}/assignments/{scene.assigned}/extensions",
            f"{class_}/settings",
            f"/reports/learner/{own}",
            f"/submissions/{scene.accepted}",
            f"/submissions/{scene.wrong}",
            f"/submissions/{scene.wrong}?against={scene.accepted}",
            f"/submissions/{scene.shown}",
            f"/submissions/{scene.broken}",
            f"/submissions/{scene.endless}",
        ],
    }


def violations(page: Page, only: Mapping[str, Any] = ALL_RULES) -> list[str]:
    """Return what axe has against the page: rule, help, and the first places."""
    found: list[dict[str, Any]] = page.evaluate(
        """only => axe.run(document, { runOnly: only, resultTypes: ["violations"] })
             .then(result => result.violations)""",
        only,
    )
    return [f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}" for each in found]


def overflow(page: Page) -> list[str]:
    """Return what makes the page scroll sideways; empty when nothing does."""
    return list(
        page.evaluate(
            """() => {
              const wide = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= wide) return [];
              const isWide = each => each.getBoundingClientRect().right > wide + 1;
              return [...document.querySelectorAll("body *")].filter(isWide)
                .slice(0, 5).map(each => each.outerHTML.slice(0, 160));
            }"""
        )
    )


def opened(page: Page, path: str) -> None:
    """Open `path` with everything that unfolds unfolded."""
    page.goto("about:blank")  # so that an address that differs in its fragment only is loaded, too
    page.goto(path)
    if page.locator("#solve-form").count():
        expect(page.locator(".gr-editor").first).to_be_attached()
    for closed in page.locator("main details:not([open]) > summary:visible").all()[::-1]:
        closed.click()


def faults(page: Page, path: str, size: str) -> list[str]:
    """Open `path` and return what is wrong with it; the colours of the dark are those of every size."""
    opened(page, path)
    found = violations(page)
    sideways = overflow(page)
    if size == "desktop":
        page.emulate_media(color_scheme="dark")
        opened(page, path)
        found += [f"in the dark: {each}" for each in violations(page, COLOURS)]
        page.emulate_media(color_scheme="light")
    return [f"{path}: {each}" for each in found] + ([f"{path} scrolls sideways: {sideways}"] if sideways else [])


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_accessible(browsing: Browsing, scene: Scene, size: str) -> None:
    browsing.forgive("status of 40[34]")
    who = {"visitor": None, "fresh": scene.fresh, "lena": scene.lena, "ivan": scene.ivan}
    found = []
    for name, paths in pages(scene).items():
        context = browsing.as_(who[name], viewport=SIZES[size], color_scheme="light", is_mobile=size == "phone")
        context.add_init_script(path=AXE)
        page = context.new_page()
        for path in paths:
            found += faults(page, path, size)
        context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("size", SIZES)
def test_menus_dialogs_and_the_other_tabs_of_a_phone_are_accessible(
    browsing: Browsing, scene: Scene, size: str
) -> None:
    context = browsing.as_(scene.lena, viewport=SIZES[size], color_scheme="dark", is_mobile=size == "phone")
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.goto(f"/exercises/{WELCOME}")
    if size == "phone":
        page.get_by_role("button", name="Menu").click()
    page.locator("details.gr-menu summary").click()
    assert violations(page) == []
    page.get_by_role("button", name="Shortcuts").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    if size == "phone":
        for name in ("Code", "Results"):
            page.get_by_role("tab", name=name).click()
            assert violations(page) == []
            assert overflow(page) == []
