"""Who changed what about people, classes, grades and what is published: a log that is only ever added to."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page of the log."""
    from app.audit.views import blueprint

    app.register_blueprint(blueprint)
