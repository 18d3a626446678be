"""The site. `create_app` is the composition root: everything is wired here and nowhere else."""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate

from app import (
    accounts,
    assignments,
    audit,
    authoring,
    catalog,
    cli,
    cohorts,
    comments,
    db,
    errors,
    impersonation,
    live,
    notices,
    people,
    progress,
    regrades,
    reports,
    security,
    similarity,
    submissions,
)
from config import ROOT, Config

migrate = Migrate()


def create_app(config: Config | None = None) -> Flask:
    """Return the site wired for `config` (by default what the environment asks for)."""
    config = config or Config.from_environ()
    config.refuse_unsafe_production()
    config.var_dir.mkdir(parents=True, exist_ok=True)
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "app" / "static"))
    app.extensions["greenroom.config"] = config
    app.config.update(
        SECRET_KEY=config.secret_key,
        TESTING=config.testing,
        DEBUG=config.debug,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
    )
    db.init_app(app)
    migrate.init_app(app, db.db, directory=str(ROOT / "migrations"), render_as_batch=True)
    nouns = (
        live,
        accounts,
        audit,
        notices,
        people,
        cohorts,
        impersonation,
        catalog,
        progress,
        submissions,
        comments,
        similarity,
        authoring,
        regrades,
        reports,
        assignments,
    )
    parts = (security, errors, cli, *nouns)
    for part in parts:
        part.init_app(app)
    return app
