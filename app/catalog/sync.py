"""The exercises folder → the database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.catalog.format import FormatError, Problem, Source, load
from app.catalog.markdown import first_paragraph
from app.catalog.models import Exercise, Revision
from app.catalog.spec import KEBAB
from app.catalog.standing import Side, Standing, differing, standing
from app.db import db

MAX_SUMMARY = 400
NOBODY_DECIDED: Mapping[str, Side] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """An exercise that changed both in its folder and in the browser since the two were last the same."""

    path: str
    files: tuple[str, ...]  # that differ


@dataclass(slots=True, kw_only=True)
class SyncReport:
    """What a sync did: `track/slug` of each exercise, and what is wrong with those that were left alone."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # changed in the browser alone: the folder holds an older state
    unpublished: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # at whose address another exercise stays, of the browser
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every folder could be taken."""
        return not (self.problems or self.conflicts or self.taken)


def folders(root: Path) -> Iterator[Path]:
    """Yield every exercise folder below `root`, in order: `<track>/<slug>`."""
    for track in sorted(root.iterdir()) if root.is_dir() else ():
        if track.is_dir() and not track.name.startswith((".", "_")):
            yield from sorted(
                folder for folder in track.iterdir() if folder.is_dir() and not folder.name.startswith((".", "_"))
            )


def sync(root: Path, *, decided: Mapping[str, Side] = NOBODY_DECIDED) -> SyncReport:
    """Take over what changed in the folders below `root`, and return what that did. Commits.

    A new revision is made only where the folder alone changed. Where the browser alone did, its revision stays; where
    both did, nothing changes unless `decided` says for that path (`track/slug`) which of them is right. A folder with
    a problem changes nothing either. An exercise whose folder is gone is unpublished, never deleted: submissions refer
    to it. One that was made in the browser needs no folder.
    """
    report = SyncReport()
    sources, present = _read(root, report)
    every = select(Exercise).where(Exercise.trial.is_(False)).options(joinedload(Exercise.current))
    known = {exercise.uuid: exercise for exercise in db.session.scalars(every)}
    standings = {
        path: _standing(source, known.get(source.spec.id), decided.get(path)) for path, source in sources.items()
    }
    refused = _refuse_taken_places(sources, standings, known, report)
    _make_room({path: source for path, source in sources.items() if _moves(standings[path])}, known)
    for path, source in sources.items():
        _apply(path, source, known.get(source.spec.id), standings[path], report)
    kept = refused | {source.spec.id for source in sources.values()}
    for exercise in known.values():
        house = exercise.owner_id is None
        if house and exercise.published and exercise.uuid not in kept and exercise.path not in present:
            exercise.published, exercise.synced_digest = False, None
            report.unpublished.append(exercise.path)
    for path in decided:
        if path not in present:
            report.problems.append(Problem(file=path, message="is not a folder of an exercise"))
    db.session.commit()
    return report


def conflict_of(exercise: Exercise, root: Path) -> Conflict | None:
    """Return the conflict between `exercise` and its folder below `root`; None if there is none, or no such folder."""
    try:
        source = load(root / exercise.track / exercise.slug)
    except FormatError:
        return None
    if source.spec.id != exercise.uuid or _standing(source, exercise, None) is not Standing.CONFLICT:
        return None
    return _conflict(exercise.path, exercise, source)


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


def _standing(source: Source, exercise: Exercise | None, decided: Side | None) -> Standing:
    if exercise is None or exercise.current is None:
        return Standing.FOLDER_AHEAD
    return standing(folder=source.digest, current=exercise.current.digest, seen=_seen(exercise), decided=decided)


def _seen(exercise: Exercise) -> str | None:
    """Return the digest of the folder as it was last taken over; None if it never was."""
    if exercise.synced_digest is not None:
        return exercise.synced_digest
    # A row from before that was written down: the last revision without an author came from the folder.
    own = select(Revision.digest).where(Revision.exercise_id == exercise.id, Revision.author_id.is_(None))
    return db.session.scalar(own.order_by(Revision.number.desc()).limit(1))


def _conflict(path: str, exercise: Exercise, source: Source) -> Conflict:
    assert exercise.current is not None, "without a revision there is nothing to differ from"
    return Conflict(path=path, files=differing(source.files, exercise.current.files))


def _refuse_taken_places(
    sources: dict[str, Source], standings: Mapping[str, Standing], known: Mapping[str, Exercise], report: SyncReport
) -> set[str]:
    """Drop the sources whose place belongs to another exercise that stays there, and return the ids of those."""
    refused: set[str] = set()
    while True:  # one that is refused stays where it is, and may be in the way of another
        moving = {source.spec.id for path, source in sources.items() if _moves(standings[path])}
        still = refused | {source.spec.id for source in sources.values()} - moving
        staying = {
            exercise.path: exercise.uuid
            for exercise in known.values()
            if exercise.uuid in still or (exercise.uuid not in moving and exercise.owner_id is not None)
        }
        taken = [
            path
            for path, source in sources.items()
            if _moves(standings[path]) and staying.get(path, source.spec.id) != source.spec.id
        ]
        for path in taken:
            refused.add(sources.pop(path).spec.id)
        report.taken += taken
        if not taken:
            return refused


def _moves(found: Standing) -> bool:
    """Return whether the exercise goes where its folder is."""
    return found in {Standing.SAME, Standing.FOLDER_AHEAD}


def _make_room(sources: Mapping[str, Source], known: Mapping[str, Exercise]) -> None:
    """Move exercises out of the way whose path now belongs to another one. The caller commits."""
    owner = {path: source.spec.id for path, source in sources.items()}
    for exercise in known.values():
        if owner.get(exercise.path, exercise.uuid) != exercise.uuid:
            exercise.slug = f"{exercise.slug[:60]}~{exercise.id}"
    db.session.flush()


def _apply(path: str, source: Source, exercise: Exercise | None, found: Standing, report: SyncReport) -> None:
    """Do what follows from how the folder at `path` stands to `exercise`. The caller commits."""
    if exercise is None:
        exercise = Exercise(uuid=source.spec.id, published=False)
        db.session.add(exercise)
        report.created.append(path)
    elif found is Standing.CONFLICT:
        report.conflicts.append(_conflict(path, exercise, source))
        return
    elif found is Standing.SITE_AHEAD:
        report.kept.append(path)
    else:
        back = not exercise.published and exercise.synced_digest is None
        moved = found is Standing.FOLDER_AHEAD or exercise.path != path or back
        (report.updated if moved else report.unchanged).append(path)
    if exercise.synced_digest is None:  # new, or back again; what a person took off the catalogue stays off
        exercise.published = True
    exercise.synced_digest = source.digest
    if _moves(found):
        exercise.track, exercise.slug = path.split("/")
        describe(source, exercise)
    db.session.flush()
    if found is Standing.FOLDER_AHEAD:
        add_revision(exercise, source)


def add_revision(
    exercise: Exercise,
    source: Source,
    *,
    author_id: int | None = None,
    note: str = "",
    proof: dict[str, Any] | None = None,
) -> Revision:
    """Make `source` the current revision of `exercise`, and return it. The caller commits."""
    number = db.session.scalar(select(func.max(Revision.number)).where(Revision.exercise_id == exercise.id)) or 0
    revision = Revision(
        exercise_id=exercise.id,
        number=number + 1,
        digest=source.digest,
        files=dict(source.files),
        author_id=author_id,
        note=note,
    )
    if proof is not None:
        revision.proof = proof
    exercise.current = revision
    db.session.flush()
    return revision


def describe(source: Source, exercise: Exercise) -> None:
    """Copy what the catalogue searches from `source` to `exercise`. The caller commits."""
    spec = source.spec
    exercise.title, exercise.kind = spec.title, spec.kind
    exercise.difficulty, exercise.minutes = spec.difficulty, spec.minutes
    exercise.skills, exercise.languages = list(spec.skills), list(spec.languages)
    exercise.summary = first_paragraph(source.statement)[:MAX_SUMMARY]
