"""Fixtures for everything that needs the site. Lena learns, Ivan instructs, Olaf is an outsider, Ada is the admin.

Lena is in a class of Ivan's. Inge is another instructor, who has no class.

    def test_an_outsider_cannot_read_a_submission(olaf, app): ...

`app` is the site on a database that is empty for each test: SQLite, and with `@pytest.mark.both_databases` PostgreSQL
too. Tests share the site itself, except those that are marked `own_site`.
`client` is a visitor; `lena`, `ivan`, `inge`, `olaf` and `ada` are clients that are signed in (`cast` has their ids).
No application context is open: a test that calls services opens one with `with app.app_context():`, and closes
it before it uses a client, since requests inside it would share its `g`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from itsdangerous import URLSafeTimedSerializer
from jinja2 import StrictUndefined
from sqlalchemy import select

from app import create_app
from app.accounts.models import Role
from app.cohorts.models import Cohort
from app.db import db
from app.security import limiter
from config import TestConfig
from tests.factories import make_cohort, make_person
from tests.postgresql import create_database, drop_database, postgresql

MakeApp = Callable[..., Flask]
CLASS = "Ivan's class"


class Client(FlaskClient):
    """A browser whose forms carry their CSRF token, as the pages' own do. `forges = True` leaves it out."""

    forges = False

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request."""
        if kwargs.get("method", "GET") not in {"GET", "HEAD"} and not self.forges:
            with self.session_transaction() as session:
                raw = session.setdefault("csrf_token", "0" * 40)
            token = URLSafeTimedSerializer(self.application.secret_key or "", salt="wtf-csrf-token").dumps(raw)
            kwargs["headers"] = {"X-CSRFToken": token, **dict(kwargs.get("headers") or {})}
        return super().open(*args, **kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays in the tests: ids of accounts."""

    lena: int
    ivan: int
    inge: int
    olaf: int
    ada: int


def pytest_configure(config: pytest.Config) -> None:
    """Name our marks."""
    config.addinivalue_line("markers", "both_databases: run on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "own_site: give `app` routes or the like that no other test shall see")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses the database on SQLite, and one marked `both_databases` on PostgreSQL too."""
    if "database" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_databases")
        metafunc.parametrize("database", ["sqlite", "postgresql"] if both else ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server of this test session."""
    with postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table and no row."""
    folder = tmp_path_factory.mktemp("sqlite")
    _create_tables(TestConfig(var_dir=folder))
    return folder / "greenroom.sqlite3"


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database with every table and no row."""
    url = create_database(postgresql_url, "greenroom_template")
    _create_tables(TestConfig(var_dir=tmp_path_factory.mktemp("postgresql"), database_url=_with_driver(url)))
    return "greenroom_template"


@pytest.fixture(scope="session")
def sites() -> dict[str, Flask]:
    """The site on each database, once it was made: its folder, routes and templates serve all tests of the session."""
    return {}


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database for the test alone, with every table."""
    if request.param == "sqlite":
        path = request.getfixturevalue("sqlite_template").parent / "test" / "greenroom.sqlite3"
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_url")
    template = request.getfixturevalue("postgresql_template")
    yield _with_driver(create_database(server, "test", template=template))
    drop_database(server, "test")


@pytest.fixture
def make_app(database: str, tmp_path: Path) -> Iterator[MakeApp]:
    """Make the site on the test's database with other settings: `make_app(rate_limits=True)`."""
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        made.append(_site(TestConfig(**{"var_dir": tmp_path, "database_url": database, **settings})))
        return made[-1]

    yield make
    for app in made:
        _close(app)


@pytest.fixture
def app(request: pytest.FixtureRequest, sites: dict[str, Flask], database: str) -> Iterator[Flask]:
    """The site, made once for all tests that use it with this database; what a test sets in it is undone."""
    if request.node.get_closest_marker("own_site"):
        yield request.getfixturevalue("make_app")()
        return
    site = sites.get(database)
    if site is None:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("var")
        site = sites[database] = _site(TestConfig(var_dir=folder, database_url=database))
    folder = site.extensions["greenroom.config"].var_dir
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config, extensions = dict(site.config), dict(site.extensions)
    limiter.enabled = config["RATELIMIT_ENABLED"]  # one for all sites: each that is made switches it
    yield site
    _close(site)
    for kept, now in ((config, site.config), (extensions, site.extensions)):
        now.clear()
        now.update(kept)


def _site(config: TestConfig) -> Flask:
    app = create_app(config)
    app.jinja_env.undefined = StrictUndefined
    app.test_client_class = Client
    return app


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def cast(app: Flask) -> Cast:
    """The accounts of Lena, Ivan, Inge, Olaf and Ada."""
    roles = {"ivan": Role.INSTRUCTOR, "inge": Role.INSTRUCTOR, "ada": Role.ADMIN}
    with app.app_context():
        people = {
            field.name: make_person(
                field.name.title(), email=f"{field.name}@example.com", role=roles.get(field.name, Role.LEARNER)
            )
            for field in fields(Cast)
        }
        make_cohort(people["lena"], instructor=people["ivan"], name=CLASS)
        return Cast(**{name: person.id for name, person in people.items()})


@pytest.fixture
def cohort_id(app: Flask, cast: Cast) -> int:
    """The class in which Lena learns and Ivan instructs."""
    with app.app_context():
        return db.session.scalars(select(Cohort.id).where(Cohort.name == CLASS)).one()


def signed_in(app: Flask, user_id: int) -> FlaskClient:
    """Return the browser of the person with this id, signed in."""
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = f"{user_id}.0"
        session["_fresh"] = True
    return browser


@pytest.fixture
def lena(app: Flask, cast: Cast) -> FlaskClient:
    """Lena's browser: a learner."""
    return signed_in(app, cast.lena)


@pytest.fixture
def ivan(app: Flask, cast: Cast) -> FlaskClient:
    """Ivan's browser: an instructor."""
    return signed_in(app, cast.ivan)


@pytest.fixture
def inge(app: Flask, cast: Cast) -> FlaskClient:
    """Inge's browser: an instructor of others."""
    return signed_in(app, cast.inge)


@pytest.fixture
def olaf(app: Flask, cast: Cast) -> FlaskClient:
    """Olaf's browser: another learner, who owns nothing."""
    return signed_in(app, cast.olaf)


@pytest.fixture
def ada(app: Flask, cast: Cast) -> FlaskClient:
    """Ada's browser: an admin."""
    return signed_in(app, cast.ada)


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _create_tables(config: TestConfig) -> None:
    app = create_app(config)
    with app.app_context():
        upgrade()  # the tables that people have, not those that the models would make
        db.session.remove()
        db.engine.dispose()
