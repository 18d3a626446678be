"""`flask accounts …`: people, from the command line."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from app.accounts import services
from app.accounts.models import Role
from app.errors import GreenroomError
from config import Config

DEMO = (
    ("learner@example.com", "Lena Learner", Role.LEARNER),
    ("instructor@example.com", "Ivan Instructor", Role.INSTRUCTOR),
)


@click.group()
def accounts() -> None:
    """People and their roles."""


@accounts.command()
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.LEARNER.value)
@click.password_option()
@with_appcontext
def create(email: str, name: str, role: str, password: str) -> None:
    """Create an account for EMAIL."""
    wanted = services.Registration(email=email, name=name, password=password, role=Role(role))
    try:
        created = services.register(wanted)
    except GreenroomError as error:
        raise click.ClickException(str(error)) from error
    if not created:
        raise click.ClickException(f"{wanted.email} has an account already.")
    click.echo(f"Created {wanted.email} ({role}).")


@accounts.command("set-role")
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@with_appcontext
def set_role(email: str, role: str) -> None:
    """Give EMAIL another ROLE."""
    try:
        person = services.set_role(email, Role(role))
    except GreenroomError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{person.email} is now {person.role}.")


@accounts.command("set-password")
@click.argument("email")
@click.password_option()
@with_appcontext
def set_password(email: str, password: str) -> None:
    """Set a new password for EMAIL and end its sessions."""
    try:
        person = services.reset_password(email, password)
    except GreenroomError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{person.email} has a new password; its sessions are ended.")


@accounts.command()
@with_appcontext
def demo() -> None:
    """Create a learner and an instructor to look around with, and print their passwords."""
    config: Config = current_app.extensions["greenroom.config"]
    if config.production:
        raise click.ClickException("Demo accounts are not made in production mode.")
    kept = _DemoPasswords(config.var_dir / "demo-accounts.json")
    for email, name, role in DEMO:
        password = kept.of(email)
        wanted = services.Registration(email=email, name=name, password=password, role=role)
        if not services.register(wanted) and not services.opens(email, password):
            click.echo(f"{role:<11} {email}  (its password was changed)")
            continue
        click.echo(f"{role:<11} {email}  {password}")


class _DemoPasswords:
    """The demo accounts' passwords, made once and kept in a file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def of(self, email: str) -> str:
        """Return the password of `email`, making one where there is none."""
        if email not in self._known:
            self._known[email] = "-".join(secrets.token_hex(2) for _ in range(3))
            self._path.touch(mode=0o600, exist_ok=True)
            self._path.chmod(0o600)
            self._path.write_text(json.dumps(self._known, indent=2) + "\n")
        return self._known[email]
