"""Seeing the site as a learner sees it: read only, for half an hour, written down in the audit log.

The session stays the actor's and says whom they see the site as. Whoever asks for the signed-in person gets the
learner, so no page needs to know of it; whatever would change something is refused before any view runs, and once
more where rows are written.
"""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Let sessions act as learners. After accounts, which say whose a session is."""
    from app.impersonation import acting, views
    from app.security import login_manager

    login_manager.user_loader(acting.person_of)
    app.before_request(acting.guard)
    app.jinja_env.globals["acting_now"] = acting.acting_now
    app.register_blueprint(views.blueprint)
