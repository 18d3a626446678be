"""What there is to practise: exercises, their revisions, and the catalogue page."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the catalogue's pages."""
    from app.catalog.views import blueprint  # the models must be importable before the views

    app.register_blueprint(blueprint)
