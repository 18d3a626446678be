"""How an exercise's folder and its revision on the site stand to each other. Pure.

An exercise may change in both places: in its folder, which is kept in git, and in the browser. What the folder held
when it was last taken over says which of the two changed since; where both did, a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Side(StrEnum):
    """Who is right where both changed."""

    FOLDER = "folder"
    SITE = "site"


class Standing(StrEnum):
    """What follows from the two."""

    SAME = "same"  # nothing to do
    FOLDER_AHEAD = "folder ahead"  # the folder becomes a new revision
    SITE_AHEAD = "site ahead"  # the revision stays; an export writes it back
    CONFLICT = "conflict"  # nothing changes until somebody decides


def standing(*, folder: str, current: str, seen: str | None, decided: Side | None = None) -> Standing:
    """Return how a folder stands to the current revision; all three are digests.

    `seen` is the folder as it was last taken over, None where it never was; `decided` is what a person said.
    """
    if folder == current:
        return Standing.SAME
    if decided is not None:
        return Standing.FOLDER_AHEAD if decided is Side.FOLDER else Standing.SITE_AHEAD
    if seen == current:
        return Standing.FOLDER_AHEAD
    return Standing.SITE_AHEAD if seen == folder else Standing.CONFLICT


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """Return the paths of the files that are not the same in both, in order."""
    return tuple(sorted(name for name in {*one, *other} if one.get(name) != other.get(name)))
