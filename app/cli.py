"""The command line: `flask accounts`, `flask cohorts`, `flask exercises`, `flask sandbox` and `flask worker`."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Add every noun's commands."""
    from app.accounts.cli import accounts
    from app.authoring.cli import exercises
    from app.cohorts.cli import cohorts
    from app.submissions.cli import sandbox, worker

    for command in (accounts, cohorts, exercises, sandbox, worker):
        app.cli.add_command(command)
