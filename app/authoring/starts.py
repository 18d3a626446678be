"""What a new exercise begins with."""

from __future__ import annotations

from uuid import uuid4


def start_files(kind: str, *, title: str, track: str, slug: str) -> dict[str, str]:  # noqa: ARG001
    """Return the files of a new exercise of `kind`, by path."""
    manifest = f"schema: 1\nid: {uuid4()}\ntitle: {title!r}\nkind: {kind}\n"
    return {"exercise.yaml": manifest, "README.md": f"# {title}\n"}
