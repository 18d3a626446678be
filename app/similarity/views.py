"""Searching for similar submissions, the pairs that were found, and what people make of them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.cohorts.services import cards
from app.errors import Invalid
from app.security import instructor_required, limiter, me, per_account
from app.similarity import services
from app.similarity.models import Judgement
from app.submissions.results import highlighted_lines
from app.submissions.services import work_waiting

blueprint = Blueprint("similarity", __name__)

SEARCHES = "/instructor/similarity"
PAIR = f"{SEARCHES}/pairs/<int(max=2147483647):pair_id>"
USUAL_THRESHOLD = "50"


@blueprint.get(SEARCHES)
@instructor_required
def index() -> str:
    """List the searches, and offer a new one."""
    return _index(exercise=request.args.get("exercise", ""))


@blueprint.post(SEARCHES)
@instructor_required
@limiter.limit("20/hour", key_func=per_account)
def start() -> ResponseReturnValue:
    """Start a search."""
    form = request.form
    try:
        run = services.start(
            me(),
            exercise_id=form.get("exercise", 0, type=int),
            cohort_id=min(max(form.get("cohort", 0, type=int), 0), 2**31 - 1),
            threshold=form.get("threshold", "").strip(),
        )
    except Invalid as error:
        typed = {name: form.get(name, "") for name in ("exercise", "cohort", "threshold")}
        return _index(error=error, **typed), 422
    work_waiting.set()
    return redirect(url_for(".show", run_id=run.id), 303)


@blueprint.get(f"{SEARCHES}/<int(max=2147483647):run_id>")
@instructor_required
def show(run_id: int) -> str:
    """Show the pairs that a search found, the most similar first."""
    run = services.find_run(me(), run_id)
    return render_template(
        "similarity/show.html", run=run, pairs=services.pairs_of(me(), run), most=services.MOST, shown=services.SHOWN
    )


@blueprint.get(PAIR)
@instructor_required
def pair(pair_id: int) -> str:
    """Show two submissions beside each other, with what they have in common marked."""
    return _pair(pair_id)


@blueprint.post(f"{PAIR}/judgement")
@instructor_required
def judge(pair_id: int) -> ResponseReturnValue:
    """Keep what the instructor makes of a pair."""
    judgement, remark = request.form.get("judgement", ""), request.form.get("note", "")
    try:
        judged = services.judge(me(), pair_id, judgement=judgement, remark=remark)
    except Invalid as error:
        return _pair(pair_id, judgement=judgement, remark=remark, error=error), 422
    flash("Your judgement is kept.", "success")
    return redirect(url_for(".show", run_id=judged.run_id), 303)


def _index(*, error: Invalid | None = None, exercise: str = "", cohort: str = "", threshold: str = "") -> str:
    return render_template(
        "similarity/index.html",
        runs=services.runs_of(me()),
        exercises=services.exercises_to_search(me()),
        cohorts=[card.cohort for card in cards(me())],
        exercise=exercise,
        cohort=cohort,
        threshold=threshold or USUAL_THRESHOLD,
        error=error,
        most=services.MOST,
    )


def _pair(
    pair_id: int, *, judgement: str | None = None, remark: str | None = None, error: Invalid | None = None
) -> str:
    found = services.find_pair(me(), pair_id)
    return render_template(
        "similarity/pair.html",
        pair=found,
        run=found.run,
        judgements=list(Judgement),
        judgement=found.judgement if judgement is None else judgement,
        note=found.note if remark is None else remark,
        error=error,
        most_note=services.MAX_NOTE,
        highlighted_lines=highlighted_lines,
    )
