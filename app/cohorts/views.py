"""Classes: joining them, and what their instructors do with them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.cohorts import services
from app.cohorts.importing import ImportReport, import_members
from app.errors import Conflict, Invalid, NotFound
from app.security import instructor_required, limiter, login_required, me, per_account

blueprint = Blueprint("cohorts", __name__)

COHORT = "/instructor/cohorts/<int(max=2147483647):cohort_id>"
PERSON = "<int(max=2147483647):person_id>"

# Guessing codes: by the form and by the link, counted together.
joining = limiter.shared_limit("20/minute;100/hour", scope="joining", key_func=per_account)


@blueprint.get("/cohorts")
@login_required
def index() -> str:
    """List the classes that I learn in."""
    return _my_page()


@blueprint.post("/cohorts/join")
@login_required
@joining
def join() -> ResponseReturnValue:
    """Join the class whose code was typed."""
    typed = request.form.get("code", "").strip()
    try:
        cohort = services.join(me(), typed)
    except (NotFound, Conflict) as error:
        return _my_page(typed=typed, error=str(error)), 422
    flash(f"You are in the class {cohort.name}.", "success")
    return redirect(url_for(".index"), 303)


@blueprint.get("/join/<code>")
@login_required
@joining
def invitation(code: str) -> str:
    """Ask whether to join the class that the link is of."""
    return render_template("cohorts/join.html", cohort=services.find_by_code(code))


@blueprint.post("/join/<code>")
@login_required
@joining
def accept(code: str) -> ResponseReturnValue:
    """Join the class that the link is of."""
    flash(f"You are in the class {services.join(me(), code).name}.", "success")
    return redirect(url_for(".index"), 303)


@blueprint.post("/cohorts/invitations/<int(max=2147483647):invitation_id>/accept")
@login_required
def accept_invitation(invitation_id: int) -> ResponseReturnValue:
    """Join the class that invites me."""
    flash(f"You are in the class {services.accept_invitation(me(), invitation_id).name}.", "success")
    return redirect(url_for(".index"), 303)


@blueprint.post("/cohorts/invitations/<int(max=2147483647):invitation_id>/decline")
@login_required
def decline_invitation(invitation_id: int) -> ResponseReturnValue:
    """Stay out of the class that invites me."""
    services.decline_invitation(me(), invitation_id)
    flash("The invitation is declined.", "success")
    return redirect(url_for(".index"), 303)


@blueprint.post("/cohorts/<int(max=2147483647):cohort_id>/leave")
@login_required
def leave(cohort_id: int) -> ResponseReturnValue:
    """End my membership."""
    services.leave(me(), cohort_id)
    flash("You have left the class.", "success")
    return redirect(url_for(".index"), 303)


@blueprint.get("/instructor/cohorts")
@instructor_required
def instructed() -> str:
    """List the classes that I instruct; all of them for an admin."""
    return render_template("cohorts/instructed.html", cards=services.cards(me()), typed="", error="")


@blueprint.post("/instructor/cohorts")
@instructor_required
def create() -> ResponseReturnValue:
    """Create a class."""
    typed = request.form.get("name", "")
    try:
        cohort = services.create(me(), typed)
    except Invalid as error:
        page = render_template("cohorts/instructed.html", cards=services.cards(me()), typed=typed, error=error.message)
        return page, 422
    flash(f"The class {cohort.name} is there. Add people by its code or from a list.", "success")
    return redirect(url_for(".members", cohort_id=cohort.id), 303)


@blueprint.get(f"{COHORT}/members")
@instructor_required
def members(cohort_id: int) -> str:
    """Show who is in the class and who is invited."""
    return _members_page(cohort_id)


@blueprint.post(f"{COHORT}/members")
@instructor_required
def add_members(cohort_id: int) -> ResponseReturnValue:
    """Invite the people of a CSV file. The answer is the report itself: sending it again changes nothing."""
    file = request.files.get("file")
    try:
        report = import_members(me(), cohort_id, file.stream.read() if file else b"")
    except Invalid as error:
        return _members_page(cohort_id, error=error.message), 422
    return _members_page(cohort_id, report=report)


@blueprint.post(f"{COHORT}/members/{PERSON}/remove")
@instructor_required
def remove_member(cohort_id: int, person_id: int) -> ResponseReturnValue:
    """Take somebody out of the class."""
    services.remove_member(me(), cohort_id, person_id)
    flash("They are no longer in the class.", "success")
    return redirect(url_for(".members", cohort_id=cohort_id), 303)


@blueprint.post(f"{COHORT}/invitations/<int(max=2147483647):invitation_id>/withdraw")
@instructor_required
def withdraw_invitation(cohort_id: int, invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    services.withdraw_invitation(me(), cohort_id, invitation_id)
    flash("The invitation is withdrawn.", "success")
    return redirect(url_for(".members", cohort_id=cohort_id), 303)


@blueprint.get(f"{COHORT}/settings")
@instructor_required
def settings(cohort_id: int) -> str:
    """Show name, join code and instructors of the class."""
    return _settings_page(cohort_id)


@blueprint.post(f"{COHORT}/settings")
@instructor_required
def save_settings(cohort_id: int) -> ResponseReturnValue:
    """Give the class another name."""
    typed = request.form.get("name", "")
    return _changed(
        cohort_id, "The name is saved.", lambda: services.rename(me(), cohort_id, typed), typed={"name": typed}
    )


@blueprint.post(f"{COHORT}/code")
@instructor_required
def rotate_code(cohort_id: int) -> ResponseReturnValue:
    """Give the class another join code."""
    return _changed(
        cohort_id, "The class has a new code; the old one is void.", lambda: services.rotate_code(me(), cohort_id)
    )


@blueprint.post(f"{COHORT}/archive")
@instructor_required
def archive(cohort_id: int) -> ResponseReturnValue:
    """Archive the class, or open it again."""
    if request.form.get("undo"):
        return _changed(cohort_id, "The class is open again.", lambda: services.unarchive(me(), cohort_id))
    return _changed(cohort_id, "The class is archived.", lambda: services.archive(me(), cohort_id))


@blueprint.post(f"{COHORT}/instructors")
@instructor_required
def add_instructor(cohort_id: int) -> ResponseReturnValue:
    """Let somebody else instruct the class too."""
    typed = request.form.get("email", "").strip()
    return _changed(
        cohort_id,
        "They instruct the class now.",
        lambda: services.add_instructor(me(), cohort_id, typed),
        typed={"email": typed},
    )


@blueprint.post(f"{COHORT}/instructors/{PERSON}/remove")
@instructor_required
def remove_instructor(cohort_id: int, person_id: int) -> ResponseReturnValue:
    """Take the class from one of its instructors."""
    services.remove_instructor(me(), cohort_id, person_id)
    flash("They no longer instruct the class.", "success")
    if person_id == me().id:
        return redirect(url_for(".instructed"), 303)
    return redirect(url_for(".settings", cohort_id=cohort_id), 303)


def _changed(
    cohort_id: int, said: str, change: Callable[[], object], *, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    """Make a change to the settings, and answer with what was typed where it was refused."""
    try:
        change()
    except Invalid as error:
        return _settings_page(cohort_id, typed=typed, errors={error.field: error.message}), 422
    flash(said, "success")
    return redirect(url_for(".settings", cohort_id=cohort_id), 303)


def _my_page(*, typed: str = "", error: str = "") -> str:
    memberships, invitations = services.memberships(me().id), services.invitations_of(me())
    return render_template(
        "cohorts/index.html", memberships=memberships, invitations=invitations, typed=typed, error=error
    )


def _members_page(cohort_id: int, *, report: ImportReport | None = None, error: str = "") -> str:
    cohort = services.find_instructed(me(), cohort_id)
    people = services.people_of(cohort_id)
    return render_template("cohorts/members.html", cohort=cohort, people=people, report=report, error=error)


def _settings_page(cohort_id: int, *, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    cohort = services.find_instructed(me(), cohort_id)
    return render_template("cohorts/settings.html", cohort=cohort, typed=typed or {}, errors=errors or {})
