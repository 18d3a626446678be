"""Beginning and ending to see the site as a learner."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, session, url_for
from flask.typing import ResponseReturnValue

from app.db import now
from app.impersonation import acting, services
from app.impersonation.services import Ending
from app.security import instructor_required, login_required, me

blueprint = Blueprint("impersonation", __name__)


@blueprint.post("/instructor/learners/<int(max=2147483647):learner_id>/act")
@instructor_required
def begin(learner_id: int) -> ResponseReturnValue:
    """See the site as this learner from now on."""
    acting.start(learner_id, services.begin(me(), learner_id, now()))
    return redirect("/progress", 303)


@blueprint.post("/acting/stop")
@login_required
def stop() -> ResponseReturnValue:
    """See the site as oneself again, and go back to where it began."""
    learner_id = session.get("acting_as")
    acting.stop(Ending.STOPPED)
    if learner_id is None:
        return redirect("/progress", 303)
    flash("You see the site as yourself again.", "success")
    return redirect(url_for("reports.learner_report", learner_id=learner_id), 303)
