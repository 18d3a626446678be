"""Every setting is documented, nothing else is, and only `config.py` reads the environment."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from config import DEFAULT_SECRET, Config, ConfigError

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"\b(?:GREENROOM_[A-Z_]+|DATABASE_URL)\b")
READ = set(re.findall(r"(?:env\.get\(|env, )\"([A-Z_]+)\"", (ROOT / "config.py").read_text()))
DOCUMENTED = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE))


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    assert len(READ) > 8
    assert READ == DOCUMENTED


def test_every_variable_named_in_config_is_read_there() -> None:
    assert set(NAME.findall((ROOT / "config.py").read_text())) == READ


def test_only_config_reads_the_environment_of_the_site() -> None:
    readers = []
    for path in [*(ROOT / "app").rglob("*.py"), ROOT / "wsgi.py"]:
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):  # words in a string are an author's example
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and "os" in ast.dump(node.value):
                readers.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert readers == []


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"GREENROOM_WORKERS": "many"}, "GREENROOM_WORKERS"),
        ({"GREENROOM_WORKERS": "65"}, "GREENROOM_WORKERS"),
        ({"GREENROOM_DEBUG": "maybe"}, "GREENROOM_DEBUG"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"GREENROOM_PRODUCTION": "1"}, "GREENROOM_SECRET_KEY"),
        ({"GREENROOM_PRODUCTION": "1", "GREENROOM_SECRET_KEY": DEFAULT_SECRET}, "GREENROOM_SECRET_KEY"),
        ({"GREENROOM_PRODUCTION": "1", "GREENROOM_SECRET_KEY": "short"}, "GREENROOM_SECRET_KEY"),
        ({"GREENROOM_PRODUCTION": "1", "GREENROOM_SECRET_KEY": "k" * 40, "GREENROOM_DEBUG": "1"}, "GREENROOM_DEBUG"),
        (
            {"GREENROOM_PRODUCTION": "1", "GREENROOM_SECRET_KEY": "k" * 40, "GREENROOM_SECURE_COOKIES": "0"},
            "GREENROOM_SECURE_COOKIES",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Config.from_environ(environ)


def test_no_setting_is_needed() -> None:
    config = Config.from_environ({})
    assert config.rate_limits and not config.production
    assert config.sqlalchemy_url.startswith("sqlite:///")


def test_the_password_of_the_database_is_not_in_the_message() -> None:
    with pytest.raises(ConfigError) as refused:
        Config.from_environ({"DATABASE_URL": "mysql://user:hunter2@host/name"})
    assert "hunter2" not in str(refused.value)
