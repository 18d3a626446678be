"""An honest judge of the exercise in `tests/exercise_folders.py`, and a working copy that holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Flask

from app.accounts.models import User
from app.authoring import prover
from app.authoring.models import ProofRun, WorkingCopy
from app.authoring.worker import work_once
from app.db import db, now
from sandbox.fake_box import FakeBox
from sandbox.job import MIB, Job
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.exercise_folders import FILES

# Which checks each program of the exercise fails when the judge works.
FAILS: Mapping[str, set[str]] = {
    "solutions/python/app.py": set(),
    "starter/python/app.py": {"twice", "big", "none"},
    "wrong/adds-two/app.py": {"big", "none"},
    "wrong/takes-none/app.py": {"none"},
}
RUNS = 3 + 1 + 5 + 2  # references, starter, cheats, wrong solutions
TOLD = RUNS - 3  # all but the references fail something


def judge(job: Job, fails: Mapping[str, set[str]] = FAILS) -> Outcome:
    """What an honest judge says of a program of the exercise; any other program fails everything."""
    name = next((name for name in fails if FILES[name] == job.files["app.py"]), "")
    failed = fails.get(name, {check.id for check in job.checks})
    return Outcome(
        ended=Ended.COMPLETED,
        checks=tuple(CheckOutcome(id=check.id, passed=check.id not in failed) for check in job.checks),
        wall_time=timedelta(seconds=1),
        max_memory_bytes=20 * MIB,
    )


def outspoken(job: Job) -> Outcome:
    """The same judge, whose hidden tests say what they expected once that may be reported."""
    outcome = judge(job)
    outspoken_ids = {check.id for check in job.checks if check.visible} - {"twice"}
    checks = tuple(
        CheckOutcome(id=check.id, passed=check.passed, message=f"{check.id} saw 15308642", expected="15308642")
        if check.id in outspoken_ids and not check.passed
        else check
        for check in outcome.checks
    )
    return Outcome(ended=outcome.ended, checks=checks, wall_time=outcome.wall_time)


def make_copy(owner_id: int, files: Mapping[str, str] = FILES, **more: object) -> WorkingCopy:
    """A working copy. Commits."""
    columns = {"track": "calls", "slug": "double-it", **more}
    copy = WorkingCopy(owner_id=owner_id, files=dict(files), **columns)
    db.session.add(copy)
    db.session.commit()
    return copy


def begin(app: Flask, owner_id: int, files: Mapping[str, str] = FILES) -> tuple[int, int]:
    """Begin the proof of a new copy; return the ids of copy and proof."""
    with app.app_context():
        copy = make_copy(owner_id, files)
        return copy.id, prover.prove(owner_id, copy, now()).id


def work_off(app: Flask, script: Callable[[Job], Outcome] = judge) -> FakeBox:
    """Do all that waits, and return the box in which it was done."""
    box = FakeBox(script=script)
    for _ in range(200):
        if not work_once(app, box, "w"):
            return box
    raise AssertionError("the proof never ends")


def proven(app: Flask, owner: User | int, files: Mapping[str, str] = FILES, **more: object) -> int:
    """Return the id of a working copy whose proof holds."""
    owner_id = owner if isinstance(owner, int) else owner.id
    with app.app_context():
        copy = make_copy(owner_id, files, **more)
        copy_id = copy.id
        prover.prove(owner_id, copy, now())
    work_off(app)
    return copy_id


def card_of(app: Flask, run_id: int) -> dict[str, Any]:
    """Return the card of a proof that is over."""
    with app.app_context():
        card = db.session.get_one(ProofRun, run_id).card
        assert card is not None
        return card
