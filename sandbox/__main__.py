"""`python -m sandbox prepare`: make sure an engine answers and the images are built."""

from __future__ import annotations

import sys

from sandbox.engine import ensure_engine
from sandbox.errors import SandboxError
from sandbox.images import ensure_images


def main(arguments: list[str]) -> int:
    """Return the exit status of the command that `arguments` name."""
    if arguments != ["prepare"]:
        sys.stderr.write("usage: python -m sandbox prepare\n")
        return 2
    try:
        ensure_engine(_say)
        ensure_images(_say)
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
