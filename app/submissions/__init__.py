"""One answer, from form to verdict. Start reading at `services.submit`.

views.create → services.submit → worker.claim_next → judge.job_for → sandbox → verdict.decide → services.record
"""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the solve screen and the submission pages."""
    from app.submissions.views import blueprint  # here, since the views import this package

    app.register_blueprint(blueprint)
