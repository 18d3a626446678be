"""What the page that edits a working copy shows, gathered in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from app.authoring.copies import problems_of
from app.authoring.folder import Entry, tree
from app.authoring.models import WorkingCopy
from app.catalog.format import Problem
from app.catalog.manifest import NAME
from app.catalog.markdown import render
from app.errors import NotFound

STATEMENT = "README.md"
MODES = {
    ".py": "python",
    ".sql": "sql",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".md": "markdown",
    ".js": "javascript",
    ".mjs": "javascript",
    ".json": "javascript",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What could not be done: in which form of the page, what was typed there, and why not."""

    form: str
    message: str
    typed: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A working copy on its author's desk, one of its files open."""

    copy: WorkingCopy
    path: str  # of the open file
    text: str
    version: int
    problems: tuple[Problem, ...]
    preview: Markup
    refusal: Refusal | None = None
    theirs: str | None = None  # of the open file, where it was changed elsewhere meanwhile

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Files and folders as they stand in each other."""
        return tree(self.copy.files)

    @property
    def folders(self) -> list[str]:
        """Every folder, in order."""
        parents = {parent.as_posix() for path in self.copy.files for parent in PurePosixPath(path).parents}
        return sorted(parents - {"."})

    @property
    def troubled(self) -> frozenset[str]:
        """The files in which something is wrong."""
        return frozenset(problem.file for problem in self.problems)

    @property
    def page_data(self) -> dict[str, Any]:
        """What the script of the page begins with."""
        problems = [problem_as_json(problem) for problem in self.problems]
        return {"files": self.copy.files, "version": self.copy.version, "problems": problems, "modes": MODES}

    def refused(self, form: str, message: str, typed: Mapping[str, str] | None = None) -> Desk:
        """Return the same desk with what could not be done."""
        typed = typed or {}
        return replace(self, refusal=Refusal(form=form, message=message, typed=typed))


def desk_of(copy: WorkingCopy, path: str = "") -> Desk:
    """Return the desk with `path` open, by default `exercise.yaml`. Raises NotFound for a file that is not there."""
    if path and path not in copy.files:
        raise NotFound("There is no such file in this working copy.")
    path = path or next((name for name in (NAME, *copy.files) if name in copy.files), "")
    return Desk(
        copy=copy,
        path=path,
        text=copy.files.get(path, ""),
        version=copy.version,
        problems=tuple(problems_of(copy)),
        preview=preview_html(copy.files.get(path if path.endswith(".md") else STATEMENT, "")),
    )


def stale_desk(copy: WorkingCopy, path: str, typed: str) -> Desk:
    """Return the desk with what was typed into `path`, which was changed elsewhere meanwhile, beside what stands."""
    desk = desk_of(copy, path if path in copy.files else "")
    return replace(desk, path=path, text=typed, theirs=copy.files.get(path, ""))


def preview_html(text: str) -> Markup:
    """Return Markdown as learners see it: safe HTML."""
    return Markup(render(text))  # noqa: S704 - render() escapes and sanitises


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """Return `problem` for the script of the page."""
    return {"file": problem.file, "line": problem.line, "message": problem.said}
