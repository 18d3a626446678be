"""A new exercise starts from something that works."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.authoring.starts import FOLDER, start_files, title_from
from app.catalog import manifest
from app.catalog.format import from_files
from app.catalog.kinds import all_kinds
from app.catalog.sync import folders

KINDS = sorted(all_kinds())
TITLES = st.from_regex(r"[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?", fullmatch=True).filter(
    lambda title: len(title) <= 160
)


def started(kind: str, title: str = "My own") -> dict[str, str]:
    """The files of a new exercise."""
    return start_files(kind, title=title, track="apis", slug="my-own")


def test_there_is_a_start_for_every_kind_and_no_other() -> None:
    assert sorted(folder.name for folder in FOLDER.iterdir()) == KINDS


def test_no_start_is_ever_published() -> None:
    assert FOLDER not in [folder.parent for folder in folders(FOLDER.parent)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_is_well_formed_and_says_whose_it_is(kind: str) -> None:
    source = from_files(started(kind))
    assert (source.spec.kind, source.spec.title) == (kind, "My own")
    assert source.statement.startswith("# My own\n")
    assert "exercises prove exercises/apis/my-own\n" in source.files["exercise.yaml"]
    assert len(source.spec.wrong) >= 2
    assert any(check.visible for check in source.spec.checks)


@pytest.mark.parametrize("kind", KINDS)
def test_every_start_has_an_id_of_its_own(kind: str) -> None:
    assert from_files(started(kind)).spec.id != from_files(started(kind)).spec.id


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_the_manifest_is_explained(kind: str) -> None:
    lines = started(kind)["exercise.yaml"].splitlines()
    for number, line in enumerate(lines):
        if line[:1].isalpha():
            assert "  # " in line or lines[number - 1].startswith("#") or line == "languages:", line


@settings(deadline=None, max_examples=40)
@given(title=TITLES, kind=st.sampled_from(KINDS))
def test_any_title_is_kept_as_it_is(title: str, kind: str) -> None:
    assert manifest.parse(started(kind, title)[manifest.NAME])[0].title == title


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        started("riddle")


def test_a_slug_gives_a_first_title() -> None:
    assert title_from("lease-cache") == "Lease cache"
