"""Templates: each one named in code exists, each one compiles, and each form can be sent without a script."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*") if path.is_file())


def named_in_code() -> list[tuple[str, str]]:
    """Return each template that Python code names as (where, name)."""
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch(r"[a-z_/0-9-]+\.html", text):
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", text))
    return found


def named_in_templates() -> list[tuple[str, str]]:
    """Return each template that another extends, includes or imports as (where, name)."""
    named = re.compile(r"{%-?\s*(?:extends|include|from|import)\s+\"([^\"]+)\"")
    return [(name, found) for name in NAMES for found in named.findall((TEMPLATES / name).read_text())]


def test_there_are_templates_to_look_at() -> None:
    assert len(named_in_code()) > 10
    assert len(named_in_templates()) > 10


def test_every_template_named_in_code_exists() -> None:
    assert [(where, name) for where, name in named_in_code() if name not in NAMES] == []


def test_every_template_named_in_a_template_exists() -> None:
    assert [(where, name) for where, name in named_in_templates() if name not in NAMES] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_template_compiles(app: Flask, name: str) -> None:
    app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_form_that_posts_carries_a_csrf_token(name: str) -> None:
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", (TEMPLATES / name).read_text(), re.DOTALL)
    assert [form[:120] for form in forms if "csrf" not in form] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_template_needs_what_the_policy_forbids(name: str) -> None:
    text = re.sub(r"{#.*?#}", "", (TEMPLATES / name).read_text(), flags=re.DOTALL)
    assert re.findall(r"<[a-z]+[^>]*\s(style=|on[a-z]+=|hx-on)", text) == []
    assert [tag for tag in re.findall(r"<(?:script|style)\b[^>]*>", text) if "nonce=" not in tag] == []
    assert re.findall(r"(?:src|href|action)=\"https?://", text) == []
    assert "|safe" not in text.replace(" ", "")
