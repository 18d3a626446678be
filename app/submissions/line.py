"""The line in which submissions wait for a worker.

What learners sent comes first, nobody's second before everybody's first. What is judged again for a regrade comes
only when no learner waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from app.db import db
from app.submissions.models import LIVE, Purpose, Stage, Submission

FAR = 5000  # submissions
LONGEST_LINE = 500  # places that are told apart
MAX_CLAIMS = 3  # whatever killed three workers does not get a fourth


def place_in_line(submission_id: int) -> int:
    """Return how many queued submissions come up to and including this one: 1 is next."""
    waiting = aliased(Submission)
    line = select(waiting.id).where(waiting.stage == Stage.QUEUED, waiting.purpose.in_(LIVE))
    ids = list(db.session.scalars(line.order_by(_round(waiting), waiting.id).limit(LONGEST_LINE)))
    return ids.index(submission_id) + 1 if submission_id in ids else LONGEST_LINE


def anything_waits(now: datetime) -> bool:
    """Return whether a learner waits for a worker: a look that costs less than `claim_next` and holds up no writer."""
    return _is_there(line_of_learners(now))


def regrades_wait(now: datetime) -> bool:
    """Return whether something waits to be judged again for a regrade; costs as little."""
    return _is_there(line_of_regrades(now))


def line_of_learners(now: datetime) -> Select[int]:
    """Return the query of the ids that learners wait for, the next one first."""
    waiting = aliased(Submission)
    return _claimable(waiting, now).where(waiting.purpose.in_(LIVE)).order_by(_round(waiting), waiting.id)


def line_of_regrades(now: datetime) -> Select[int]:
    """Return the query of the ids that are to be judged again, the next one first."""
    waiting = aliased(Submission)
    return _claimable(waiting, now).where(waiting.purpose == Purpose.REGRADE).order_by(waiting.id)


def _claimable(waiting: type[Submission], now: datetime) -> Select[int]:
    """Return the query of what is queued, or was lost by a worker whose lease ran out."""
    lost = and_(waiting.lease_until < now, waiting.claims < MAX_CLAIMS)
    # Said once more for the index: stage, purpose, id.
    under_way = waiting.stage.in_((Stage.QUEUED, Stage.JUDGING))
    return select(waiting.id).where(under_way, or_(waiting.stage == Stage.QUEUED, lost))


def _is_there(line: Select[int]) -> bool:
    found = db.session.scalar(line.order_by(None).limit(1)) is not None
    db.session.rollback()
    return found


def _round(waiting: type[Submission]) -> ColumnElement[int]:
    """Return how many earlier submissions of the same learner were not yet judged when this one was sent.

    Who sends several waits with the second until everybody's first has had its turn: fair queueing by rounds.
    """
    earlier = aliased(Submission)
    ahead = or_(earlier.stage != Stage.JUDGED, earlier.judged_at > waiting.created_at)
    near = earlier.id.between(waiting.id - FAR, waiting.id - 1)  # what came long before is judged
    own = and_(earlier.learner_id == waiting.learner_id, earlier.purpose.in_(LIVE))
    count = select(func.count()).where(own, near, ahead)
    return count.correlate(waiting).scalar_subquery()


def queue_length() -> Mapping[str, int]:
    """Return how many submissions are queued and being judged; what is judged again for a regrade is not in it."""
    rows = db.session.execute(
        select(Submission.stage, func.count())
        .where(Submission.stage != Stage.JUDGED, Submission.purpose.in_(LIVE))
        .group_by(Submission.stage)
    )
    found = {row[0]: row[1] for row in rows}
    return {stage: found.get(stage, 0) for stage in (Stage.QUEUED, Stage.JUDGING)}
