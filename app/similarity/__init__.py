"""Pairs of similar submissions to one exercise: evidence for a person to judge, never a judgement."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages, and let workers compare when no learner waits."""
    from app.similarity.views import blueprint
    from app.similarity.worker import work_once
    from app.submissions import sidework

    app.register_blueprint(blueprint)
    sidework.provide(work_once)
