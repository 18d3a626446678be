"""What instructors see of exercises."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request

from app.authoring import copies, revisions, services
from app.catalog.sync import conflict_of
from app.security import instructor_required, me

blueprint = Blueprint("authoring", __name__)


@blueprint.get("/instructor/exercises")
@instructor_required
def index() -> str:
    """List one's working copies, and every exercise with its proof and its figures."""
    return render_template("authoring/index.html", rows=services.overviews(), copies=copies.own_copies(me()))


@blueprint.get("/instructor/exercises/<track>/<slug>")
@instructor_required
def show(track: str, slug: str) -> str:
    """Show one exercise: its proof card, its revisions, and what learners did with it."""
    detail = services.detail(track, slug, reader=me())
    exercise = detail.overview.exercise
    return render_template(
        "authoring/show.html",
        detail=detail,
        may_revise=copies.may_revise(me(), exercise),
        in_work=copies.in_work(me(), exercise),
        conflict=conflict_of(exercise, current_app.extensions["greenroom.config"].exercises_dir),
    )


@blueprint.get("/instructor/exercises/<track>/<slug>/compare")
@instructor_required
def compare(track: str, slug: str) -> str:
    """Show how two revisions of an exercise differ; by default the latest and the one before it."""
    old, new = (revisions.number_in(request.args.get(name)) for name in ("old", "new"))
    comparison = revisions.compare(track, slug, old, new)
    return render_template("authoring/compare.html", comparison=comparison)
