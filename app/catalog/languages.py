"""How the languages of exercises are called on pages."""

from __future__ import annotations

TITLES = {
    "python": "Python 3.13",
    "node": "Node.js 24",
    "sql": "PostgreSQL 17",
}  # as runtime.toml of their runtime says


def language_title(name: str) -> str:
    """Return what pages call the language `name` of exercise.yaml; the name itself for one that is unknown."""
    return TITLES.get(name, name)
