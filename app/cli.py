"""The command line: `flask accounts`, `flask exercises`, `flask sandbox` and `flask worker`."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

# Which commands each noun's cli.py brings.
COMMANDS = {"accounts": ("accounts",), "authoring": ("exercises",), "submissions": ("sandbox", "worker")}


def init_app(app: Flask) -> None:
    """Add every noun's commands."""
    for noun, names in COMMANDS.items():
        try:
            module = import_module(f"app.{noun}.cli")
        except ModuleNotFoundError:
            continue
        for name in names:
            app.cli.add_command(getattr(module, name))
