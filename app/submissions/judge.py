"""From an exercise and a learner's files to what the sandbox is asked to run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from app.catalog import kinds
from app.submissions.models import Purpose
from sandbox.job import MIB, Check, Job, Limits

if TYPE_CHECKING:
    from app.catalog.format import Source


def job_for(
    source: Source, *, language: str, files: Mapping[str, str], purpose: Purpose, seed: int, job_id: str
) -> Job:
    """Return the job that judges `files` against `source`: the visible checks for RUN, all of them for SUBMIT.

    `language` must be one that the exercise offers. The job is not validated: `Sandbox.run` does that.
    """
    spec = source.spec
    how = spec.languages[language]
    visible_only = purpose is Purpose.RUN
    return Job(
        id=job_id,
        exercise=spec.title,
        kind=spec.kind,
        runtime=kinds.find(spec.kind).runtimes[language],
        files=dict(files),
        entry=how.entry,
        command=tuple(shlex.split(how.run)),
        mode=how.mode,
        services=tuple(map(str, spec.services)),
        # The same for both purposes: one judge serves them, and runs no check that the job does not list.
        suite=source.suite(),
        checks=tuple(
            Check(id=c.id, test=c.test, visible=c.visible, waits=c.waits)
            for c in source.checks(visible_only=visible_only)
        ),
        limits=Limits(
            wall_time=timedelta(seconds=spec.limits.seconds),
            memory_bytes=spec.limits.memory_mb * MIB,
            cpus=spec.limits.cpus,
        ),
        seed=seed,
    )
