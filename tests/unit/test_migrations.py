"""The migrations make what the models say, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.util import CommandError
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import Connection, MetaData, inspect

from app import create_app
from app.db import db
from config import TestConfig
from tests.postgresql import create_database, drop_database


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
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(table)],
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
