"""What a learner's program can do wrong while a check looks at it.

Fault
├── SolutionError     the learner's function raised, or gave back what JSON cannot hold
├── ServerFault       the learner's server did not answer as a server must
├── QueryFault        PostgreSQL refused the learner's statement
└── LimitHit          time, memory, output, crash: `limit` says which
"""

from __future__ import annotations


class Fault(AssertionError):
    """Base: the learner's program is at fault, and the check fails."""


class SolutionError(Fault):
    """The learner's code raised `type` with `message`."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(f"{type}: {message}")
        self.type, self.message = type, message


class ServerFault(Fault):
    """The learner's server refused, broke the protocol, or answered beyond a cap."""


class QueryFault(Fault):
    """PostgreSQL refused a statement of the learner's; `sqlstate` is its five-letter code."""

    def __init__(self, message: str, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class LimitHit(Fault):
    """A limit bit; `limit` is "time", "memory", "output" or "crash"."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit
