"""An exercise whose test was wrong and then mended, submissions to it, and a box that judges as each file says.

What a submission fails stands in its `notes.py`: `# fails: big none` is what the box finds when it judges again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Flask

from app.accounts.models import User
from app.catalog.models import Exercise, Revision
from app.catalog.services import source_of
from app.db import db
from app.progress.services import record_attempt
from app.regrades import services
from app.regrades.services import Which, Wish
from app.submissions.models import CheckResult, Submission
from app.submissions.worker import work_once
from sandbox.fake_box import FakeBox
from sandbox.job import Job
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.conftest import Cast
from tests.factories import NOON, make_submission
from tests.unit.submissions.exercises import ANSWER, CHECKS, FILES, MANIFEST, double_it

REASON = "The check for big numbers was wrong."
URL = "/instructor/exercises/welcome/double-it/regrades"
MENDED = "Doubles big numbers, mended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubling:
    """Ids: the exercise, which Ivan owns, its first revision, the mended one, and one that asks for other files."""

    exercise: int
    first: int
    mended: int  # the current one
    other_files: int
    lena: int
    olaf: int
    ivan: int
    inge: int
    ada: int

    @property
    def owner(self) -> User:
        """Ivan. Needs an application context."""
        return db.session.get_one(User, self.ivan)


def make_doubling(cast: Cast) -> Doubling:
    """Publish the exercise with its three revisions."""
    exercise = double_it(owner_id=cast.ivan)
    assert exercise.current is not None
    first = exercise.current
    mended = _revision(exercise, 2, {**FILES, "exercise.yaml": MANIFEST.replace("Doubles big numbers", MENDED)})
    renamed = {path.replace("python/notes.py", "python/remarks.py"): text for path, text in FILES.items()}
    other = _revision(exercise, 3, renamed)
    exercise.current = mended
    db.session.commit()
    return Doubling(
        exercise=exercise.id,
        first=first.id,
        mended=mended.id,
        other_files=other.id,
        lena=cast.lena,
        olaf=cast.olaf,
        ivan=cast.ivan,
        inge=cast.inge,
        ada=cast.ada,
    )


def _revision(exercise: Exercise, number: int, files: dict[str, str]) -> Revision:
    revision = Revision(exercise=exercise, number=number, digest=f"{exercise.id:060x}{number:04x}", files=files)
    db.session.add(revision)
    db.session.flush()
    source_of(revision)  # it is well-formed
    return revision


def make_judged(
    its: Doubling, learner_id: int, failed: Iterable[str] = (), *, again: Iterable[str] = (), **more: object
) -> int:
    """A submission judged with the first revision that failed these checks, and `again` those; return its id."""
    exercise, learner = db.session.get_one(Exercise, its.exercise), db.session.get_one(User, learner_id)
    failed = set(failed)
    submission: Submission = make_submission(
        learner,
        exercise,
        verdict="wrong answer" if failed else "accepted",
        language="python",
        files={**ANSWER, "notes.py": f"# fails: {' '.join(again)}\n"},
        **{"revision_id": its.first, "created_at": NOON, "judged_at": NOON, **more},
    )
    submission.checks = [
        CheckResult(position=place, check_id=id, visible=place < 2, passed=id not in failed)
        for place, id in enumerate(CHECKS)
    ]
    record_attempt(
        submission_id=submission.id,
        learner_id=learner_id,
        exercise_id=its.exercise,
        solved=not failed,
        at=submission.created_at,
    )
    db.session.commit()
    return submission.id


def judged_again(job: Job) -> Outcome:
    """The outcome that the job's own file asks for."""
    failed = job.files["notes.py"].removeprefix("# fails:").split()
    checks = tuple(CheckOutcome(id=check.id, passed=check.id not in failed) for check in job.checks)
    return Outcome(ended=Ended.COMPLETED, checks=checks, reason="judged again")


def wish(its: Doubling, **more: object) -> Wish:
    """Every submission with the mended revision, unless `more` says otherwise."""
    asked = {"revision_id": its.mended, "which": Which.EVERY, "judged_with": None, "reason": REASON}
    return Wish(**{**asked, **more})  # type: ignore[arg-type]


def start(its: Doubling, **more: object) -> int:
    """Let Ivan begin a dry run; return the id of the regrade."""
    exercise = db.session.get_one(Exercise, its.exercise)
    return services.start(its.owner, exercise, wish(its, **more))


def work(app: Flask, box: FakeBox | None = None) -> int:
    """Let a worker judge all that waits; return how much that was."""
    box = box or FakeBox(script=judged_again)
    done = 0
    while True:
        with app.app_context():
            if not work_once(app, box, "w"):
                return done
        done += 1
