"""`flask exercises`: prove, judge, schema; new, sync, export and import are in `transfer_cli`.

Exit status of every command: 0 all is as meant; 1 it is not (a rule of the gate does not hold, the submission is
rejected, a folder could not be taken); 2 the command line or the exercise folder is wrong; 3 the sandbox could
not judge.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from app.authoring import services
from app.authoring.command import Exit, quits, settings
from app.authoring.judging import judge_files, judgement_as_json
from app.authoring.proof import ProofCard, prove_folder
from app.authoring.transfer_cli import export, import_, new, sync
from app.authoring.trials import Result
from app.catalog import kinds
from app.catalog.format import FormatError, Problem, Source, load, read
from app.catalog.spec import json_schema
from app.catalog.sync import folders
from app.db import db, now
from app.submissions.sandboxes import sandbox_of, unproven
from app.submissions.verdict import Verdict
from sandbox.errors import SandboxError
from sandbox.job import MIB
from sandbox.sandbox import Sandbox

exercises = AppGroup("exercises", help="Exercises: begin, prove, take over, move in and out.")
for command in (new, sync, export, import_):
    exercises.add_command(command)

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@exercises.command("prove")
@click.argument("paths", metavar="[PATH …]", nargs=-1, type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--jobs", type=click.IntRange(1, 16), default=2, show_default=True, help="Runs side by side.")
@quits
def prove(paths: tuple[Path, ...], as_json: bool, jobs: int) -> Exit:
    """Run references, starters, wrong solutions and cheats of exercises (by default: all shipped)."""
    wanted = [folder for path in paths or (settings().exercises_dir,) for folder in _exercises_in(path)]
    if not wanted:
        click.echo("There is no exercise there.", err=True)
        return Exit.USAGE
    cards: list[ProofCard] = []
    with _ready_sandbox(pool_bytes=settings().pool_bytes) as box:
        for folder in wanted:
            cards.append(prove_folder(folder, box, at=now(), side_by_side=jobs, on_result=_progress(folder.name)))
            if not as_json:
                click.echo(_table(cards[-1]))
    _keep(cards)
    passed = sum(card.passed for card in cards)
    if as_json:
        said = {"passed": passed == len(cards), "exercises": [card.as_json() for card in cards]}
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{passed} of {len(cards)} exercises proven")
    return Exit.AS_MEANT if passed == len(cards) else Exit.NOT_AS_MEANT


@exercises.command("judge")
@click.argument("exercise_dir", type=FOLDER)
@click.argument("files_dir", type=FOLDER)
@click.option("--language", required=True, help="One of the exercise's languages.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Draw the data from this seed.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@quits
def judge(exercise_dir: Path, files_dir: Path, language: str, seed: int | None, as_json: bool) -> Exit:
    """Judge FILES_DIR against the exercise in EXERCISE_DIR, through the real sandbox and without the database.

    Exit status 0: accepted; 1: rejected; 2: a folder or the language is wrong; 3: the judge could not decide.
    """
    source = load(exercise_dir)
    files = _answer(source, files_dir, language)
    seed = secrets.randbelow(2**31) if seed is None else seed
    try:
        with _ready_sandbox() as box:
            result = judge_files(source, files, language=language, seed=seed, box=box)
    except SandboxError as error:
        result = None
        said = judgement_as_json(source, None, reason=str(error))
    else:
        said = judgement_as_json(source, result)
    click.echo(json.dumps(said, indent=2, ensure_ascii=False) if as_json else _judgement(said))
    if said["verdict"] == Verdict.JUDGE_ERROR:
        return Exit.NO_JUDGE
    return Exit.AS_MEANT if said["verdict"] == Verdict.ACCEPTED else Exit.NOT_AS_MEANT


@exercises.command("schema")
def schema() -> None:
    """Print the JSON Schema of exercise.yaml, for editors."""
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """Return what `exercises/exercise.schema.json` must hold."""
    return json.dumps(json_schema(sorted(kinds.all_kinds())), indent=2, ensure_ascii=False) + "\n"


@contextmanager
def _ready_sandbox(*, pool_bytes: int = 0) -> Iterator[Sandbox]:
    """Give the sandbox once its limits were seen to bite. Raises SandboxError."""
    box = sandbox_of(cast(Flask, current_app._get_current_object()))  # type: ignore[attr-defined] # not its proxy
    problems = unproven(box)
    if problems:
        raise SandboxError("; ".join(problems))
    box.keep_ready(pool_bytes)
    try:
        yield box
    finally:
        box.close()


def _exercises_in(path: Path) -> list[Path]:
    """Return `path` if it is an exercise, else the exercises one or two levels below it, else `path` for its error."""
    if (path / "exercise.yaml").exists():
        return [path]
    below = sorted({found.parent for depth in ("*", "*/*") for found in path.glob(f"{depth}/exercise.yaml")})
    return sorted({*below, *folders(path)}) if path == settings().exercises_dir else below or [path]


def _answer(source: Source, folder: Path, language: str) -> dict[str, str]:
    """Return the files to judge. Raises UsageError and FormatError."""
    if language not in source.spec.languages:
        expected = ", ".join(source.spec.languages)
        raise click.UsageError(f"--language must be one of {expected}, got {language!r}")
    files, problems = read(folder)
    entry = source.spec.languages[language].entry
    if entry not in files:
        problems.append(Problem(file=entry, message=f"is missing; it is the entry for {language}"))
    if problems:
        raise FormatError(problem.below(str(folder)) for problem in problems)
    return files


def _keep(cards: Iterable[ProofCard]) -> None:
    """Store the cards where there is a database with the exercises in it; a proof needs none."""
    try:
        for card in cards:
            services.keep_proof(card)
    except SQLAlchemyError:
        db.session.rollback()
        click.echo("The proof cards are not stored: the database is not prepared yet.", err=True)


def _progress(name: str) -> Callable[[Result], None]:
    """Return what writes a line per run where somebody watches."""

    def tell(result: Result) -> None:
        if sys.stderr.isatty():
            seconds = result.outcome.wall_time.total_seconds()
            click.echo(f"  {name}: {result.trial.name} {result.verdict} in {seconds:.2f} s", err=True)

    return tell


def _table(card: ProofCard) -> str:
    lines = [f"{card.exercise}  {card.title}"]
    for rule in card.rules:
        lines.append(f"  {'ok  ' if rule.passed else 'FAIL'}  {rule.name:<12} {rule.title}")
        lines += [f"          {finding.where}: {finding.message}" for finding in rule.findings]
    if card.results:
        figures = card.as_json()
        lines.append(
            f"  {len(card.results)} runs in {card.took.total_seconds():.1f} s; references: "
            f"median {figures['reference_p50_ms']} ms, slowest {figures['reference_max_ms']} ms, "
            f"at most {figures['reference_max_memory_bytes'] / MIB:.0f} MB"
        )
    if card.only_starter:
        lines.append(f"  note: only the starter fails {', '.join(card.only_starter)}")
    return "\n".join([*lines, ""])


def _judgement(said: dict[str, Any]) -> str:
    if "reason" in said:  # of the checks nothing is known
        return f"{said['verdict']}: {said['reason']}"
    lines = [f"{said['verdict']} in {said['wall_ms']} ms"]
    lines += [
        f"  {'ok  ' if check['passed'] else 'FAIL'}  {check['group']:<12} {check['id']}" for check in said["checks"]
    ]
    return "\n".join(lines)
