"""Names of the shelves. A track that is not named here gets its folder's name. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A shelf of exercises."""

    slug: str  # its folder
    title: str
    summary: str = ""


_KNOWN = (
    Track(slug="welcome", title="Welcome", summary="Two minutes to learn how solving works here."),
    Track(slug="apis", title="APIs", summary="Servers that say precisely what happened, also when it went wrong."),
    Track(slug="sql", title="SQL", summary="Queries and migrations on a real PostgreSQL, judged by rows and by plan."),
    Track(slug="auth", title="Auth", summary="Signing in, staying signed in, and keeping the others out."),
    Track(slug="caching", title="Caching", summary="Answering faster without answering wrongly."),
    Track(slug="testing", title="Testing", summary="Tests that find the bugs others miss, and nothing but bugs."),
)
_ORDER = {track.slug: number for number, track in enumerate(_KNOWN)}


def known() -> tuple[Track, ...]:
    """Return the tracks that have a name here, in their order."""
    return _KNOWN


def find(slug: str) -> Track:
    """Return the track in the folder `slug`; every name has one."""
    if slug in _ORDER:
        return _KNOWN[_ORDER[slug]]
    return Track(slug=slug, title=slug.replace("-", " ").capitalize())


def order(slug: str) -> tuple[int, str]:
    """Return what tracks are sorted by: the known ones first, in their order."""
    return _ORDER.get(slug, len(_ORDER)), slug
