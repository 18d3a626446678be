"""Writing exercises: working copies, their files, and trying them as a learner."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.authoring import copies, folder
from app.authoring.desk import Desk, desk_of, preview_html, problem_as_json, stale_desk
from app.authoring.forms import NewExerciseForm
from app.authoring.models import WorkingCopy
from app.authoring.proofs import state_of
from app.authoring.revisions import changes_since_base, number_in
from app.authoring.tryout import try_copy
from app.catalog import kinds, tracks
from app.catalog.format import FormatError
from app.catalog.spec import json_schema
from app.errors import Invalid
from app.security import instructor_required, limiter, me, per_account

blueprint = Blueprint("copies", __name__)

EXERCISE = "/instructor/exercises/<track>/<slug>"
COPY = "/instructor/copies/<int(max=2147483647):copy_id>"


class _Changes(BaseModel):
    """What a save in JSON holds."""

    model_config = ConfigDict(strict=True)

    version: int = Field(ge=0, lt=2**31)
    changed: dict[str, str]
    removed: list[str]


@blueprint.route("/instructor/exercises/new", methods=["GET", "POST"])
@instructor_required
def new() -> ResponseReturnValue:
    """Begin an exercise."""
    form = NewExerciseForm()
    if form.validate_on_submit():
        wanted = {name: (form[name].data or "").strip() for name in ("kind", "title", "track", "slug")}
        try:
            return _to(copies.start(me(), **wanted))
        except Invalid as error:
            form[error.field].errors = [error.message]
    status = 422 if any(field.errors for field in form) else 200
    return render_template("authoring/new.html", form=form, tracks=tracks.known()), status


@blueprint.post(f"{EXERCISE}/fork")
@instructor_required
def fork(track: str, slug: str) -> ResponseReturnValue:
    """Begin an exercise of one's own from another one."""
    return _to(copies.fork(me(), track, slug))


@blueprint.post(f"{EXERCISE}/revise")
@instructor_required
def revise(track: str, slug: str) -> ResponseReturnValue:
    """Begin, or go on with, the next revision of an exercise; with `number`, from the files of that revision."""
    return _to(copies.revise(me(), track, slug, number_in(request.form.get("number"))))


@blueprint.get(COPY)
@instructor_required
def edit(copy_id: int) -> str:
    """Show the working copy with one file open."""
    return _page(desk_of(_own(copy_id), request.args.get("file", "")))


@blueprint.put(f"{COPY}/files")
@instructor_required
@limiter.limit("120/minute", key_func=per_account)
def save(copy_id: int) -> ResponseReturnValue:
    """Save what changed over the version that the page saw; 409 with what stands now if there is another."""
    copy, sent = _own(copy_id), _changes_in(request.get_json())
    try:
        saved = copies.save_changes(copy, version=sent.version, changed=sent.changed, removed=sent.removed)
    except copies.StaleCopy as error:
        return jsonify(error=str(error), files=error.current.files, **_state(error.current)), 409
    return jsonify(**_state(saved))


@blueprint.post(f"{COPY}/save")
@instructor_required
def save_file(copy_id: int) -> ResponseReturnValue:
    """Save one file, for pages without a script."""
    copy, path, text = _own(copy_id), request.form.get("path", ""), request.form.get("text", "")
    version = number_in(request.form.get("draft_version")) or 0
    try:
        return _to(copies.save_changes(copy, version=version, changed={path: text}), path)
    except copies.StaleCopy as error:
        return _page(stale_desk(error.current, path, text)), 409
    except Invalid as error:
        return _page(stale_desk(copy, path, text).refused("save", error.message)), 422


@blueprint.post(f"{COPY}/create")
@instructor_required
def create_file(copy_id: int) -> ResponseReturnValue:
    """Add an empty file."""
    path = request.form.get("path", "").strip()
    return _altered(copy_id, "create", lambda files: folder.added(files, path), then=path)


@blueprint.post(f"{COPY}/upload")
@instructor_required
def upload(copy_id: int) -> ResponseReturnValue:
    """Add text files from the author's computer."""
    sent = {file.filename.rpartition("/")[2]: file.read() for file in request.files.getlist("files") if file.filename}
    where = request.form.get("folder", "").strip()
    return _altered(copy_id, "upload", lambda files: folder.uploaded(files, where, sent))


@blueprint.post(f"{COPY}/rename")
@instructor_required
def rename_file(copy_id: int) -> ResponseReturnValue:
    """Rename a file or a folder."""
    path, to = request.form.get("path", ""), request.form.get("to", "").strip()
    return _altered(copy_id, "rename", lambda files: folder.renamed(files, path, to), then=to)


