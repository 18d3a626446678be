"""What instructors and learners say to each other about lines of a submission."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages, and put threads into the margin of the page of a submission."""
    from app.comments.margin import remark
    from app.comments.views import blueprint, margin
    from app.submissions.margin import provide_margin

    app.register_blueprint(blueprint)
    app.add_template_filter(remark, "remark")
    provide_margin(margin)
