"""`python -m tests.bench`: prints every row."""

from __future__ import annotations

import os
import sys

from sandbox.docker_box import DockerBox
from sandbox.doctor import examine
from tests.bench import channels, judging, queue, references


def main() -> None:
    """Run all benchmarks and print their rows."""
    box = DockerBox()
    if not examine(box).passed:
        sys.exit("The doctor does not pass: run `flask sandbox doctor` to see why.")
    sys.stdout.write(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    for title, found in (
        ("Channels", channels.rows(box)),
        ("Verdicts", judging.rows(box)),
        ("References", references.rows(box)),
        ("Queue", queue.rows()),
    ):
        sys.stdout.write(f"\n{title}\n")
        for what, milliseconds, beside in found:
            sys.stdout.write(f"  {what:<48}{milliseconds:>10.2f} ms   {beside}\n")


if __name__ == "__main__":
    main()
