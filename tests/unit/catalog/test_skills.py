"""Skills are spelled in one way, so that figures of different exercises add up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.catalog import skills
from app.catalog.format import load
from app.catalog.spec import KEBAB
from app.catalog.sync import folders
from config import ROOT

SHIPPED = list(folders(ROOT / "exercises"))


def test_each_is_named_once_and_in_kebab_case() -> None:
    assert len(skills.names()) == len(set(skills.names()))
    assert all(re.fullmatch(KEBAB, name) for name in skills.names())


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_shipped_exercises_name_shared_skills_only(folder: Path) -> None:
    assert set(load(folder).spec.skills) <= set(skills.names())
