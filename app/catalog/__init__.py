"""What there is to practise: exercises, their revisions, and the catalogue page."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the catalogue's pages, show its tracks on the first page, and let templates name languages."""
    from app.accounts.landing import provide_tracks
    from app.catalog.languages import language_title
    from app.catalog.views import blueprint
    from app.catalog.welcome import track_cards

    app.register_blueprint(blueprint)
    app.add_template_filter(language_title, "language")
    provide_tracks(app, track_cards)
