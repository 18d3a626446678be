"""A live site: `make run`'s own server and sandbox as another process, on a database of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from app import create_app
from app.accounts import services as accounts
from app.accounts.models import Role, User
from app.assignments import services as assignments
from app.assignments.rules import Schedule
from app.assignments.services import Wanted
from app.authoring.proof import ProofCard, prove_folder
from app.authoring.services import keep_proof
from app.catalog.services import find
from app.cohorts import services as cohorts
from app.db import db, now
from app.submissions import services as submissions
from app.submissions.models import Purpose, Stage, Submission
from config import ROOT, Config
from sandbox.sandbox import Sandbox
from tests.factories import PASSWORD

STARTS_WITHIN = 240.0  # seconds: images may have to be checked and a database made on a busy machine
JUDGED_WITHIN = 240.0
STOPS_WITHIN = 30.0

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account; `session` is the value of a session cookie."""

    id: int
    name: str
    email: str
    password: str
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The running site. `app` is the same site in this process: it shares the database and serves nobody."""

    url: str
    log: Path
    app: Flask

    def person(self, name: str, role: Role = Role.LEARNER, **settings: str) -> Person:
        """Create an account that no other test has; `settings` are columns of it."""
        email = f"{name.split()[0].lower()}-{next(_numbers)}@example.com"
        with self.app.app_context():
            assert accounts.register(accounts.Registration(email=email, name=name, password=PASSWORD, role=role))
            row = db.session.scalars(select(User).where(User.email == email)).one()
            for column, value in settings.items():
                setattr(row, column, value)
            db.session.commit()
            session = {"_user_id": row.get_id(), "_fresh": True, "_permanent": True}
            signed = self.app.session_interface.get_signing_serializer(self.app).dumps(session)
            return Person(id=row.id, name=name, email=email, password=PASSWORD, session=signed)

    def in_class(self, instructor: Person, *learners: Person, name: str = "A class") -> int:
        """Put `learners` into a new class of `instructor`, who may then read what they did; return its id."""
        with self.app.app_context():
            cohort = cohorts.create(db.session.get_one(User, instructor.id), name)
            for learner in learners:
                cohorts.join(db.session.get_one(User, learner.id), cohort.join_code)
            return cohort.id

    def assigned(self, instructor: Person, cohort_id: int, *paths: str, title: str = "Week 1") -> int:
        """Set the exercises at `paths` for the class, 10 points each, due in a week; return the assignment's id."""
        schedule = Schedule(
            opens_at=now(), due_at=now() + timedelta(days=7), closes_at=now() + timedelta(days=9), late_percent=50
        )
        with self.app.app_context():
            wanted = Wanted(
                title=title,
                schedule=schedule,
                hints_closed=True,
                solutions_closed=True,
                exercises=tuple((find(*path.split("/")).id, 10) for path in paths),
            )
            return assignments.create(db.session.get_one(User, instructor.id), cohort_id, wanted).id

    def judged(self, person: Person, path: str, files: Mapping[str, str], purpose: Purpose = Purpose.SUBMIT) -> int:
        """Submit `files` for the exercise at `path` (track/slug) and return the id once it is judged."""
        with self.app.app_context():
            exercise = find(*path.split("/"))
            language = exercise.languages[0]
            sent = submissions.submit(person.id, exercise, language=language, files=files, purpose=purpose).id
        deadline = time.monotonic() + JUDGED_WITHIN
        while time.monotonic() < deadline:
            with self.app.app_context():
                stage = db.session.scalar(select(Submission.stage).where(Submission.id == sent))
            if stage == Stage.JUDGED:
                return sent
            time.sleep(0.1)
        raise AssertionError(f"submission {sent} was not judged within {JUDGED_WITHIN} s")

    def proven(self, path: str, box: Sandbox) -> ProofCard:
        """Prove the exercise at `path` in `box`, keep the card with it, and return it."""
        card = prove_folder(ROOT / "exercises" / path, box, at=now())
        with self.app.app_context():
            assert keep_proof(card) == 1
        return card


@contextmanager
def live_site(folder: Path) -> Iterator[Site]:
    """Serve a site that keeps everything in `folder`, with the shipped exercises, until the block is left."""
    address = f"127.0.0.1:{_free_port()}"
    log = folder / "site.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    environment.pop("DATABASE_URL", None)
    environment |= {"GREENROOM_VAR": str(folder), "GREENROOM_BIND": address}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "deploy.prepare", "serve"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    app = None
    try:
        _wait_for(server, f"http://{address}/", log)
        app = create_app(Config(var_dir=folder))
        yield Site(url=f"http://{address}", log=log, app=app)
    finally:
        if app is not None:
            with app.app_context():
                db.engine.dispose()
        _stop(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the site did not start:\n{log.read_text(errors='replace')[-4000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
