"""Everybody with an account, as admins see them: searching, and changing roles."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page of people."""
    from app.people.views import blueprint

    app.register_blueprint(blueprint)
