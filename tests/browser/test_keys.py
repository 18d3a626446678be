"""Keys: the shortcuts, and a whole answer without a mouse."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.browsing import Browsing
from tests.browser.site import Person
from tests.browser.solving import WELCOME, answer, editor, expect_verdict, only, open_exercise, wait_until_saved, write

MOST_STEPS = 60


def focused(page: Page) -> Locator:
    """The element that has the focus."""
    return page.locator("*:focus")


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until `target` has the focus; every stop on the way must be seen."""
    for _ in range(MOST_STEPS):
        page.keyboard.press(key)
        expect(focused(page)).to_have_count(1)
        assert is_marked(focused(page)), f"the focus is not visible on {focused(page).evaluate('e => e.outerHTML')}"
        if target.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"{MOST_STEPS} times {key} do not reach {target}")


def is_marked(element: Locator) -> bool:
    """Return whether the focus shows: as an outline or shadow, on the element or, for an editor, around it."""
    return bool(
        element.evaluate(
            """element => {
              const marked = (each) => {
                const style = getComputedStyle(each);
                const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                return outlined || style.boxShadow !== "none";
              };
              for (let each = element, up = 0; each && up < 4; each = each.parentElement, up += 1)
                if (marked(each)) return true;
              return [...element.querySelectorAll("*")].some(marked);
            }"""
        )
    )


def test_control_enter_runs_and_the_focus_stays_in_the_editor(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, only(answer(WELCOME)))
    page.keyboard.press("Control+Enter")
    expect_verdict(page, "The visible check passes")
    expect(editor(page)).to_be_focused()


def test_control_shift_enter_submits(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, only(answer(WELCOME)))
    page.keyboard.press("Control+Shift+Enter")
    expect_verdict(page, "Accepted")
    expect(editor(page)).to_be_focused()


def test_control_s_saves_and_submits_nothing(page: Page) -> None:
    open_exercise(page, WELCOME)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url.rsplit('/', 1)[-1]}"))
    write(page, "saved = 'by hand'\n")
    page.keyboard.press("Control+s")
    wait_until_saved(page)
    assert sent == ["PUT draft"]


def test_the_question_mark_opens_the_sheet_of_shortcuts_but_not_while_typing(page: Page) -> None:
    open_exercise(page, WELCOME)
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    write(page, "")
    page.keyboard.type("# why?")
    expect(editor(page)).to_contain_text("# why?")
    expect(sheet).to_be_hidden()
    page.get_by_role("tab", name="Description").focus()
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text("Run the visible checks")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_an_answer_is_signed_in_written_and_submitted_by_keyboard_alone(browsing: Browsing, lena: Person) -> None:
    page = browsing.page()
    page.goto(f"/sign-in?next=/exercises/{WELCOME}")
    tab_to(page, page.get_by_label("E-mail"))
    page.keyboard.type(lena.email)
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(lena.password)
    page.keyboard.press("Enter")
    expect(editor(page)).to_be_visible()
    tab_to(page, editor(page))
    page.keyboard.press("Control+A")
    page.keyboard.type('def mask(key): return "*" * len(key) if len(key) <= 4 else "*" * (len(key) - 4) + key[-4:]')
    page.keyboard.press("Escape")  # closes the list of completions, where there is one
    page.keyboard.press("Escape")
    tab_to(page, page.locator("#submit"))
    page.keyboard.press("Enter")
    expect_verdict(page, "Accepted")


def test_a_bracket_typed_over_a_selection_goes_around_it(page: Page) -> None:
    open_exercise(page, WELCOME)
    write(page, "key")
    page.keyboard.press("Control+A")
    page.keyboard.type("(")
    expect(editor(page)).to_have_text("(key)")
    page.keyboard.press("Control+A")
    page.keyboard.type("x")
    expect(editor(page)).to_have_text("x")
    page.keyboard.press("Control+Z")
    expect(editor(page)).to_have_text("(key)")


def test_escape_then_tab_leaves_the_editor(page: Page) -> None:
    open_exercise(page, WELCOME)
    editor(page).click()
    page.keyboard.press("Tab")
    expect(editor(page)).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor(page)).not_to_be_focused()


def test_the_skip_link_comes_first_and_leads_to_the_content(page: Page) -> None:
    page.goto("/exercises")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
