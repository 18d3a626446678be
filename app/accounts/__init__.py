"""People: registering, signing in and out, roles, settings."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the account pages, who a session belongs to, and how times are shown."""
    from app.accounts import clock, services, views  # the models must be importable before the views
    from app.security import login_manager

    login_manager.user_loader(services.session_owner)
    clock.init_app(app)
    app.register_blueprint(views.blueprint)
