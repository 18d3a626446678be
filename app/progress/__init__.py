"""What a learner has shown: attempts, help used, figures per track and skill."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the dashboard."""
    from app.progress import views

    app.register_blueprint(views.blueprint)
