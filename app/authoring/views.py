"""What instructors see of exercises."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.authoring import services
from app.security import instructor_required, me

blueprint = Blueprint("authoring", __name__)


@blueprint.get("/instructor/exercises")
@instructor_required
def index() -> str:
    """List every exercise with its proof and its figures."""
    return render_template("authoring/index.html", rows=services.overviews())


@blueprint.get("/instructor/exercises/<track>/<slug>")
@instructor_required
def show(track: str, slug: str) -> str:
    """Show one exercise: its proof card, its revisions, and what learners did with it."""
    return render_template("authoring/show.html", detail=services.detail(track, slug, reader=me()))
