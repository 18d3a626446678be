"""`flask worker`, and `flask sandbox` for whoever runs the machine."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import asdict
from types import FrameType
from typing import cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from app.db import now
from app.submissions.heartbeat import workers
from app.submissions.line import queue_length
from app.submissions.models import WorkerRow
from app.submissions.sandboxes import examine, sandbox_of
from app.submissions.worker import Crew
from sandbox.errors import SandboxError
from sandbox.job import MIB

sandbox = AppGroup("sandbox", help="Look after the containers in which learner code runs.")


@click.command("worker")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Jobs side by side.")
@with_appcontext
def worker(threads: int) -> None:
    """Judge submissions until SIGTERM or Ctrl-C; the jobs at hand are finished first."""
    leaving = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        leaving.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    crew = Crew(app=_app(), threads=threads)
    crew.start()
    leaving.wait()
    crew.finish(patience=150.0)  # the longest job, and its removal


@sandbox.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def doctor(as_json: bool) -> None:
    """Prove that every limit bites. Exit status 1: no learner code may run here."""
    try:
        report = examine(sandbox_of(_app()))
    except SandboxError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        probes = [asdict(probe) for probe in report.probes]
        click.echo(json.dumps({"passed": report.passed, "probes": probes}, indent=2, default=str))
    else:
        for probe in report.probes:
            click.echo(f"{'ok  ' if probe.passed else 'FAIL'}  {probe.name:<24} {probe.detail}")
    if not report.passed:
        raise SystemExit(1)


@sandbox.command("status")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def status(as_json: bool) -> None:
    """Show what each worker holds ready, as it said last. Exit status 1: no worker was heard of."""
    rows, queue = workers(), queue_length()
    if as_json:
        said = [{"name": row.name, "seen_at": row.seen_at.isoformat(), "pool": row.pool} for row in rows]
        click.echo(json.dumps({"queue": dict(queue), "workers": said}, indent=2))
    else:
        click.echo(f"{queue['queued']} queued, {queue['judging']} being judged")
        for row in rows:
            _show(row)
    if not rows:
        click.echo("No worker was heard of: start the site or `flask worker`.", err=True)
        raise SystemExit(1)


def _show(row: WorkerRow) -> None:
    pool, shelves = row.pool, row.pool["shelves"]
    held = sum(shelf["memory_bytes"] for shelf in shelves)
    click.echo(f"\n{row.name}, heard of {(now() - row.seen_at).total_seconds():.0f} s ago")
    click.echo(f"  {pool['warm']} taken ready, {pool['cold']} made cold")
    click.echo(f"  {held / MIB:.0f} of {pool['budget_bytes'] / MIB:.0f} MiB held")
    for shelf in shelves:
        size = f"{shelf['memory_bytes'] / MIB:7.1f} MiB"
        click.echo(f"  {shelf['ready']:>3} of {shelf['target']}  {size}  {shelf['label']}")


@sandbox.command("sweep")
def sweep() -> None:
    """Remove containers and volumes that nobody owns any more."""
    try:
        count = sandbox_of(_app()).sweep()
    except SandboxError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} removed")


def _app() -> Flask:
    return cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined] # threads need the app itself


COMMANDS = (worker, sandbox)