@blueprint.post(f"{COPY}/remove")
@instructor_required
def remove_file(copy_id: int) -> ResponseReturnValue:
    """Delete a file or a folder."""
    path = request.form.get("path", "")
    return _altered(copy_id, "remove", lambda files: folder.removed(files, path))


@blueprint.post(f"{COPY}/move")
@instructor_required
def move(copy_id: int) -> ResponseReturnValue:
    """Choose where a new exercise will be published."""
    copy = _own(copy_id)
    typed = {name: request.form.get(name, "").strip() for name in ("track", "slug")}
    try:
        copies.move(copy, **typed)
    except Invalid as error:
        return _page(desk_of(copy).refused("move", error.message, typed)), 422
    flash(f"It will be published at {copy.path}.")
    return _to(copy)


@blueprint.post(f"{COPY}/preview")
@instructor_required
@limiter.limit("120/minute", key_func=per_account)
def preview(copy_id: int) -> Response:
    """Return Markdown as learners see it."""
    _own(copy_id)
    body = request.get_json()
    if not isinstance(body, dict) or not isinstance(text := body.get("text"), str):
        raise Invalid("A preview is asked for with its text.", "text")
    return jsonify(html=preview_html(text))


@blueprint.post(f"{COPY}/try")
@instructor_required
@limiter.limit("30/minute", key_func=per_account)
def try_as_learner(copy_id: int) -> ResponseReturnValue:
    """Open the exercise as a learner would see it; what is wrong with it is said instead."""
    copy = _own(copy_id)
    try:
        exercise = try_copy(me(), copy)
    except FormatError as error:
        count = len(error.problems)
        message = f"It cannot be tried yet: {count} problem{'' if count == 1 else 's'} must be solved first."
        return _page(desk_of(copy).refused("try", message)), 422
    return redirect(url_for("submissions.solve", track=exercise.track, slug=exercise.slug), 303)


@blueprint.get(f"{COPY}/changes")
@instructor_required
def changes(copy_id: int) -> str:
    """Show how the working copy differs from the revision that it began from."""
    copy = _own(copy_id)
    return render_template("authoring/changes.html", copy=copy, changes=changes_since_base(copy))


@blueprint.post(f"{COPY}/delete")
@instructor_required
def discard(copy_id: int) -> ResponseReturnValue:
    """Delete the working copy."""
    copy = _own(copy_id)
    title = copy.title
    copies.discard(copy)
    flash(f"The working copy “{title}” is deleted.")
    return redirect(url_for("authoring.index"), 303)


@blueprint.get("/instructor/exercise.schema.json")
@instructor_required
def schema() -> Response:
    """Return the JSON Schema of exercise.yaml, which the editor completes from."""
    return jsonify(json_schema(sorted(kinds.all_kinds())))


def _own(copy_id: int) -> WorkingCopy:
    return copies.find_own(me(), copy_id)


def _page(desk: Desk) -> str:
    return render_template("authoring/edit.html", desk=desk, copy=desk.copy, proof=state_of(desk.copy))


def _to(copy: WorkingCopy, path: str = "") -> ResponseReturnValue:
    """Lead to the page of `copy` with `path` open, if there is such a file."""
    return redirect(url_for("copies.edit", copy_id=copy.id, file=path if path in copy.files else None), 303)


def _altered(copy_id: int, form: str, change: copies.Change, then: str = "") -> ResponseReturnValue:
    """Apply `change` to the files and lead to the file `then`; say beside `form` why it cannot be done."""
    copy = _own(copy_id)
    try:
        return _to(copies.alter(copy, change), then)
    except Invalid as error:
        path = request.form.get("path", "")
        desk = desk_of(copy, path if path in copy.files else "")
        return _page(desk.refused(form, error.message, request.form)), 422


def _state(copy: WorkingCopy) -> dict[str, Any]:
    """Return what an open page is told of the copy: its version, and what is wrong with it."""
    problems = copies.problems_of(copy)
    return {
        "version": copy.version,
        "saved_at": copy.updated_at.isoformat(),
        "problems": [problem_as_json(problem) for problem in problems],
        "shown": render_template("authoring/_problems.html", problems=problems, copy=copy),
        "proof": render_template("authoring/_proof_bar.html", copy=copy, proof=state_of(copy)),
    }


def _changes_in(body: Any) -> _Changes:
    """Return what a save in JSON holds. Raises Invalid for any other shape."""
    try:
        return _Changes.model_validate(body)
    except ValidationError:
        raise Invalid("A save holds version, changed and removed.") from None
