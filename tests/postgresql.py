"""A PostgreSQL 17 server for the tests: the image that also serves the SQL exercises, as one container per session."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import psycopg

from sandbox.images import image_name

LABEL = "greenroom.tests"
START = """
cp -R /opt/pgtemplate /work/pg && chmod 0700 /work/pg &&
echo 'host all all all trust' >> /work/pg/pg_hba.conf &&
exec /usr/lib/postgresql/17/bin/postgres -D /work/pg -c listen_addresses='*'
"""


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server in memory on a free port of this machine's loopback; give its URL without a database name."""
    container = docker.from_env().containers.run(
        image_name("postgres"),
        ["sh", "-c", START],
        detach=True,
        auto_remove=True,
        labels={LABEL: "postgresql"},
        ports={"5432/tcp": ("127.0.0.1", None)},
        tmpfs={"/work": "mode=1777,size=512m", "/run/greenroom": "mode=1777"},
        mem_limit="512m",
    )
    try:
        container.reload()
        port = container.ports["5432/tcp"][0]["HostPort"]
        url = f"postgresql://postgres@127.0.0.1:{port}"
        _wait_for(url)
        yield url
    finally:
        container.kill()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def create_database(url: str, name: str, *, template: str = "template1") -> str:
    """Create database `name` as a copy of `template` and return its URL. The image has no template0."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{url}/{name}"


def drop_database(url: str, name: str) -> None:
    """Drop database `name`, whoever is connected."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
