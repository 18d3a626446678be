"""What a learner has shown: attempts, help used, figures per track and skill."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the dashboard, and tell the catalogue how far each learner is."""
    from app.catalog.services import provide_statuses
    from app.progress import services, views  # the models must be importable before the views

    app.register_blueprint(views.blueprint)
    provide_statuses(services.statuses)
