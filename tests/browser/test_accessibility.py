"""Every page, in both themes, wide and on a phone: axe finds no fault (WCAG 2.2 AA), nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator
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
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"desktop": DESKTOP, "phone": PHONE}
PRINTS = {"mask.py": "def mask(key):\n    print(key)\n    return key\n"}
ENDLESS = {"mask.py": "def mask(key):\n    while True:\n        pass\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """People, and submissions of each sort to look at."""

    lena: dict[str, Person]  # by theme
    ivan: dict[str, Person]
    classes: dict[str, int]  # in which Ivan instructs and Lena learns, by theme
    fresh: dict[str, Person]  # who has done nothing yet
    assigned: dict[str, int]  # an assignment of that class
    accepted: int
    wrong: int
    shown: int  # a run: a visible check with its values
    broken: int
    endless: int


def people(site: Site, name: str, role: Role = Role.LEARNER) -> dict[str, Person]:
    """Return a person who likes it light and one who likes it dark."""
    return {theme: site.person(f"{name} {theme.title()}", role, theme=theme) for theme in ("light", "dark")}


@pytest.fixture(scope="module")
def scene(site: Site) -> Iterator[Scene]:
    """Lena in the light has tried and solved; everybody else looks on."""
    lena, ivan = people(site, "Lena"), people(site, "Ivan", Role.INSTRUCTOR)
    for person in lena.values():
        site.judged(person, SQL, answer(SQL, of="refund-fan-out"))
        last = site.judged(person, WELCOME, answer(WELCOME))
    classes = {theme: site.in_class(each, *lena.values(), name=f"Class {theme}") for theme, each in ivan.items()}
    assigned = {theme: site.assigned(each, classes[theme], SQL, HTTP) for theme, each in ivan.items()}
    author = lena["dark"]
    site.proven(SQL, FakeBox())  # which accepts everything: the card is red, with a finding for each wrong solution
    yield Scene(
        lena=lena,
        ivan=ivan,
        classes=classes,
        assigned=assigned,
        fresh=people(site, "Fenna"),
        accepted=last,
        wrong=site.judged(author, WELCOME, answer(WELCOME, of="off-by-one")),
        shown=site.judged(author, WELCOME, PRINTS, Purpose.RUN),
        broken=site.judged(author, WELCOME, {"mask.py": "def mask(key:\n"}),
        endless=site.judged(author, WELCOME, ENDLESS),
    )


def pages(scene: Scene, theme: str) -> dict[str, list[str]]:
    """Return every page by who looks at it: "visitor", "fresh", "lena" or "ivan"."""
    own = scene.lena[theme].id
    return {
        "visitor": ["/", "/register", "/sign-in", "/exercises", f"/exercises/{WELCOME}"],
        "fresh": ["/progress", f"/reports/learner/{scene.fresh[theme].id}", f"/exercises/{WELCOME}", "/nothing"],
        "lena": [
            "/progress",
            "/progress/attempts",
            "/settings",
            "/cohorts",
            "/assignments",
            f"/assignments/{scene.assigned[theme]}",
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
            f"/instructor/cohorts/{scene.classes[theme]}",
            f"/instructor/cohorts/{scene.classes[theme]}/members",
            f"/instructor/cohorts/{scene.classes[theme]}/assignments/new",
            f"/instructor/cohorts/{scene.classes[theme]}/assignments/{scene.assigned[theme]}",
            f"/instructor/cohorts/{scene.classes[theme]}/assignments/{scene.assigned[theme]}/extensions",
            f"/instructor/cohorts/{scene.classes[theme]}/settings",
            f"/reports/learner/{own}",
            f"/submissions/{scene.accepted}",
            f"/submissions/{scene.wrong}",
            f"/submissions/{scene.wrong}?against={scene.accepted}",
            f"/submissions/{scene.shown}",
            f"/submissions/{scene.broken}",
            f"/submissions/{scene.endless}",
        ],
    }


def violations(page: Page) -> list[str]:
    """Return what axe has against the page: rule, help, and the first places."""
    found: list[dict[str, Any]] = page.evaluate(
        """tags => axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] })
             .then(result => result.violations)""",
        TAGS,
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


def faults(page: Page, path: str) -> list[str]:
    """Open `path` and return what is wrong with it."""
    page.goto("about:blank")  # so that an address that differs in its fragment only is loaded, too
    page.goto(path)
    if page.locator("#solve-form").count():
        expect(page.locator(".gr-editor").first).to_be_attached()
    for closed in page.locator("main details:not([open]) > summary:visible").all()[::-1]:
        closed.click()
    found = violations(page)
    sideways = overflow(page)
    return [f"{path}: {each}" for each in found] + ([f"{path} scrolls sideways: {sideways}"] if sideways else [])


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(browsing: Browsing, scene: Scene, theme: str, size: str) -> None:
    browsing.forgive("status of 40[34]")
    who = {"visitor": None, "fresh": scene.fresh[theme], "lena": scene.lena[theme], "ivan": scene.ivan[theme]}
    found = []
    for name, paths in pages(scene, theme).items():
        context = browsing.as_(who[name], viewport=SIZES[size], color_scheme=theme, is_mobile=size == "phone")
        context.add_init_script(path=AXE)
        page = context.new_page()
        for path in paths:
            found += faults(page, path)
        context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("size", SIZES)
def test_menus_dialogs_and_the_other_tabs_of_a_phone_are_accessible(
    browsing: Browsing, scene: Scene, size: str
) -> None:
    context = browsing.as_(scene.lena["dark"], viewport=SIZES[size], color_scheme="dark", is_mobile=size == "phone")
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
