"""What workers do while no learner waits: other nouns hand their tasks in when the site starts."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from sandbox.sandbox import Sandbox

Task = Callable[[Flask, Sandbox, str], bool]  # the worker's name goes in; returns whether it did something

_tasks: list[Task] = []


def provide(task: Task) -> None:
    """Let workers do `task` when no submission waits. A turn of it must be short: a learner may wait for its end."""
    if task not in _tasks:
        _tasks.append(task)


def do_one(app: Flask, sandbox: Sandbox, worker: str) -> bool:
    """Give the first task that has something to do one turn; return whether there was one."""
    return any(task(app, sandbox, worker) for task in _tasks)
