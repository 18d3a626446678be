"""Instructors write exercises; the proof gate says whether one may be published."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the instructor pages about exercises, and tell the catalogue how often each was accepted."""
    from app.authoring import (  # models: so that migrations see its tables
        copy_views,
        models,  # noqa: F401 - migrations read its tables
        proof_views,
        transfer_views,
    )
    from app.authoring.services import acceptance
    from app.authoring.views import blueprint
    from app.authoring.worker import work_once
    from app.catalog.services import provide_acceptance
    from app.submissions import sidework

    app.register_blueprint(blueprint)
    app.register_blueprint(copy_views.blueprint)
    app.register_blueprint(proof_views.blueprint)
    app.register_blueprint(transfer_views.blueprint)
    provide_acceptance(acceptance)
    sidework.provide(work_once)
