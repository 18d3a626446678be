"""`flask cohorts …`."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from app.accounts.cli import DEMO
from app.accounts.models import Role
from app.accounts.services import find_by_email
from app.cohorts import services
from app.cohorts.models import CohortInstructor
from app.db import db
from config import Config

DEMO_CLASS = "Demo class"


@click.group()
def cohorts() -> None:
    """Classes."""


@cohorts.command()
@with_appcontext
def demo() -> None:
    """Put the demo learner into a class of the demo instructor, unless that one has a class already."""
    config: Config = current_app.extensions["greenroom.config"]
    if config.production:
        raise click.ClickException("Demo classes are not made in production mode.")
    by_role = {role: find_by_email(email) for email, _, role in DEMO}
    instructor, learner = by_role[Role.INSTRUCTOR], by_role[Role.LEARNER]
    owned = select(CohortInstructor.cohort_id).where(CohortInstructor.instructor_id == instructor.id)
    if db.session.scalar(owned.limit(1)) is not None:
        return
    cohort = services.create(instructor, DEMO_CLASS)
    services.join(learner, cohort.join_code)
    click.echo(f"class       {DEMO_CLASS}: {learner.name} learns, {instructor.name} instructs")
