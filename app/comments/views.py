"""Comments on lines of submissions, and the message templates of instructors.

What is wrong with a comment is said on the page of its submission, with all that was typed.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.comments import message_templates, services
from app.comments.margin import Margin, Typed, margin_of, with_template
from app.comments.models import MAX_BODY, MAX_TITLE, CommentThread
from app.errors import Invalid
from app.security import instructor_required, limiter, login_required, me, per_account
from app.submissions.lookup import find_readable
from app.submissions.models import Submission
from app.submissions.views import SUBMISSION, page_of

blueprint = Blueprint("comments", __name__)

THREAD = "/threads/<int(max=2147483647):thread_id>"
TEMPLATES = "/instructor/message-templates"
TEMPLATE = f"{TEMPLATES}/<int(max=2147483647):template_id>"


def margin(submission: Submission) -> Margin:
    """Return the margin of a page that is asked for; its address may say which line is meant."""
    typed = Typed(file=request.args.get("file", ""), line=request.args.get("line", ""))
    return margin_of(me(), submission, typed)


@blueprint.post(f"{SUBMISSION}/threads")
@login_required
@limiter.limit("60/minute", key_func=per_account)
def open_thread(submission_id: int) -> ResponseReturnValue:
    """Open a thread on a line; or, asked to insert a template, show the page with it in the text."""
    typed = _typed(None)
    submission = find_readable(submission_id, reader=me())
    if "insert" in request.form:
        return _page(submission, _with_chosen(typed))
    try:
        thread = services.open_thread(me(), submission_id, file=typed.file, line=typed.line, body=typed.body)
    except Invalid as error:
        return _page(submission, replace(typed, field=error.field, error=error.message)), 422
    return _to(thread)


@blueprint.post(f"{THREAD}/answers")
@login_required
@limiter.limit("60/minute", key_func=per_account)
def answer(thread_id: int) -> ResponseReturnValue:
    """Answer in a thread; or, asked to insert a template, show the page with it in the text."""
    typed = _typed(thread_id)
    thread = services.find_thread(me(), thread_id)
    if "insert" in request.form:
        return _page(thread.submission, _with_chosen(typed))
    try:
        services.answer(me(), thread_id, typed.body)
    except Invalid as error:
        return _page(thread.submission, replace(typed, field=error.field, error=error.message)), 422
    return _to(thread)


@blueprint.post(f"{THREAD}/resolve")
@login_required
def resolve(thread_id: int) -> ResponseReturnValue:
    """Say that a thread is resolved."""
    return _to(services.resolve(me(), thread_id))


@blueprint.post(f"{THREAD}/reopen")
@login_required
def reopen(thread_id: int) -> ResponseReturnValue:
    """Say that a thread is not resolved after all."""
    return _to(services.reopen(me(), thread_id))


@blueprint.get(TEMPLATES)
@instructor_required
def templates() -> str:
    """List the instructor's message templates."""
    return _templates_page()


@blueprint.post(TEMPLATES)
@instructor_required
def add_template() -> ResponseReturnValue:
    """Keep a new template."""
    title, body = request.form.get("title", ""), request.form.get("body", "")
    try:
        message_templates.add(me().id, title=title, body=body)
    except Invalid as error:
        return _templates_page(title=title, body=body, error=error), 422
    flash("The template is kept.", "success")
    return redirect(url_for(".templates"), 303)


@blueprint.post(TEMPLATE)
@instructor_required
def change_template(template_id: int) -> ResponseReturnValue:
    """Keep another title or text of a template."""
    title, body = request.form.get("title", ""), request.form.get("body", "")
    try:
        message_templates.change(me().id, template_id, title=title, body=body)
    except Invalid as error:
        return _templates_page(template_id, title=title, body=body, error=error), 422
    flash("The template is changed.", "success")
    return redirect(url_for(".templates"), 303)


@blueprint.post(f"{TEMPLATE}/remove")
@instructor_required
def remove_template(template_id: int) -> ResponseReturnValue:
    """Forget a template."""
    message_templates.remove(me().id, template_id)
    flash("The template is removed.", "success")
    return redirect(url_for(".templates"), 303)


def _typed(thread_id: int | None) -> Typed:
    form = request.form
    return Typed(
        thread_id=thread_id, file=form.get("file", ""), line=form.get("line", "").strip(), body=form.get("body", "")
    )


def _with_chosen(typed: Typed) -> Typed:
    template_id = request.form.get("template", 0, type=int)
    return replace(typed, body=with_template(me(), min(max(template_id, 0), 2**31 - 1), typed.body))


def _page(submission: Submission, typed: Typed) -> str:
    return page_of(submission, margin_of(me(), submission, typed))


def _to(thread: CommentThread) -> ResponseReturnValue:
    return redirect(url_for("submissions.show", submission_id=thread.submission_id, _anchor=f"thread-{thread.id}"), 303)


def _templates_page(
    template_id: int | None = None, *, title: str = "", body: str = "", error: Invalid | None = None
) -> str:
    """Return the page; with what was typed and is wrong, for a new template or for the one with `template_id`."""
    return render_template(
        "comments/templates.html",
        templates=message_templates.templates_of(me().id),
        typed_id=template_id,
        title=title,
        body=body,
        error=error,
        most_title=MAX_TITLE,
        most_body=MAX_BODY,
    )
