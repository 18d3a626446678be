"""Runs migrations on the site's own database, inside the application context that `flask db` opens."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

import app.accounts.models
import app.assignments.models
import app.audit.models
import app.authoring.models
import app.catalog.models
import app.cohorts.models
import app.comments.models
import app.live.models
import app.notices.models
import app.progress.models
import app.regrades.models
import app.similarity.models
import app.submissions.models  # noqa: F401 - every table must be known to the metadata
from app.db import UtcDateTime, db


def render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Write our datetime type as the plain one it stores, so that migrations do not import the site."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def leave_out_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Make no file where nothing changed."""
    options = context.config.cmd_opts
    if options is not None and getattr(options, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def migrate(connection: sa.Connection) -> None:
    """Bring the database behind `connection` to the wanted revision."""
    settings = {
        **current_app.extensions["migrate"].configure_args,
        "render_item": render_item,
        "process_revision_directives": leave_out_empty,
        "compare_type": True,
    }
    context.configure(connection=connection, target_metadata=db.metadata, **settings)
    with context.begin_transaction():
        context.run_migrations()


with db.engine.connect() as connection:
    sqlite = connection.connection.driver_connection if connection.dialect.name == "sqlite" else None
    if sqlite is not None:
        # SQLite changes a table by making another and dropping this one, to which others may refer. Before BEGIN.
        sqlite.execute("PRAGMA foreign_keys=OFF")
    try:
        migrate(connection)
        if sqlite is not None and (broken := sqlite.execute("PRAGMA foreign_key_check").fetchall()):
            raise RuntimeError(f"rows refer to what is not there: {broken[:10]}")
    finally:
        if sqlite is not None:
            sqlite.execute("PRAGMA foreign_keys=ON")
