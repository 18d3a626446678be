"""Prepares this machine, step by step: `python -m deploy.prepare sandbox|test|serve`.

`sandbox`: an engine that answers and the images. `test`: also a browser. `serve`: engine, images,
database, exercises and demo accounts, then the site itself. What is done already is only checked.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.steps import Step, step
from sandbox.engine import ensure_engine
from sandbox.errors import SandboxError
from sandbox.images import ensure_images

if TYPE_CHECKING:
    from click.testing import Result
    from flask import Flask

    from config import Config

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class PreparationError(Exception):
    """A step cannot be done; the message is one sentence on what to do."""


def main(arguments: list[str]) -> int:
    """Return the exit status; does not return when it goes on to serve."""
    actions = {"sandbox": prepare_sandbox, "test": prepare_test, "serve": serve}
    if len(arguments) != 1 or arguments[0] not in actions:
        sys.stderr.write("usage: python -m deploy.prepare sandbox|test|serve\n")
        return 2
    try:
        actions[arguments[0]]()
    except (PreparationError, SandboxError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except Exception:  # whatever went wrong, the last line says what to do
        traceback.print_exc()
        sys.stderr.write("\nThis should not happen: please report it with the lines above.\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What is prepared so far is kept.\n")
        return 130
    return 0


def prepare_sandbox() -> None:
    """Make sure that an engine answers and that the images are built."""
    with step("Docker engine") as running:
        ensure_engine(running.report)
    with step("sandbox images") as running:
        ensure_images(running.report)


def prepare_test() -> None:
    """Make sure of everything that the tests need."""
    prepare_sandbox()
    with step("browser") as running:
        ensure_browser(running)


def ensure_browser(running: Step) -> None:
    """Install Chromium with apt where there is none. Raises PreparationError where that cannot be done."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise PreparationError("The browser tests need Chromium: install it, then run the same command again.")
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        running.report(" ".join(command))
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise PreparationError(f"`{' '.join(command)}` failed ({' '.join(last)}): install Chromium by hand.")


def serve() -> None:
    """Prepare everything, then become the web server."""
    config = _read_config()
    refuse_taken_address(config.bind)
    sys.stdout.write("Greenroom: preparing\n")
    prepare_sandbox()
    with step("site"):
        site = _create_site()
    with step("database"):
        _invoke(site, "db", "upgrade")
    with step("exercises"):
        left = _invoke(site, "exercises", "sync", "--allow-conflicts").stderr
    sys.stdout.write("".join(f"    {line}\n" for line in left.splitlines()))
    if not config.production:
        with step("demo accounts"):
            said = _invoke(site, "accounts", "demo").output + _invoke(site, "cohorts", "demo").output
        sys.stdout.write("".join(f"    {line}\n" for line in said.splitlines()))
    sys.stdout.flush()
    _become_the_server(site)


def _become_the_server(site: Flask) -> None:
    """Serve in this process: its imports are the server's, so a start pays for them once. Does not return."""
    from app.db import db

    with site.app_context():
        db.engine.dispose()  # the server's worker is forked: no connection of this process may live on in it
    os.chdir(ROOT)
    sys.argv = ["gunicorn", "-c", "deploy/gunicorn.py", "wsgi:app"]
    from gunicorn.app.wsgiapp import run

    run()


def _read_config() -> Config:
    from config import Config, ConfigError

    try:
        return Config.from_environ()
    except ConfigError as error:
        raise PreparationError(f"{error}.") from error


def refuse_taken_address(address: str) -> None:
    """Raise PreparationError if another program listens at `address` (host:port)."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise PreparationError(f"GREENROOM_BIND must be host:port, got {address!r}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise PreparationError(
                f"{address} cannot be used ({error.strerror}): stop the program that listens there, "
                f"or choose another with `GREENROOM_BIND=127.0.0.1:8001 make run`."
            ) from error


def _create_site() -> Flask:
    # Only here: neither the engine nor the images wait for the site's imports.
    from app import create_app

    return create_app()


def _invoke(site: Flask, *arguments: str) -> Result:
    """Run a `flask` command in this process and return what came of it: an interpreter each would take seconds."""
    result = site.test_cli_runner().invoke(args=list(arguments))
    if result.exit_code:
        reason = f"{type(result.exception).__name__}: {result.exception}" if result.exception else ""
        raise PreparationError(
            f"{result.output.strip()}\n{reason}\n`flask --app wsgi {' '.join(arguments)}` failed (see above): "
            "fix what it names, then run the same command again."
        )
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
