"""The committed build of the front end is the build of the committed sources. Needs no Node."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "app" / "frontend"
DIST = ROOT / "app" / "static" / "dist"
TEMPLATES = ROOT / "templates"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of_sources() -> str:
    """The sum that app/frontend/build.mjs writes into the manifest."""
    names = [path.relative_to(FRONTEND).as_posix() for path in (FRONTEND / "src").rglob("*") if path.is_file()]
    total = hashlib.sha256()
    for name in sorted([*names, "build.mjs", "package.json", "package-lock.json"]):
        total.update(f"{name}\0{sha256((FRONTEND / name).read_bytes())}\n".encode())
    return total.hexdigest()


@pytest.fixture(scope="module")
def manifest() -> dict[str, object]:
    return json.loads((DIST / "manifest.json").read_text())


def test_the_build_is_of_these_sources(manifest):
    assert manifest["sources"] == digest_of_sources(), "app/static/dist is stale: run `make assets` and commit it"


def test_nobody_edited_the_build(manifest):
    built = {path.relative_to(DIST).as_posix(): path for path in DIST.rglob("*") if path.is_file()}
    del built["manifest.json"]
    assert {name: sha256(path.read_bytes()) for name, path in built.items()} == manifest["files"]


def test_every_package_in_the_build_comes_with_its_licence():
    text = (DIST / "THIRD_PARTY.txt").read_text()
    packages = re.findall(r"^(\S+) \d[\d.]* \((.+)\)$", text, re.MULTILINE)
    assert {"bootstrap", "lucide-static", "@codemirror/view"} <= {name for name, _ in packages}
    assert {licence for _, licence in packages} <= {"MIT", "ISC"}


def test_the_style_sheet_asks_nothing_of_other_places():
    addresses = re.findall(r"url\([\"']?([^)\"']+)", (DIST / "app.css").read_text())
    assert addresses
    assert [address for address in addresses if not (DIST / address).is_file()] == []


def test_every_icon_that_a_template_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (DIST / "icons.svg").read_text()))
    named = {
        (path.relative_to(TEMPLATES).as_posix(), icon)
        for path in TEMPLATES.rglob("*.html")
        for icon in re.findall(r"""\bicon\(["']([^"']+)["']""", path.read_text())
    }
    assert named
    assert sorted((template, icon) for template, icon in named if icon not in drawn) == []
