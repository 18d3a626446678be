"""The migrations make what the models say, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.util import CommandError
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import IntegrityError

from app import create_app
from app.db import db
from config import TestConfig
from tests.postgresql import create_database, drop_database

# What a site of the second version may hold.
ROWS = (
    "INSERT INTO user_account (id, email, name, password_hash, role, time_zone, theme, session_epoch, created_at)"
    " VALUES (1, 'lena@example.com', 'Lena', 'x', 'learner', 'UTC', 'auto', 0, '2026-01-01 12:00:00')",
    "INSERT INTO exercise (id, uuid, track, slug, title, kind, difficulty, minutes, skills, languages, summary,"
    " published) VALUES (1, 'u', 'sql', 'joins', 'Joins', 'sql', 2, 20, '[]', '[]', '', TRUE)",
    "INSERT INTO revision (id, exercise_id, number, digest, files, created_at)"
    " VALUES (1, 1, 1, 'd', '{}', '2026-01-01 12:00:00')",
    "UPDATE exercise SET current_revision_id = 1",
    "INSERT INTO submission (id, learner_id, exercise_id, revision_id, language, files, purpose, seed, stage, verdict,"
    " claims, detail, output, reason, wall_ms, cpu_ms, max_memory_bytes, created_at)"
    " VALUES (1, 1, 1, 1, 'sql', '{}', 'submit', 1, 'judged', 'accepted', 1, '', '', '', 1, 1, 1,"
    " '2026-01-01 12:00:00')",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The site on a database without any table."""
    if request.param == "sqlite":
        yield create_app(TestConfig(var_dir=tmp_path))
        return
    server = request.getfixturevalue("postgresql_url")
    url = create_database(server, "migrations")
    app = create_app(
        TestConfig(var_dir=tmp_path, database_url=url.replace("postgresql://", "postgresql+psycopg://", 1))
    )
    yield app
    with app.app_context():
        db.engine.dispose()
    drop_database(server, "migrations")


def described(connection: Connection) -> dict[str, Any]:
    """Return what the database says of its tables, in an order of ours."""
    seen = inspect(connection)

    def named(rows: list[Any]) -> list[tuple[str, str]]:
        return sorted((str(row["name"]), str({**row, "comment": None})) for row in rows)

    return {
        table: {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], str(c["default"])) for c in seen.get_columns(table)
            ),
            "checks": named(seen.get_check_constraints(table)),
            "unique": named(seen.get_unique_constraints(table)),
            "foreign keys": named(seen.get_foreign_keys(table)),
            "indexes": named(seen.get_indexes(table)),
            "primary key": str(seen.get_pk_constraint(table)),
        }
        for table in sorted(seen.get_table_names())
        if table != "alembic_version"
    }


def modelled() -> MetaData:
    """Return a copy of the models' tables: creating them on PostgreSQL marks the original for good."""
    copy = MetaData(naming_convention=db.metadata.naming_convention)
    for table in db.metadata.tables.values():
        table.to_metadata(copy)
    return copy


def test_upgrading_an_empty_database_leaves_nothing_to_migrate(fresh: Flask) -> None:
    with fresh.app_context():
        upgrade()
        check()  # raises CommandError where models and tables differ


def test_a_database_that_was_not_upgraded_is_noticed(fresh: Flask) -> None:
    with fresh.app_context(), pytest.raises((CommandError, SystemExit)):
        check()


def test_upgrading_keeps_the_rows_that_are_there(fresh: Flask) -> None:
    with fresh.app_context():
        upgrade(revision="0002")
        with db.engine.begin() as connection:
            for statement in ROWS:
                connection.execute(text(statement))
        upgrade()
        exercise = db.session.execute(text("SELECT slug, trial, current_revision_id FROM exercise")).one()
        assert (exercise.slug, bool(exercise.trial), exercise.current_revision_id) == ("joins", False, 1)
        assert db.session.execute(text("SELECT note FROM revision")).scalar_one() == ""
        kept = db.session.execute(text("SELECT verdict, purpose, original_id, regrade_reason FROM submission")).one()
        assert tuple(kept) == ("accepted", "submit", None, "")
        with pytest.raises(IntegrityError):  # references are checked again
            db.session.execute(text("DELETE FROM revision"))
            db.session.commit()
        db.session.rollback()
        db.session.remove()


def test_the_migrations_make_the_tables_that_the_models_make(fresh: Flask) -> None:
    with fresh.app_context():
        upgrade()
        with db.engine.connect() as connection:
            migrated = described(connection)
        downgrade(revision="base")
        with db.engine.connect() as connection:
            assert described(connection) == {}
        modelled().create_all(db.engine)
        with db.engine.connect() as connection:
            assert described(connection) == migrated
