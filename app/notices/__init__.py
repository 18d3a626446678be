"""What a person is told outside the page they are on: a regraded submission, a comment, a new assignment."""

from __future__ import annotations

from flask import Flask
from flask_login import current_user


def init_app(app: Flask) -> None:
    """Register the pages of notices, and let every page count the unread ones."""
    from app.notices.services import count_unread
    from app.notices.views import blueprint

    def unread_notices() -> int:
        """Return how many notices the signed-in person has not read. One query."""
        return count_unread(current_user.id) if current_user.is_authenticated else 0

    app.register_blueprint(blueprint)
    app.jinja_env.globals["unread_notices"] = unread_notices
