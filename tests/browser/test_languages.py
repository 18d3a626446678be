"""An exercise that is offered in several languages: the switch, a draft for each, and a verdict in the second."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.solving import (
    HTTP,
    WELCOME,
    answer,
    editor,
    expect_verdict,
    only,
    open_exercise,
    press,
    wait_until_saved,
    write,
)


def choose(page: Page, language: str) -> None:
    """Go to the exercise in another language."""
    page.get_by_role("link", name=language, exact=True).click()
    expect(page.locator("strong.gr-tag")).to_have_text(language)
    expect(editor(page)).to_be_visible()


def test_each_language_keeps_its_own_draft_and_the_last_one_comes_back(page: Page) -> None:
    open_exercise(page, WELCOME)
    expect(page.locator("strong.gr-tag")).to_have_text("Python 3.13")
    write(page, "# in Python\n")
    wait_until_saved(page)
    choose(page, "Node.js 24")
    expect(page.locator(".gr-file")).to_have_attribute("data-path", "mask.js")
    expect(editor(page)).to_contain_text("module.exports = { mask };")
    write(page, "// in Node\nconst n = 1;\n")
    wait_until_saved(page)
    choose(page, "Python 3.13")
    expect(editor(page)).to_contain_text("# in Python")
    choose(page, "Node.js 24")
    expect(editor(page)).to_contain_text("// in Node")
    write(page, "// the last one\n")
    wait_until_saved(page)
    open_exercise(page, WELCOME)
    expect(editor(page)).to_contain_text("// the last one")


def test_the_editor_colours_javascript(page: Page) -> None:
    open_exercise(page, f"{WELCOME}?language=node")
    word = editor(page).locator("span", has_text=re.compile("^function$")).first
    expect(word).to_be_visible()
    assert word.evaluate("e => getComputedStyle(e).color") != editor(page).evaluate("e => getComputedStyle(e).color")


def test_functions_and_servers_are_solved_in_node(page: Page) -> None:
    for path in (WELCOME, HTTP):
        open_exercise(page, f"{path}?language=node")
        write(page, only(answer(path, language="node")))
        press(page, "submit")
        banner = expect_verdict(page, "Accepted")
        expect(banner).to_contain_text(re.compile(r"All \d+ checks pass"))
    open_exercise(page, HTTP)
    page.get_by_role("tab", name="Submissions").click()
    expect(page.locator("#panel-submissions")).to_contain_text("Node.js 24")


def test_javascript_that_does_not_compile_is_told_with_its_line(page: Page) -> None:
    open_exercise(page, f"{WELCOME}?language=node")
    write(page, "const ready = 1;\nfunction mask(key {\n  return key;\n}\n")
    press(page, "submit")
    banner = expect_verdict(page, "Compile error")
    expect(banner.get_by_label("What was reported")).to_contain_text("mask.js, line 2: SyntaxError")
