"""What a judge is made for: tests, and what stands beside it for each job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.container import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A box that is made for each service of a judge's, on the same loopback."""

    image: str
    command: tuple[str, ...]
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the judge of an exercise talks to in place of a box (kind sql), or beside one (kind http)."""

    image: str
    command: tuple[str, ...]  # the path of its socket's folder is added
    role: Role
    setup: Mapping[str, Any] = field(hash=False)  # for the judge
    box: Beside | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What a judge collects."""

    files: Mapping[str, str]
    checks: int
    service: Service | None

    def key(self) -> str:
        """Return a digest: judges of equal keys are interchangeable."""
        service = self.service
        told: list[Any] = [sorted(self.files.items())]
        told.append(service and [service.image, repr((service.role, service.box)), dict(service.setup)])
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()
