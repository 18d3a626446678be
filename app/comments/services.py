"""Talking about a submission: an instructor opens a thread on a line, the learner answers it and resolves it.

Who may read a submission may read and write its comments; for everybody else it is not there.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.orm import contains_eager, selectinload

from app.accounts.models import User
from app.cohorts.access import may_see, readable_by
from app.comments.models import MAX_BODY, Comment, CommentThread
from app.db import db, now
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.notices.services import notify
from app.submissions.lookup import find_readable
from app.submissions.models import Stage, Submission
from app.submissions.results import line_count

log = structlog.get_logger("greenroom")


def open_thread(author: User, submission_id: int, *, file: str, line: str, body: str) -> CommentThread:
    """Return a new thread on a line of a submission, begun with `body`, and tell the learner. Commits.

    Raises NotFound, Forbidden for who may not begin one, Conflict before it is judged, and Invalid naming the field.
    """
    submission = find_readable(submission_id, reader=author)
    if not may_open(author, submission):
        raise Forbidden("Threads are opened by instructors, on the work of others.")
    if submission.stage != Stage.JUDGED:
        raise Conflict("This is still being judged. Comment on it when that is done.")
    number = _checked_line(submission, file, line)
    thread = CommentThread(submission=submission, file=file, line=number)
    thread.comments.append(Comment(author_id=author.id, body=checked_body(body)))
    db.session.add(thread)
    db.session.flush()
    _tell_others(author, thread)
    log.info("comment.added", thread_id=thread.id, user_id=author.id)
    db.session.commit()
    return thread


def answer(author: User, thread_id: int, body: str) -> CommentThread:
    """Add `body` to a thread, tell the others in it, and return it; a resolved one is open again. Commits.

    Raises NotFound, and Invalid naming the field.
    """
    thread, text = find_thread(author, thread_id), checked_body(body)
    thread.comments.append(Comment(author_id=author.id, body=text))
    thread.resolved_at = thread.resolved_by_id = None
    db.session.flush()
    _tell_others(author, thread)
    log.info("comment.added", thread_id=thread.id, user_id=author.id)
    db.session.commit()
    return thread


def resolve(learner: User, thread_id: int) -> CommentThread:
    """Note that the learner is done with a thread, and return it. Raises NotFound, Forbidden. Commits."""
    thread = find_thread(learner, thread_id)
    if thread.submission.learner_id != learner.id:
        raise Forbidden("Only the learner whose submission this is says that a comment is resolved.")
    unresolved = update(CommentThread).where(CommentThread.id == thread_id, CommentThread.resolved_at.is_(None))
    db.session.execute(unresolved.values(resolved_at=now(), resolved_by_id=learner.id))
    db.session.commit()
    return thread


def reopen(reader: User, thread_id: int) -> CommentThread:
    """Take back that a thread is resolved, and return it. Raises NotFound. Commits."""
    thread = find_thread(reader, thread_id)
    thread.resolved_at = thread.resolved_by_id = None
    db.session.commit()
    return thread


def find_thread(reader: User, thread_id: int) -> CommentThread:
    """Return a thread with its submission, if `reader` may read that. Raises NotFound."""
    wanted = (
        select(CommentThread)
        .join(CommentThread.submission)
        .options(contains_eager(CommentThread.submission))
        .where(CommentThread.id == thread_id, readable_by(reader, Submission.learner_id))
    )
    thread: CommentThread | None = db.session.scalar(wanted)
    if thread is None:
        raise NotFound("There is no such comment.")
    return thread


def threads_of(submission: Submission) -> list[CommentThread]:
    """Return the threads of a submission with their comments, by line. Whoever asks has found it before."""
    own: Select[CommentThread] = (
        select(CommentThread)
        .where(CommentThread.submission_id == submission.id)
        .options(
            selectinload(CommentThread.comments).joinedload(Comment.author),
            selectinload(CommentThread.resolved_by),
        )
        .order_by(CommentThread.line, CommentThread.id)
    )
    return list(db.session.scalars(own))


def may_open(reader: User, submission: Submission) -> bool:
    """Return whether somebody who may read `submission` may open threads on it."""
    return reader.instructs and reader.id != submission.learner_id


def checked_body(body: str) -> str:
    """Return `body` as it is kept. Raises Invalid when nothing is in it, or more than MAX_BODY characters."""
    tidy = body.replace("\r\n", "\n").strip()
    if not tidy:
        raise Invalid("Write something first.", "body")
    if len(tidy) > MAX_BODY:
        raise Invalid(f"Write at most {MAX_BODY} characters; these are {len(tidy)}.", "body")
    return tidy


def _checked_line(submission: Submission, file: str, line: str) -> int:
    if file not in submission.files:
        raise Invalid(f"Choose a file of the submission: {', '.join(submission.files)}.", "file")
    last = line_count(submission.files[file])
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 10 else 0
    if not 1 <= number <= last:
        raise Invalid(f"Enter a line of {file}: a number from 1 to {last}.", "line")
    return number


def _tell_others(author: User, thread: CommentThread) -> None:
    """Tell the learner and whoever else wrote in the thread and may still read it. The caller commits."""
    learner_id = thread.submission.learner_id
    path = f"/submissions/{thread.submission_id}#thread-{thread.id}"
    where = f"line {thread.line} of {thread.file} in"
    if author.id != learner_id:
        text = f"{author.name} commented on {where} your submission #{thread.submission_id}."
        notify(learner_id, "comment.added", text, path)
    did = "answered" if author.id == learner_id else "also commented"
    text = f"{author.name} {did} on {where} submission #{thread.submission_id}."
    for other in db.session.scalars(_writers(thread.id).where(User.id.not_in([author.id, learner_id]))):
        if may_see(other, learner_id):
            notify(other.id, "comment.added", text, path)


def _writers(thread_id: int) -> Select[User]:
    wrote = select(Comment.author_id).where(Comment.thread_id == thread_id)
    return select(User).where(User.id.in_(wrote)).order_by(User.id)
