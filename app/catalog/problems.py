"""What an author is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in an exercise folder: where it is and what was expected."""

    file: str
    message: str
    line: int = 0  # 0: the file as a whole
    key: str = ""  # limits.seconds, checks[2].test; empty outside exercise.yaml

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.said}"

    @property
    def said(self) -> str:
        """What is wrong, without the place."""
        return f"{self.key} {self.message}" if self.key else self.message

    def below(self, folder: str) -> Problem:
        """Return the same problem with `folder` before its file."""
        return Problem(**{**asdict(self), "file": f"{folder.rstrip('/')}/{self.file}" if self.file else folder})


class FormatError(Exception):
    """An exercise folder is not well-formed; `problems` holds everything found, in order of place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.key))
        super().__init__("\n".join(str(problem) for problem in self.problems))
