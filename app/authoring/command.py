"""What the commands of `flask exercises` share: exit statuses, settings, and how they complain."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from enum import IntEnum
from functools import wraps
from typing import Any, cast

import click
from flask import current_app
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.catalog.format import FormatError, Problem
from app.errors import GreenroomError
from config import Config
from sandbox.errors import SandboxError

PREPARE = "If it was never prepared, `make run` does it, or `flask --app wsgi db upgrade`."


class Exit(IntEnum):
    """What a command's exit status says."""

    AS_MEANT = 0
    NOT_AS_MEANT = 1
    USAGE = 2
    NO_JUDGE = 3


def quits(command: Callable[..., Exit]) -> Callable[..., None]:
    """Let `command` return its exit status, and say plainly what it cannot do."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            status = command(*args, **kwargs)
        except SandboxError as error:
            click.echo(f"The sandbox cannot judge: {error}", err=True)
            status = Exit.NO_JUDGE
        except FormatError as error:
            complain(error.problems)
            status = Exit.USAGE
        except GreenroomError as error:
            click.echo(str(error), err=True)
            status = Exit.USAGE
        except (OperationalError, ProgrammingError) as error:
            click.echo(f"The database cannot be used ({str(error.orig).strip()}).\n{PREPARE}", err=True)
            status = Exit.USAGE
        sys.exit(status)

    return run


def settings() -> Config:
    """Return the settings of the site whose command runs."""
    return cast(Config, current_app.extensions["greenroom.config"])


def complain(problems: Iterable[Problem]) -> None:
    """Print one line per problem where errors go."""
    for problem in problems:
        click.echo(str(problem), err=True)
