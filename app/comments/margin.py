"""What the page of a submission shows of its comments, and what its reader is writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from app.accounts.models import User
from app.catalog.markdown import render_remark
from app.comments.message_templates import find_template, templates_of
from app.comments.models import CommentThread, MessageTemplate
from app.comments.services import may_open, threads_of
from app.submissions.models import Stage, Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What somebody has typed so far, as it came. `field` and `error` say what is wrong with it."""

    thread_id: int | None = None  # None: to open a thread
    file: str = ""
    line: str = ""
    body: str = ""
    field: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """The threads of one submission, by file and line, and what its reader may do with them."""

    threads: Mapping[str, tuple[CommentThread, ...]]
    may_open: bool
    may_resolve: bool
    templates: tuple[MessageTemplate, ...]  # of the reader
    typed: Typed

    def marks(self, file: str) -> dict[int, int]:
        """Return the first thread on each line of `file` that has one: line → id."""
        return {thread.line: thread.id for thread in reversed(self.threads.get(file, ()))}

    @property
    def open_count(self) -> int:
        """How many threads are not resolved."""
        return sum(each.resolved_at is None for threads in self.threads.values() for each in threads)


def margin_of(reader: User, submission: Submission, typed: Typed) -> Margin:
    """Return what stands beside the code of a submission that `reader` may read."""
    found = threads_of(submission)
    return Margin(
        threads={file: tuple(each for each in found if each.file == file) for file in submission.files},
        may_open=may_open(reader, submission) and submission.stage == Stage.JUDGED,
        may_resolve=reader.id == submission.learner_id,
        templates=tuple(templates_of(reader.id)) if reader.instructs else (),
        typed=typed,
    )


def with_template(reader: User, template_id: int, body: str) -> str:
    """Return `body` with the text of one of the reader's templates below it. Raises NotFound."""
    return "\n\n".join(text for text in (body.rstrip(), find_template(reader.id, template_id).body) if text)


@lru_cache(maxsize=512)
def remark(body: str) -> Markup:
    """Return the Markdown of a comment as safe HTML."""
    return Markup(render_remark(body))  # noqa: S704 - render_remark() escapes and sanitises
