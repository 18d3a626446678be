"""One learner's progress on one page, for themselves and for instructors; and the same as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from sqlalchemy import select

from app.accounts.clock import my_zone
from app.accounts.models import User
from app.cohorts.access import readable_by
from app.db import db, now
from app.errors import NotFound
from app.impersonation.services import may_act_as
from app.progress import services as progress
from app.progress.evidence import Evidence, Wanted, behind
from app.progress.figures import Figure, Result, Standing, by_skill, by_track, overall
from app.progress.views import wanted_from
from app.reports.blueprint import blueprint
from app.reports.table import Cell, to_csv
from app.security import login_required, me

COLUMNS = (
    "learner_id",
    "learner_name",
    "exercise_id",
    "track",
    "exercise",
    "title",
    "difficulty",
    "skills",
    "status",
    "attempts",
    "attempts_needed",
    "unaided",
    "first_attempt_at",
    "solved_at",
    "solving_submission_id",
    "last_attempt_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerReport:
    """What the page shows."""

    learner_id: int
    name: str
    overall: Figure
    tracks: list[Figure]
    skills: list[Figure]
    solved: list[Evidence]  # the attempt that solved each, newest first
    unsolved: list[Standing]  # tried, not solved
    made_at: datetime


@blueprint.get("/reports/learner/<int(max=2147483647):learner_id>")
@login_required
def learner_report(learner_id: int) -> str:
    """Show the report of a learner, made to be printed."""
    learner = readable_learner(learner_id, reader=me())
    report = report_of(learner, zone=my_zone(), at=now())
    return render_template("reports/learner.html", report=report, may_act=may_act_as(me(), learner))


@blueprint.get("/reports/learner/<int(max=2147483647):learner_id>.csv")
@login_required
def learner_csv(learner_id: int) -> Response:
    """Return the report as a CSV file: one row per exercise."""
    learner = readable_learner(learner_id, reader=me())
    text = to_csv(COLUMNS, [_row(learner, standing) for standing in progress.standings_of(learner.id)])
    response = Response(text, content_type="text/csv; charset=utf-8; header=present")
    response.headers["Content-Disposition"] = f'attachment; filename="greenroom-learner-{learner.id}.csv"'
    return response


@blueprint.get("/reports/learner/<int(max=2147483647):learner_id>/attempts")
@login_required
def learner_attempts(learner_id: int) -> str:
    """Show the attempts behind one figure of the report."""
    learner = readable_learner(learner_id, reader=me())
    wanted = wanted_from(request.args)
    rows = progress.attempts_behind(learner.id, wanted, zone=my_zone())
    return render_template("reports/attempts.html", learner_id=learner.id, name=learner.name, wanted=wanted, rows=rows)


def readable_learner(learner_id: int, *, reader: User) -> User:
    """Return the person if `reader` may read about them: see `cohorts.access`. Raises NotFound."""
    learner: User | None = db.session.scalar(select(User).where(User.id == learner_id, readable_by(reader, User.id)))
    if learner is None:
        raise NotFound("There is no such report.")
    return learner


def report_of(learner: User, *, zone: ZoneInfo, at: datetime) -> LearnerReport:
    """Return the report of `learner` at time `at`. Two queries."""
    standings = progress.standings_of(learner.id)
    return LearnerReport(
        learner_id=learner.id,
        name=learner.name,
        overall=overall(standings),
        tracks=by_track(standings),
        skills=by_skill(standings),
        solved=behind(standings, Wanted(result=Result.SOLVED), zone),
        unsolved=[standing for standing in standings if standing.attempts and not standing.solving],
        made_at=at,
    )


def _row(learner: User, standing: Standing) -> list[Cell]:
    exercise, solving = standing.exercise, standing.solving
    return [
        learner.id,
        learner.name,
        exercise.id,
        exercise.track,
        exercise.slug,
        exercise.title,
        exercise.difficulty,
        " ".join(exercise.skills),
        standing.status.value,
        len(standing.attempts),
        standing.needed if solving else None,
        solving.unaided if solving else None,
        standing.attempts[0].at if standing.attempts else None,
        solving.at if solving else None,
        solving.submission_id if solving else None,
        standing.last.at if standing.last else None,
    ]
