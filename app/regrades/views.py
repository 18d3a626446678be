"""The pages of regrades: the list of an exercise, a new one, and what it changes."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.errors import Invalid
from app.regrades import screen, services
from app.regrades.forms import RegradeForm
from app.regrades.screen import Show
from app.security import instructor_required, me

blueprint = Blueprint("regrades", __name__)

EXERCISE = "/instructor/exercises/<track>/<slug>/regrades"
REGRADE = "/instructor/regrades/<int(max=2147483647):regrade_id>"


@blueprint.get(EXERCISE)
@instructor_required
def index(track: str, slug: str) -> str:
    """List the regrades of an exercise."""
    return render_template("regrades/index.html", history=screen.history(me(), track, slug))


@blueprint.get(f"{EXERCISE}/new")
@instructor_required
def new(track: str, slug: str) -> str:
    """Ask what to judge again."""
    prospect = screen.prospect(me(), track, slug)
    return render_template("regrades/new.html", prospect=prospect, form=RegradeForm(prospect))


@blueprint.post(f"{EXERCISE}/new")
@instructor_required
def create(track: str, slug: str) -> ResponseReturnValue:
    """Begin a dry run."""
    prospect = screen.prospect(me(), track, slug)
    form = RegradeForm(prospect)
    if form.validate_on_submit():
        try:
            regrade_id = services.start(me(), prospect.exercise, form.wish())
        except Invalid as error:
            form.refuse(error)
        else:
            return redirect(url_for(".show", regrade_id=regrade_id), 303)
    return render_template("regrades/new.html", prospect=prospect, form=form), 422


@blueprint.get(REGRADE)
@instructor_required
def show(regrade_id: int) -> str:
    """Show how far a regrade is, and then what it changes."""
    wanted = request.args.get("show", "")
    found = screen.comparison(
        me(),
        regrade_id,
        show=Show(wanted) if wanted in set(Show) else Show.CHANGED,
        page=request.args.get("page", default=1, type=int),
    )
    return render_template("regrades/show.html", found=found)


@blueprint.post(f"{REGRADE}/apply")
@instructor_required
def apply(regrade_id: int) -> ResponseReturnValue:
    """Let the submissions have their new verdicts."""
    services.apply(me(), regrade_id)
    flash("The regrade is applied. Learners whose verdict changed have a notice.", "success")
    return redirect(url_for(".show", regrade_id=regrade_id), 303)


@blueprint.post(f"{REGRADE}/discard")
@instructor_required
def discard(regrade_id: int) -> ResponseReturnValue:
    """Leave the submissions as they are."""
    services.discard(me(), regrade_id)
    flash("The regrade is discarded. No submission was changed.", "success")
    return redirect(url_for(".show", regrade_id=regrade_id), 303)
