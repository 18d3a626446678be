"""The page of people, for admins."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.models import Role
from app.people import services
from app.security import admin_required, me

blueprint = Blueprint("people", __name__)


@blueprint.get("/admin/people")
@admin_required
def index() -> str:
    """Show those whose name or e-mail holds the query."""
    found = services.find_people(
        query=request.args.get("q", "").strip()[:100],
        role=request.args.get("role", ""),
        page=request.args.get("page", default=1, type=int),
    )
    return render_template("people/index.html", found=found, roles=[role.value for role in Role])


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/role")
@admin_required
def change_role(person_id: int) -> ResponseReturnValue:
    """Give somebody another role, then show them in the list."""
    person = services.change_role(me(), person_id, request.form.get("role", ""))
    flash(f"{person.name} is now {'an' if person.role[0] in 'ai' else 'a'} {person.role}.", "success")
    return redirect(url_for(".index", q=person.email), 303)
