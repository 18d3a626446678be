"""What a runtime itself takes, before learner code asks for anything: said in its runtime.toml, under [needs]."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from sandbox.images import RUNTIMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """On top of a job's limits."""

    processes: int = 0  # processes and threads together


NOTHING = Needs()


@cache
def needs_of(runtime: str) -> Needs:
    """Return what `runtime`, a folder of `runtimes/`, takes for itself. Raises TypeError for a need that is unknown."""
    return Needs(**tomllib.loads((RUNTIMES / runtime / "runtime.toml").read_text()).get("needs", {}))
