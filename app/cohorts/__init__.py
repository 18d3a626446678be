"""Classes: who learns together, and who may therefore read whose work."""

from __future__ import annotations

from flask import Flask
from flask_login import user_logged_in


def init_app(app: Flask) -> None:
    """Register the pages of classes; who was invited becomes a member when they sign in."""
    from app.cohorts.services import on_signed_in
    from app.cohorts.views import blueprint

    app.register_blueprint(blueprint)
    user_logged_in.connect(on_signed_in, app)
