"""Assignments: what a class is to solve by when, and how far it is."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages, tell the dashboard what is due, and keep help closed where an assignment says so."""
    from app.assignments.learning import closing_of, due_work
    from app.assignments.views import blueprint
    from app.progress.services import provide_due_work
    from app.submissions.closing import provide_closings

    app.register_blueprint(blueprint)
    provide_due_work(due_work)
    provide_closings(closing_of)
