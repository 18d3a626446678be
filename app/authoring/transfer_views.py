"""Exercises in and out as archives."""

from __future__ import annotations

import io

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from app.authoring import exports, imports
from app.authoring.copies import find_own
from app.authoring.forms import ImportForm
from app.authoring.revisions import number_in
from app.authoring.transfer import to_zip
from app.catalog import tracks
from app.catalog.format import FormatError, Problem
from app.errors import Invalid
from app.security import instructor_required, limiter, me, per_account

blueprint = Blueprint("transfer", __name__)

NOTHING_CAME_IN = "Nothing was imported. Choose an archive without what is listed above."


@blueprint.route("/instructor/exercises/import", methods=["GET", "POST"])
@instructor_required
@limiter.limit("30/minute", key_func=per_account)
def take_in() -> ResponseReturnValue:
    """Bring an exercise into a new working copy."""
    form, problems = ImportForm(), list[Problem]()
    if form.validate_on_submit():
        archive, where = form.archive.data, {name: (form[name].data or "").strip() for name in ("track", "slug")}
        try:
            taken = imports.take_in_archive(me(), archive.read(), name=archive.filename, **where)
        except FormatError as error:
            problems = error.problems
            form.archive.errors = [NOTHING_CAME_IN]
        except Invalid as error:
            form[error.field].errors = [error.message]
        else:
            flash(f"Imported into a working copy. {taken.said}".strip())
            return redirect(url_for("copies.edit", copy_id=taken.copy.id), 303)
    status = 422 if any(field.errors for field in form) else 200
    return render_template("authoring/import.html", form=form, problems=problems, tracks=tracks.known()), status


@blueprint.get("/instructor/exercises/<track>/<slug>/export.zip")
@instructor_required
def export(track: str, slug: str) -> Response:
    """Send one revision of an exercise, by default the current one."""
    found = exports.published(track, slug, number_in(request.args.get("revision")))
    return _archive(to_zip(found.files, folder=slug), f"{slug}-{found.number}.zip")


@blueprint.get("/instructor/copies/<int(max=2147483647):copy_id>/export.zip")
@instructor_required
def export_copy(copy_id: int) -> Response:
    """Send the files of one's working copy as they are."""
    copy = find_own(me(), copy_id)
    return _archive(to_zip(copy.files, folder=copy.slug), f"{copy.slug}-working-copy.zip")


def _archive(content: bytes, name: str) -> Response:
    return send_file(io.BytesIO(content), mimetype="application/zip", as_attachment=True, download_name=name)
