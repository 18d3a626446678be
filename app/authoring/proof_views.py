"""Proving and publishing what an instructor wrote, and wrong solutions out of real submissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.authoring import adoption, copies, proofs, prover, publishing
from app.authoring.models import ProofStage, WorkingCopy
from app.authoring.publishing import Overtaken
from app.authoring.revisions import changes, number_in
from app.db import now
from app.errors import Invalid
from app.live.services import after
from app.live.stream import last_seen, stream
from app.security import instructor_required, limiter, me, per_account

blueprint = Blueprint("proofs", __name__)

COPY = "/instructor/copies/<int(max=2147483647):copy_id>"
SUBMISSION = "/instructor/submissions/<int(max=2147483647):submission_id>/wrong"
PROOF = f"{COPY}/proofs/<int(max=2147483647):proof_id>"


@blueprint.post(f"{COPY}/proofs")
@instructor_required
@limiter.limit("20/minute", key_func=per_account)
def create(copy_id: int) -> ResponseReturnValue:
    """Have the files of the working copy proven."""
    run = prover.prove(me().id, copies.find_own(me(), copy_id), now())
    return redirect(url_for(".show", copy_id=copy_id, proof_id=run.id), 303)


@blueprint.get(PROOF)
@instructor_required
def show(copy_id: int, proof_id: int) -> str:
    """Show one proof: how far it is, then its card and what its runs say."""
    return _page(copies.find_own(me(), copy_id), proof_id)


@blueprint.get(f"{PROOF}/fragment")
@instructor_required
def fragment(copy_id: int, proof_id: int) -> str:
    """Return what of the page changes while the proof is under way."""
    copy = copies.find_own(me(), copy_id)
    page = proofs.page_of(copy, proof_id)
    return render_template("authoring/_proof_run.html", page=page, publish=_typed(copy), errors={})


@blueprint.get(f"{PROOF}/events")
@instructor_required
def events(copy_id: int, proof_id: int) -> ResponseReturnValue:
    """Stream what happens to the proof; 204 ends the listening for good."""
    run, last_id = proofs.find_run(copies.find_own(me(), copy_id), proof_id), last_seen()
    if run.stage == ProofStage.DONE and not after(run.topic, last_id):
        return Response(status=204)
    return stream(run.topic, person_id=me().id, last_id=last_id, until={"proof.finished"})


@blueprint.post(f"{COPY}/publish")
@instructor_required
def publish(copy_id: int) -> ResponseReturnValue:
    """Publish what is proven: a new exercise, or the next revision of one."""
    copy, typed = copies.find_own(me(), copy_id), _typed(None)
    over = number_in(request.form.get("over", "0")) or 0
    try:
        exercise = publishing.publish(me(), copy, now(), **typed, over=over)
    except Invalid as error:
        newest = proofs.newest_finished(copy)
        return _page(copy, newest.id, typed={**_typed(copy), **typed}, errors={error.field: error.message}), 422
    except Overtaken as error:
        shown = publishing.overtaking(copy, error)
        theirs, yours = changes(*shown.theirs), changes(*shown.yours)
        return render_template("authoring/overtaken.html", shown=shown, theirs=theirs, yours=yours, publish=typed), 409
    flash(f"{exercise.title} is published.", "success")
    return redirect(url_for("authoring.show", track=exercise.track, slug=exercise.slug), 303)


@blueprint.post("/instructor/exercises/<track>/<slug>/shown")
@instructor_required
def show_in_catalogue(track: str, slug: str) -> ResponseReturnValue:
    """Take an exercise off the catalogue, or put it back."""
    shown = request.form.get("shown") == "yes"
    publishing.show_in_catalogue(me(), track, slug, shown=shown)
    flash("Learners see it in the catalogue again." if shown else "It is off the catalogue. What was submitted stays.")
    return redirect(url_for("authoring.show", track=track, slug=slug), 303)


@blueprint.get(SUBMISSION)
@instructor_required
def offer(submission_id: int) -> str:
    """Ask how a learner's submission is to be named as a wrong solution."""
    offered = adoption.offer(me(), submission_id)
    return render_template("authoring/adopt.html", offer=offered, typed=offered.entry, errors={})


@blueprint.post(SUBMISSION)
@instructor_required
def adopt(submission_id: int) -> ResponseReturnValue:
    """Make a learner's submission a wrong solution in one's copy of the exercise."""
    offered = adoption.offer(me(), submission_id)
    name, reason = request.form.get("name", "").strip(), request.form.get("reason", "").strip()
    must_fail = [check_id for check_id in request.form.getlist("must_fail") if len(check_id) <= 60]
    try:
        copy = adoption.adopt(me(), submission_id, name=name, reason=reason, must_fail=must_fail)
    except Invalid as error:
        typed = replace(offered.entry, dir=name, reason=reason, must_fail=must_fail)
        errors = {error.field: error.message}
        return render_template("authoring/adopt.html", offer=offered, typed=typed, errors=errors), 422
    flash(f"wrong/{name} is in your working copy. Prove it to see whether the tests notice.")
    return redirect(url_for("copies.edit", copy_id=copy.id, file="exercise.yaml"), 303)


def _page(
    copy: WorkingCopy, proof_id: int, *, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> str:
    return render_template(
        "authoring/proof.html",
        page=proofs.page_of(copy, proof_id),
        others=[run for run in proofs.runs_of(copy) if run.id != proof_id],
        publish=typed or _typed(copy),
        errors=errors or {},
    )


def _typed(copy: WorkingCopy | None) -> dict[str, str]:
    """Return the fields of the form that publishes: as sent, or as they are offered for `copy`."""
    if copy is not None:
        return {"note": "", "track": copy.track, "slug": copy.slug}
    return {name: request.form.get(name, "").strip() for name in ("note", "track", "slug")}
