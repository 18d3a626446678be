"""The catalogue page."""

from __future__ import annotations

import random

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.catalog import services
from app.catalog.filters import Sort, Standing, parse
from app.security import public

blueprint = Blueprint("catalog", __name__)
_random = random.SystemRandom()


@blueprint.get("/exercises")
@public
def index() -> str:
    """Show the exercises that the query string asks for."""
    wanted = parse(request.args)
    found = services.search(wanted, _learner_id())
    return render_template("catalog/index.html", wanted=wanted, found=found, sorts=Sort, standings=Standing)


@blueprint.get("/exercises/random")
@public
def random_exercise() -> ResponseReturnValue:
    """Go to an exercise that fits the filters, one that is not solved yet if there is one."""
    wanted = parse(request.args)
    exercise = services.pick(wanted, _learner_id(), _random.choice)
    if exercise is None:
        flash("No exercise fits these filters.")
        query = wanted.query()
        return redirect(url_for("catalog.index") + (f"?{query}" if query else ""), 303)
    return redirect(url_for("submissions.solve", track=exercise.track, slug=exercise.slug), 303)


def _learner_id() -> int | None:
    return current_user.id if current_user.is_authenticated else None
