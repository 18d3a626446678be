"""The list of notices, and opening one."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.notices import services
from app.security import login_required, me, safe_next

blueprint = Blueprint("notices", __name__)


@blueprint.get("/notices")
@login_required
def index() -> str:
    """List the latest notices."""
    return render_template("notices/index.html", notices=services.latest(me().id))


@blueprint.post("/notices/<int(max=2147483647):notice_id>/open")
@login_required
def open_notice(notice_id: int) -> ResponseReturnValue:
    """Go where a notice leads; it counts as read from now on."""
    return redirect(safe_next(services.open_notice(me().id, notice_id), url_for(".index")), 303)


@blueprint.post("/notices/read")
@login_required
def read_all() -> ResponseReturnValue:
    """Count everything as read."""
    services.read_all(me().id)
    return redirect(url_for(".index"), 303)
