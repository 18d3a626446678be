"""What a new exercise starts from: a small one of its kind that is proven, to be changed bit by bit."""

from __future__ import annotations

import io
import re
from uuid import uuid4

from ruamel.yaml import YAML

from app.catalog import kinds
from app.catalog.format import read
from config import ROOT

FOLDER = ROOT / "exercises" / "_start"  # one folder per kind; a track whose name starts with _ is never published
_ID = "00000000-0000-4000-8000-000000000000"
_TITLE = "The title"
_PATH = "the-track/the-slug"
_COMMENT_COLUMN = 44


def start_files(kind: str, *, title: str, track: str, slug: str) -> dict[str, str]:
    """Return the files of a new exercise of `kind`, relative path → text, with an id of its own.

    It is well-formed and proven if `title` is a title. Raises KeyError if there is no such kind.
    """
    texts, _ = read(FOLDER / kinds.find(kind).name)
    own = {_ID: str(uuid4()), _PATH: f"{track}/{slug}"}
    files = {name: _filled(text, own) for name, text in texts.items()}
    files["exercise.yaml"] = re.sub(
        rf"^title: {_TITLE} +#",
        lambda _: f"{f'title: {_quoted(title)}':<{_COMMENT_COLUMN}} #",
        files["exercise.yaml"],
        flags=re.MULTILINE,
    )
    files["README.md"] = files["README.md"].replace(f"# {_TITLE}\n", f"# {title}\n", 1)
    return files


def title_from(slug: str) -> str:
    """Return a first title for an exercise called `slug`."""
    return slug.replace("-", " ").capitalize()


def _filled(text: str, own: dict[str, str]) -> str:
    for token, value in own.items():
        text = text.replace(token, value)
    return text


def _quoted(text: str) -> str:
    """Return `text` as YAML in double quotes, on one line."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_style = '"'  # type: ignore[assignment]  # its annotation knows None alone
    yaml.allow_unicode = True
    yaml.width = 4096
    out = io.StringIO()
    yaml.dump(text, out)
    return out.getvalue().strip()
