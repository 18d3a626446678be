"""`flask exercises new`, `sync`, `export` and `import`: exercises between folders, archives and the site."""

from __future__ import annotations

import re
from pathlib import Path

import click
from flask.cli import with_appcontext

from app.accounts.services import find_by_email
from app.authoring import exports, imports
from app.authoring.command import Exit, complain, quits, settings
from app.authoring.starts import start_files, title_from
from app.authoring.transfer import from_zip, to_zip
from app.catalog import kinds
from app.catalog.format import FormatError, Problem, from_files, read, replace, write
from app.catalog.spec import KEBAB
from app.catalog.standing import Side
from app.catalog.sync import SyncReport
from app.catalog.sync import sync as sync_folder

LONGEST_TRACK, LONGEST_SLUG = 40, 60


class Place(click.ParamType[str]):
    """TRACK/SLUG."""

    name = "track/slug"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value` if an exercise may be there."""
        track, _, slug = value.partition("/")
        for part, longest in ((track, LONGEST_TRACK), (slug, LONGEST_SLUG)):
            if not re.match(KEBAB, part) or len(part) > longest:
                self.fail(f"expected two lower-case names like apis/late-orders, got {value!r}", param, ctx)
        return value


PLACE = Place()
EXISTING = click.Path(exists=True, path_type=Path)
TARGET = click.Path(path_type=Path)


@click.command()
@click.argument("kind", type=click.Choice(sorted(kinds.all_kinds())))
@click.argument("place", metavar="TRACK/SLUG", type=PLACE)
@click.option("--title", help="As the catalogue shows it; by default made from SLUG.")
@with_appcontext
@quits
def new(kind: str, place: str, title: str | None) -> Exit:
    """Begin an exercise in the exercises folder: a small one of KIND that is proven, to be changed."""
    track, slug = place.split("/")
    folder = settings().exercises_dir / track / slug
    if folder.exists():
        click.echo(f"{_shown(folder)} is there already.", err=True)
        return Exit.USAGE
    files = start_files(kind, title=title or title_from(slug), track=track, slug=slug)
    write(from_files(files).files, folder)
    click.echo(
        f"{_shown(folder)} holds a small exercise that works. Change it bit by bit, and in between:\n"
        f"  flask --app wsgi exercises prove {_shown(folder)}\n"
        f"  flask --app wsgi exercises sync"
    )
    return Exit.AS_MEANT


@click.command()
@click.option(
    "--take",
    "decisions",
    type=(click.Choice([side.value for side in Side]), str),
    metavar="folder|site TRACK/SLUG",
    multiple=True,
    help="Decide about an exercise that changed on both sides: who is right.",
)
@click.option("--allow-conflicts", is_flag=True, help="Exit status 0 although such exercises are left as they are.")
@with_appcontext
@quits
def sync(decisions: tuple[tuple[str, str], ...], allow_conflicts: bool) -> Exit:
    """Publish what changed in the exercises folder; what is wrong with a folder leaves its exercise as it was.

    An exercise that was changed in the browser keeps that revision, until its folder changes as well: then a person
    decides with --take, and until then nothing happens to it.
    """
    decided = {path: Side(side) for side, path in decisions}
    report = sync_folder(settings().exercises_dir, decided=decided)
    for word in ("created", "updated", "kept", "unpublished"):
        for path in getattr(report, word):
            click.echo(f"{word:<12} {path}")
    complain(report.problems)
    _tell_conflicts(report)
    count = len(report.created) + len(report.updated) + len(report.unchanged) + len(report.kept)
    click.echo(f"{count} exercises published, {len(report.unchanged)} of them as before")
    as_meant = report.ok or (allow_conflicts and not report.problems)
    return Exit.AS_MEANT if as_meant else Exit.NOT_AS_MEANT


@click.command()
@click.argument("place", metavar="TRACK/SLUG", type=PLACE)
@click.argument("target", type=TARGET)
@click.option("--revision", type=click.IntRange(1), help="Not the current revision but this one.")
@with_appcontext
@quits
def export(place: str, target: Path, revision: int | None) -> Exit:
    """Write an exercise to TARGET: a file that ends with .zip, or a folder.

    The folder may be that of the exercise itself, as long as nothing in it would be lost.
    """
    track, slug = place.split("/")
    found = exports.published(track, slug, revision)
    if target.is_file():
        click.echo(f"{target} is there already.", err=True)
        return Exit.USAGE
    if target.suffix == ".zip":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(to_zip(found.files, folder=found.exercise.slug))
    elif target.is_dir() and any(target.iterdir()):
        files, problems = read(target)
        if problems or not exports.is_known(found.exercise, files):
            message = "is not empty, and does not hold a state of this exercise that the site knows"
            raise FormatError([*problems, Problem(file=str(target), message=message)])
        replace(found.files, target)
    else:
        write(found.files, target)
    click.echo(f"revision {found.number} of {place} → {target}")
    return Exit.AS_MEANT


@click.command("import")
@click.argument("source", metavar="FILE.zip|FOLDER", type=EXISTING)
@click.option("--owner", required=True, metavar="EMAIL", help="The instructor who goes on writing it.")
@click.option("--to", "place", metavar="TRACK/SLUG", type=PLACE, help="Where it will be published.")
@with_appcontext
@quits
def import_(source: Path, owner: str, place: str | None) -> Exit:
    """Bring an exercise into a new working copy, to be finished in the browser. It need not be well-formed yet."""
    files, folder = _brought(source)
    track, slug = place.split("/") if place else ("", "")
    if source.is_dir():
        parent = source.resolve().parent.name
        track = track or (parent if re.match(KEBAB, parent) else "")
    taken = imports.take_in(find_by_email(owner), files, track=track, slug=slug, called=folder)
    click.echo(f"working copy {taken.copy.id} of {taken.copy.owner.email}: {taken.copy.path}. {taken.said}".rstrip())
    complain(taken.problems)
    return Exit.AS_MEANT


def _brought(source: Path) -> tuple[dict[str, str], str]:
    """Return the files of an archive or a folder, and a name for them. Raises FormatError."""
    if not source.is_dir():
        unpacked = from_zip(source.read_bytes())
        return dict(unpacked.files), unpacked.folder or source.stem
    files, problems = read(source)
    if problems:
        raise FormatError(problem.below(str(source)) for problem in problems)
    return files, source.resolve().name


def _tell_conflicts(report: SyncReport) -> None:
    for path in report.taken:
        why = "another exercise is there, which was changed in the browser"
        click.echo(f"taken        {path}: {why}; give the folder another name", err=True)
    for conflict in report.conflicts:
        how = "flask --app wsgi exercises sync --take"
        click.echo(
            f"conflict     {conflict.path}: changed in the folder and in the browser ({', '.join(conflict.files)})\n"
            f"             {how} folder {conflict.path}   makes the folder the next revision\n"
            f"             {how} site {conflict.path}     keeps the revision of the browser",
            err=True,
        )


def _shown(folder: Path) -> str:
    """Return `folder` as a person here would write it."""
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)
