"""After a test was fixed: submissions judged again with another revision, compared, and applied or discarded.

services.start → shadows in the ordinary queue (submissions/shadows.py) → dry_run.compared → services.apply or discard
"""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of regrades, and let workers judge for them while no learner waits."""
    from app.regrades.views import blueprint
    from app.regrades.worker import work_once
    from app.submissions import sidework

    app.register_blueprint(blueprint)
    sidework.provide(work_once)
