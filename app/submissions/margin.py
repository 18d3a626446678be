"""What stands beside the code of a submission. Comments hand it in, which submissions do not know."""

from __future__ import annotations

from collections.abc import Callable

from app.submissions.models import Submission

Margin = Callable[[Submission], object]
_providers: dict[str, Margin] = {}


def provide_margin(margin: Margin) -> None:
    """Let `margin` say what stands beside the code of a submission, for whoever asks for its page."""
    _providers["margin"] = margin


def margin_of(submission: Submission) -> object | None:
    """Return what stands beside the code of `submission`; None where nobody hands anything in."""
    provider = _providers.get("margin")
    return provider(submission) if provider else None
