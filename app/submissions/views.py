"""The solve screen, and the page of each submission."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from prometheus_client import CONTENT_TYPE_LATEST

from app.catalog.services import find
from app.db import only_reads
from app.errors import Invalid, NotFound, prefers_json
from app.live.services import after
from app.live.stream import last_seen, stream
from app.security import limiter, login_required, me, per_account, public
from app.submissions import drafts, heartbeat, line, lookup, screen, services
from app.submissions.margin import margin_of
from app.submissions.metrics import exposition
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.results import file_diffs, highlighted, highlighted_lines
from config import Config

blueprint = Blueprint("submissions", __name__)

EXERCISE = "/exercises/<track>/<slug>"
SUBMISSION = "/submissions/<int(max=2147483647):submission_id>"
BIGGEST = 2**31 - 1  # ids and versions are 32-bit integers


@blueprint.get(EXERCISE)
@public
def solve(track: str, slug: str) -> str:
    """Show an exercise: to read for visitors, to solve for people with an account."""
    language = request.args.get("language")
    if not current_user.is_authenticated:
        shown = screen.visitor_screen(track, slug, language)
    else:
        shown = screen.learner_screen(me().id, track, slug, language)
    return render_template("submissions/solve.html", screen=shown, highlighted=highlighted)


@blueprint.put(f"{EXERCISE}/draft")
@login_required
@limiter.limit("120/minute", key_func=per_account)
def save_draft(track: str, slug: str) -> ResponseReturnValue:
    """Save the draft over the version that the page saw; 409 with what stands now if there is another."""
    language, version, files = _draft_in(request.get_json())
    try:
        saved = drafts.save_draft(me().id, find(track, slug, me().id), language=language, version=version, files=files)
    except drafts.StaleDraft as error:
        return jsonify(error=str(error), **_draft_out(error.current)), 409
    answer = _draft_out(saved)
    del answer["files"]
    return jsonify(answer)


@blueprint.post(f"{EXERCISE}/reset")
@login_required
def reset(track: str, slug: str) -> ResponseReturnValue:
    """Put the starter back, or undo that."""
    exercise, language = find(track, slug, me().id), request.form.get("language", "")
    change = drafts.undo_reset if request.form.get("undo") else drafts.reset_draft
    change(me().id, exercise, language)
    return redirect(url_for(".solve", track=track, slug=slug, language=language), 303)


@blueprint.post(f"{EXERCISE}/hints")
@login_required
def open_hint(track: str, slug: str) -> ResponseReturnValue:
    """Open the next hint."""
    screen.next_hint(me().id, track, slug, request.form.get("position", 0, type=int))
    return redirect(_back_to(track, slug, "hints"), 303)


@blueprint.post(f"{EXERCISE}/solution")
@login_required
def open_solution(track: str, slug: str) -> ResponseReturnValue:
    """Give up and see the solution."""
    screen.give_up(me().id, track, slug, sure=request.form.get("sure") == "yes")
    return redirect(_back_to(track, slug, "solutions"), 303)


@blueprint.post(f"{EXERCISE}/submissions")
@login_required
@limiter.limit("30/minute;600/hour", key_func=per_account)
def create(track: str, slug: str) -> ResponseReturnValue:
    """Send the files to be judged; keeps them as the draft too."""
    learner_id = me().id
    exercise = find(track, slug, learner_id)
    language, files = request.form.get("language", ""), _files_in(request.form)
    version = request.form.get("draft_version", 0, type=int)
    submission = services.submit(
        learner_id, exercise, language=language, files=files, purpose=_purpose_in(request.form)
    )
    submission_id = submission.id
    kept = drafts.keep_draft(learner_id, exercise, language=language, version=_version(version), files=files)
    only_reads()
    judged = services.await_verdict(submission_id, _patience())
    url = url_for(".show", submission_id=submission_id)
    if not prefers_json():
        return redirect(url, 303)
    links = {"events_url": url_for(".events", submission_id=submission_id)}
    links["fragment_url"] = url_for(".fragment", submission_id=submission_id)
    shown = fragment(submission_id) if judged else None
    return jsonify(id=submission_id, url=url, draft_version=kept, fragment=shown, **links), 201


@blueprint.get(SUBMISSION)
@login_required
def show(submission_id: int) -> str:
    """Show one submission: its results, its code, and how it differs from another one."""
    submission = _readable(submission_id)
    return page_of(submission, margin_of(submission))


@blueprint.get(f"{SUBMISSION}/fragment")
@login_required
def fragment(submission_id: int) -> str:
    """Return the results alone, to be put into an open page."""
    return render_template("submissions/_result.html", result=screen.result_of(_readable(submission_id)))


@blueprint.get(f"{SUBMISSION}/events")
@login_required
def events(submission_id: int) -> ResponseReturnValue:
    """Stream what happens to the learner's own submission; 204 ends the listening for good."""
    submission, last_id = lookup.find_own(me().id, submission_id), last_seen()
    if submission.stage == Stage.JUDGED and not after(submission.topic, last_id):
        return Response(status=204)
    return stream(submission.topic, person_id=me().id, last_id=last_id, until={"submission.judged"})


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Show queue and pools to whoever sends the configured token; there is no such page for others."""
    token = cast(Config, current_app.extensions["greenroom.config"]).metrics_token
    sent = request.authorization.token if request.authorization is not None else None
    if not token or not sent or not secrets.compare_digest(sent.encode(), token.encode()):
        raise NotFound("There is no such page.")
    return Response(exposition(line.queue_length(), heartbeat.workers()), content_type=CONTENT_TYPE_LATEST)


@blueprint.post(f"{SUBMISSION}/restore")
@login_required
def restore(submission_id: int) -> ResponseReturnValue:
    """Put the files of the learner's own submission back into the editor."""
    submission = lookup.find_own(me().id, submission_id)
    drafts.restore_draft(me().id, submission)
    flash("The files of that submission are in the editor again.")
    exercise = submission.exercise
    where = url_for(".solve", track=exercise.track, slug=exercise.slug, language=submission.language)
    return redirect(where, 303)


