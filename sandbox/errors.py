"""The errors of the sandbox.

SandboxError
├── EngineUnavailable     no Docker engine answers
├── ImageMissing          a sandbox image is not built, or older than its sources
├── LimitsUnproven        the doctor has not proven that the limits bite
├── JobRefused            the job itself is malformed: nothing was started
└── WireError             a peer broke the channel's rules

What goes wrong *while a job runs* is not an error but a fact: see `outcome.Ended`.
"""

from __future__ import annotations


class SandboxError(Exception):
    """Base of all errors that the sandbox raises."""


class EngineUnavailable(SandboxError):
    """No Docker engine answers; the message says what to do."""


class ImageMissing(SandboxError):
    """A sandbox image is absent or stale; the message names it and how to build it."""


class LimitsUnproven(SandboxError):
    """A limit was not seen to bite, so no learner code may run."""


class JobRefused(SandboxError):
    """The job is malformed; the message names the field and what was expected."""


class WireError(SandboxError):
    """A frame or message broke the channel's rules."""
