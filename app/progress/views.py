"""The learner's dashboard, and the attempts behind each of its figures."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict

from app.accounts.clock import my_zone
from app.db import now
from app.errors import NotFound
from app.progress import services
from app.progress.evidence import Wanted
from app.progress.figures import Result
from app.security import login_required, me

blueprint = Blueprint("progress", __name__)


@blueprint.get("/progress")
@login_required
def dashboard() -> str:
    """Show how far the learner is, and what to do next."""
    shown = services.dashboard(me().id, zone=my_zone(), at=now())
    return render_template("progress/dashboard.html", dashboard=shown)


@blueprint.get("/progress/attempts")
@login_required
def attempts() -> str:
    """Show the attempts behind one figure of the dashboard."""
    wanted = wanted_from(request.args)
    rows = services.attempts_behind(me().id, wanted, zone=my_zone())
    return render_template("progress/attempts.html", wanted=wanted, rows=rows)


def wanted_from(args: MultiDict[str, str]) -> Wanted:
    """Return what a query string asks for. Raises NotFound for a result, exercise or day that cannot be."""
    try:
        return Wanted(
            result=Result(args["result"]) if args.get("result") else None,
            track=args.get("track", ""),
            skill=args.get("skill", ""),
            exercise_id=int(args["exercise"]) if args.get("exercise") else None,
            day=date.fromisoformat(args["day"]) if args.get("day") else None,
        )
    except ValueError as error:
        raise NotFound("There is no such figure.") from error
