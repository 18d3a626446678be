"""Instructors write exercises; the proof gate says whether one may be published."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the instructor pages about exercises."""
    from app.authoring.views import blueprint  # the models must be importable before the views

    app.register_blueprint(blueprint)