def page_of(submission: Submission, margin: object | None) -> str:
    """Return the page of a submission that whoever asks may read, with `margin` beside its code."""
    other = _other(submission, request.args.get("against", 0, type=int))
    return render_template(
        "submissions/show.html",
        result=screen.result_of(submission),
        is_own=submission.learner_id == me().id,
        others=[each for each in lookup.history(submission.learner_id, submission.exercise_id) if each != submission],
        other=other,
        diffs=file_diffs(submission.files, other.files) if other else [],
        highlighted_lines=highlighted_lines,
        margin=margin,
    )


def _patience() -> float:
    """Return the seconds that the answer to a submission waits for the verdict; what takes longer is streamed."""
    return cast(Config, current_app.extensions["greenroom.config"]).verdict_ms / 1000


def _readable(submission_id: int) -> Submission:
    return lookup.find_readable(submission_id, reader=me())


def _other(submission: Submission, other_id: int) -> Submission | None:
    """Return the submission to compare with: one by the same learner for the same exercise. None for id 0."""
    if not other_id:
        return None
    other = _readable(other_id) if 0 < other_id <= BIGGEST else submission
    if other == submission or (other.learner_id, other.exercise_id) != (submission.learner_id, submission.exercise_id):
        raise NotFound("There is no such submission to compare with.")
    return other


def _back_to(track: str, slug: str, panel: str) -> str:
    language = request.form.get("language") or None
    return url_for(".solve", track=track, slug=slug, language=language, _anchor=f"panel-{panel}")


def _purpose_in(form: Mapping[str, str]) -> Purpose:
    try:
        return Purpose(form.get("purpose", Purpose.RUN))
    except ValueError:
        raise Invalid("purpose must be run or submit.", "purpose") from None


def _files_in(form: Mapping[str, str]) -> dict[str, str]:
    """Return path → text of the fields named `files[path]`."""
    return {name[6:-1]: text for name, text in form.items() if name.startswith("files[") and name.endswith("]")}


def _version(raw: object) -> int:
    return raw if type(raw) is int and 0 <= raw <= BIGGEST else 0


def _draft_in(body: Any) -> tuple[str, int, dict[str, str]]:
    """Return language, version and files of a draft in JSON. Raises Invalid for any other shape."""
    if not isinstance(body, dict) or not isinstance(files := body.get("files"), dict):
        raise Invalid("A draft holds language, version and files.")
    language, version = body.get("language"), body.get("version")
    if not isinstance(language, str) or type(version) is not int or _version(version) != version:
        raise Invalid("A draft holds language, version and files.")
    if not all(isinstance(text, str) for text in files.values()):
        raise Invalid("Each file of a draft is text.", "files")
    return language, version, files


def _draft_out(draft: drafts.SavedDraft) -> dict[str, Any]:
    saved_at = draft.saved_at.isoformat() if draft.saved_at else None
    return {"version": draft.version, "files": dict(draft.files), "saved_at": saved_at}
