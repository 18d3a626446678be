"""How long a learner waits for a verdict while a thousand regrades wait, beside an empty queue in the same run.

All goes through the real queue on SQLite, with two worker threads and the pool that they keep; the regrades are of the
same exercise as the learner's submissions. Both are measured in turn, block by block, and the dry run goes on all the
while. Counted is, too, how many regrades are judged between a learner's sending and their being claimed: those that
workers had at hand.
"""

from __future__ import annotations

import time
from datetime import datetime

from sqlalchemy import func, insert, select

from app.accounts.models import Role, User
from app.catalog.services import find
from app.db import db, now
from app.regrades import services as regrades
from app.regrades.services import Which, Wish
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.verdict import Verdict
from tests.bench.contenders import FILL_SECONDS
from tests.bench.report import Answer, Goal, Row
from tests.bench.stage import WORKERS, Queue, Times, queue, reference
from tests.browser.solving import WELCOME
from tests.factories import make_person

REGRADES = 1000
BLOCKS = 3
LONGER = 250.0  # milliseconds that the median may take more: one regrade at hand, and two jobs at a time on the machine


def answer(n: int) -> Answer:
    """Return waiting and verdict with and without regrades; `n` submissions of either."""
    idle: list[Times] = []
    beside: list[Times] = []
    ahead: list[float] = []
    size = max(1, n // BLOCKS)
    with queue() as site:
        owner = _with_submissions(site)
        for _ in range(min(BLOCKS, n)):
            assert site.box.pool.fill(FILL_SECONDS)
            idle += [_one(site) for _ in range(size)]
            regrade_id = _begin(site, owner)
            time.sleep(1)  # the workers are at it
            for _ in range(size):
                beside.append(_one(site))
                ahead.append(float(_judged_between(site, beside[-1].sent, beside[-1].claimed)))
            assert _left(site) > 0, "the regrades ran out: the rest was measured beside an empty queue"
            _end(site, owner, regrade_id)
    rows = [
        Row(what=f"{where}: {what}", values=values, note=f"{WORKERS} workers")
        for where, times in (("empty queue", idle), (f"{REGRADES} regrades wait", beside))
        for what, values in (
            ("waiting in line", [each.waited_ms for each in times]),
            ("verdict", [each.took_ms for each in times]),
        )
    ]
    rows.append(Row(what="regrades judged ahead of a learner", values=ahead, unit="jobs", note="under way already"))
    goals = [
        Goal(what="regrades judged ahead of a learner, the most", wanted=WORKERS, found=max(ahead), unit="jobs"),
        Goal(what="verdict beside regrades, medians, more", wanted=LONGER, found=rows[3].p50 - rows[1].p50),
    ]
    return Answer(rows=rows, goals=goals)


def _with_submissions(site: Queue) -> int:
    """Let there be REGRADES accepted submissions of 50 learners; return the id of an admin."""
    learners = site.learners(50)
    with site.app.app_context():
        exercise = find(*WELCOME.split("/"))
        known = {
            "exercise_id": exercise.id,
            "revision_id": exercise.current_revision_id,
            "language": exercise.languages[0],
            "files": reference(WELCOME),
            "purpose": Purpose.SUBMIT,
            "seed": 1,
            "stage": Stage.JUDGED,
            "verdict": Verdict.ACCEPTED,
            "judged_at": now(),
        }
        rows = [{**known, "learner_id": learners[number % len(learners)]} for number in range(REGRADES)]
        db.session.execute(insert(Submission), rows)
        db.session.commit()
        return int(make_person(role=Role.ADMIN).id)


def _begin(site: Queue, owner: int) -> int:
    with site.app.app_context():
        exercise = find(*WELCOME.split("/"))
        wish = Wish(
            revision_id=exercise.current_revision_id or 0, which=Which.EVERY, judged_with=None, reason="A benchmark."
        )
        return regrades.start(db.session.get_one(User, owner), exercise, wish)


def _end(site: Queue, owner: int, regrade_id: int) -> None:
    """Discard the dry run and wait for the workers to be idle."""
    with site.app.app_context():
        regrades.discard(db.session.get_one(User, owner), regrade_id)
    time.sleep(1)


def _one(site: Queue) -> Times:
    """Return what became of one submission of a learner who has sent nothing before."""
    (learner,) = site.learners(1)
    sent = site.submit(learner, WELCOME, reference(WELCOME))
    site.wait([sent])
    return site.times([sent])[0]


def _judged_between(site: Queue, sent: datetime, claimed: datetime) -> int:
    with site.app.app_context():
        meanwhile = select(func.count()).where(
            Submission.purpose == Purpose.REGRADE, Submission.judged_at > sent, Submission.judged_at <= claimed
        )
        return db.session.scalar(meanwhile) or 0


def _left(site: Queue) -> int:
    with site.app.app_context():
        left = select(func.count()).where(Submission.purpose == Purpose.REGRADE, Submission.stage == Stage.QUEUED)
        return db.session.scalar(left) or 0
