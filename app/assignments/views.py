"""Assignments: what a learner is to do, and what instructors set, extend and read."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.assignments import forms, grading, learning, services
from app.assignments.forms import AssignmentForm, ExtensionForm
from app.assignments.models import Assignment
from app.cohorts.models import Cohort
from app.cohorts.services import find_instructed, people_of
from app.db import now
from app.errors import Invalid, NotFound
from app.reports.table import to_csv
from app.security import instructor_required, login_required, me

blueprint = Blueprint("assignments", __name__)

ID = "int(max=2147483647)"
COHORT = f"/instructor/cohorts/<{ID}:cohort_id>"
ASSIGNMENT = f"{COHORT}/assignments/<{ID}:assignment_id>"


@blueprint.get("/assignments")
@login_required
def index() -> str:
    """List the assignments of my classes."""
    return render_template("assignments/index.html", tasks=learning.tasks_of(me().id, now()))


@blueprint.get(f"/assignments/<{ID}:assignment_id>")
@login_required
def show(assignment_id: int) -> str:
    """Show one assignment of mine: its exercises and how far I am."""
    return render_template("assignments/show.html", task=learning.task_of(me().id, assignment_id, now()))


@blueprint.get(COHORT)
@instructor_required
def board(cohort_id: int) -> str:
    """Show the results of a class in one assignment, learner by exercise."""
    show_only = grading.Show.MISSING if request.args.get("show") == grading.Show.MISSING else grading.Show.ALL
    chosen = _chosen(request.args.get("assignment", ""))
    shown = grading.board(me(), cohort_id, chosen, show=show_only, at=now())
    return render_template("assignments/board.html", board=shown)


@blueprint.get(f"{ASSIGNMENT}.csv")
@instructor_required
def board_csv(cohort_id: int, assignment_id: int) -> Response:
    """Return the results as a CSV file: one row per learner and exercise."""
    assignment = services.find(me(), cohort_id, assignment_id)
    text = to_csv(grading.COLUMNS, grading.csv_rows(assignment))
    response = Response(text, content_type="text/csv; charset=utf-8; header=present")
    response.headers["Content-Disposition"] = f'attachment; filename="greenroom-assignment-{assignment_id}.csv"'
    return response


@blueprint.route(f"{COHORT}/assignments/new", methods=["GET", "POST"])
@instructor_required
def create(cohort_id: int) -> ResponseReturnValue:
    """Set a new assignment; the button “Find” only looks for exercises."""
    cohort, form, error = find_instructed(me(), cohort_id), AssignmentForm.fresh(now()), ""
    if _sent() and form.validate_on_submit():
        try:
            made = services.create(me(), cohort_id, form.wanted(forms.typed_exercises(request.form)))
        except Invalid as wrong:
            error = _at_its_field(form, wrong)
        else:
            flash(f"{made.title} is set, and the members of the class are told.", "success")
            return redirect(url_for(".board", cohort_id=cohort_id, assignment=made.id), 303)
    return _form_page(cohort, form, None, error)


@blueprint.route(ASSIGNMENT, methods=["GET", "POST"])
@instructor_required
def edit(cohort_id: int, assignment_id: int) -> ResponseReturnValue:
    """Change an assignment."""
    assignment = services.find(me(), cohort_id, assignment_id)
    form, error = AssignmentForm.of(assignment), ""
    if _sent() and form.validate_on_submit():
        try:
            services.edit(me(), cohort_id, assignment_id, form.wanted(forms.typed_exercises(request.form)))
        except Invalid as wrong:
            error = _at_its_field(form, wrong)
        else:
            flash("The assignment is saved.", "success")
            return redirect(url_for(".board", cohort_id=cohort_id, assignment=assignment_id), 303)
    return _form_page(assignment.cohort, form, assignment, error)


@blueprint.post(f"{ASSIGNMENT}/delete")
@instructor_required
def delete(cohort_id: int, assignment_id: int) -> ResponseReturnValue:
    """Delete an assignment; what learners sent stays."""
    services.remove(me(), cohort_id, assignment_id)
    flash("The assignment is deleted.", "success")
    return redirect(url_for(".board", cohort_id=cohort_id), 303)


@blueprint.route(f"{ASSIGNMENT}/extensions", methods=["GET", "POST"])
@instructor_required
def extensions(cohort_id: int, assignment_id: int) -> ResponseReturnValue:
    """Show who has more time, and give it."""
    assignment = services.find(me(), cohort_id, assignment_id)
    members = people_of(cohort_id).members
    form = ExtensionForm.of([member.learner for member in members], assignment.due_at)
    if form.validate_on_submit():
        try:
            services.extend(
                me(),
                cohort_id,
                assignment_id,
                learner_id=form.learner.data,
                due_at=form.until(),
                reason=form.reason.data,
            )
        except Invalid as wrong:
            form[wrong.field].errors = [wrong.message]
        else:
            flash("The extension is given, and the learner is told.", "success")
            return redirect(url_for(".extensions", cohort_id=cohort_id, assignment_id=assignment_id), 303)
    given = services.extensions_of(assignment_id)
    page = render_template(
        "assignments/extensions.html", assignment=assignment, form=form, given=given, members=members
    )
    return page, 422 if request.method == "POST" else 200


def _sent() -> bool:
    return request.method == "POST" and request.form.get("do") != "find"


def _chosen(raw: str) -> int | None:
    """Return the id in a query string; None where there is none. Raises NotFound."""
    if not raw:
        return None
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 10):
        raise NotFound("There is no such assignment.")
    return int(raw)


def _at_its_field(form: AssignmentForm, wrong: Invalid) -> str:
    """Put the sentence beside its input, and return it where that is the list of exercises."""
    if wrong.field == "exercises":
        return wrong.message
    form[wrong.field].errors = [wrong.message]
    return ""


def _form_page(cohort: Cohort, form: AssignmentForm, assignment: Assignment | None, error: str) -> ResponseReturnValue:
    offered = services.exercises_to_choose()
    if assignment is not None:
        offered += [each.exercise for each in assignment.exercises if each.exercise not in offered]
    if request.method == "POST":
        choices = forms.choices(offered, request.form, request.form.getlist("exercise"), error)
    else:
        stored = forms.stored_exercises(assignment) if assignment else {}
        ticked = [str(each.exercise_id) for each in assignment.exercises] if assignment else []
        choices = forms.choices(offered, stored, ticked)
    page = render_template("assignments/form.html", cohort=cohort, form=form, assignment=assignment, choices=choices)
    return page, 422 if _sent() else 200
