"""The exercises folder → the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from app.catalog.format import FormatError, Problem, Source, load
from app.catalog.markdown import first_paragraph
from app.catalog.models import Exercise, Revision
from app.catalog.spec import KEBAB
from app.db import db

MAX_SUMMARY = 400


@dataclass(slots=True, kw_only=True)
class SyncReport:
    """What a sync did: `track/slug` of each exercise, and what is wrong with those that were left alone."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every folder could be taken."""
        return not self.problems


def folders(root: Path) -> Iterator[Path]:
    """Yield every exercise folder below `root`, in order: `<track>/<slug>`."""
    for track in sorted(root.iterdir()) if root.is_dir() else ():
        if track.is_dir() and not track.name.startswith((".", "_")):
            yield from sorted(
                folder for folder in track.iterdir() if folder.is_dir() and not folder.name.startswith((".", "_"))
            )


def sync(root: Path) -> SyncReport:
    """Make the published exercises those in `root`, and return what changed.

    A folder with a problem changes nothing: what was published of it stays. A new revision is made only when a file
    changed. An exercise whose folder is gone is unpublished, never deleted: submissions refer to it.
    """
    report = SyncReport()
    sources, present = _read(root, report)
    known = {exercise.uuid: exercise for exercise in db.session.scalars(select(Exercise))}
    _make_room(sources, known)
    for path, source in sources.items():
        _put(path, source, known.get(source.spec.id), report)
    kept = {source.spec.id for source in sources.values()}
    for exercise in known.values():
        if exercise.published and exercise.uuid not in kept and exercise.path not in present:
            exercise.published = False
            report.unpublished.append(exercise.path)
    db.session.commit()
    return report


def _read(root: Path, report: SyncReport) -> tuple[dict[str, Source], set[str]]:
    """Return the sources that are well-formed, by path, and the paths of all folders."""
    sources: dict[str, Source] = {}
    present: set[str] = set()
    owners: dict[str, list[str]] = {}
    for folder in folders(root):
        path = f"{folder.parent.name}/{folder.name}"
        present.add(path)
        for part, longest in ((folder.parent.name, 40), (folder.name, 60)):
            if not re.match(KEBAB, part) or len(part) > longest:
                message = f"{part!r} must be kebab-case, at most {longest} characters"
                report.problems.append(Problem(file=str(folder), message=message))
                break
        else:
            try:
                sources[path] = load(folder)
                owners.setdefault(sources[path].spec.id, []).append(path)
            except FormatError as error:
                report.problems += error.problems
    for paths in owners.values():
        for path in paths if len(paths) > 1 else ():
            others = ", ".join(other for other in paths if other != path)
            file = f"{root / path}/exercise.yaml"
            report.problems.append(Problem(file=file, line=2, key="id", message=f"is also the id of {others}"))
            del sources[path]
    return sources, present


def _make_room(sources: dict[str, Source], known: dict[str, Exercise]) -> None:
    """Move exercises out of the way whose path now belongs to another one. The caller commits."""
    owner = {path: source.spec.id for path, source in sources.items()}
    for exercise in known.values():
        if owner.get(exercise.path, exercise.uuid) != exercise.uuid:
            exercise.slug = f"{exercise.slug[:60]}~{exercise.id}"
    db.session.flush()


def _put(path: str, source: Source, exercise: Exercise | None, report: SyncReport) -> None:
    """Publish `source` at `path`. The caller commits."""
    if exercise is None:
        exercise = Exercise(uuid=source.spec.id, published=False)
        db.session.add(exercise)
        report.created.append(path)
        changed = True
    else:
        changed = exercise.current is None or exercise.current.digest != source.digest
        moved = changed or exercise.path != path or not exercise.published
        (report.updated if moved else report.unchanged).append(path)
    exercise.track, exercise.slug = path.split("/")
    exercise.published = True
    describe(source, exercise)
    db.session.flush()
    if changed:
        number = db.session.scalar(select(func.max(Revision.number)).where(Revision.exercise_id == exercise.id)) or 0
        exercise.current = Revision(
            exercise_id=exercise.id, number=number + 1, digest=source.digest, files=dict(source.files)
        )
        db.session.flush()


def describe(source: Source, exercise: Exercise) -> None:
    """Copy what the catalogue searches from `source` to `exercise`. The caller commits."""
    spec = source.spec
    exercise.title, exercise.kind = spec.title, spec.kind
    exercise.difficulty, exercise.minutes = spec.difficulty, spec.minutes
    exercise.skills, exercise.languages = list(spec.skills), list(spec.languages)
    exercise.summary = first_paragraph(source.statement)[:MAX_SUMMARY]
