"""What people do on the solve screen."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from config import ROOT

WELCOME = "welcome/keys-in-the-log"
SQL = "sql/revenue-by-month"
HTTP = "apis/tool-library"

VERDICT_PATIENCE = 240_000  # milliseconds: the sandbox's doctor goes first on a fresh site


def answer(path: str, of: str = "", *, language: str = "") -> dict[str, str]:
    """Return the files of an exercise's own solution, in its first language or in `language`, or of `wrong/<of>`."""
    folder = ROOT / "exercises" / path
    languages = [language] if language else ["python", "sql"]
    folder = (
        folder / "wrong" / of if of else next(filter(Path.is_dir, (folder / "solutions" / name for name in languages)))
    )
    return {file.name: file.read_text() for file in sorted(folder.iterdir()) if file.is_file()}


def only(files: dict[str, str]) -> str:
    """Return the text of the one file there is."""
    (text,) = files.values()
    return text


def open_exercise(page: Page, path: str) -> None:
    """Open the solve screen and wait for its editor."""
    page.goto(f"/exercises/{path}")
    expect(editor(page)).to_be_visible()


def editor(page: Page) -> Locator:
    """The editor of the file that is shown."""
    return page.locator(".cm-content:visible")


def write(page: Page, text: str) -> None:
    """Replace what is in the editor."""
    editor(page).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def wait_until_saved(page: Page) -> None:
    """Wait for the server to have the text."""
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")


def press(page: Page, name: str) -> None:
    """Press Run or Submit."""
    page.locator(f"#{name}").click()


def expect_verdict(page: Page, title: str) -> Locator:
    """Wait for the verdict, which must have that title, and return its banner."""
    banner = page.locator("#results .gr-banner")
    expect(banner).to_be_visible(timeout=VERDICT_PATIENCE)
    expect(banner.locator(".gr-banner__title")).to_have_text(title)
    return banner


def check(page: Page, title: str) -> Locator:
    """The result of the check with that title."""
    return page.locator("#results .gr-check").filter(has=page.get_by_text(title, exact=False)).first
