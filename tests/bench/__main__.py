"""`python -m tests.bench [question …] [--n N] [--json FILE]`: measures, prints tables, and writes them as JSON."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from config import ROOT
from sandbox.docker_box import DockerBox
from sandbox.doctor import examine
from tests.bench.machine import Watch
from tests.bench.report import Answer, Goal, Row, goals_table, write_json

ROUNDS = 30
QUESTIONS = (  # a module of this folder, and after the dot the part of it
    "verdict.pure", "verdict.flask", "verdict.sql", "verdict.services", "channels", "references", "saturation", "queue",
    "crowd", "regrade", "browser", "idle", "soak", "flakes",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Return the exit status: 0 also when a goal is missed, 1 when something could not be measured."""
    parser = _parser()
    wanted = parser.parse_args(arguments)
    unknown = set(wanted.questions) - set(QUESTIONS)
    if unknown or wanted.n < 1:
        parser.error(f"questions are {', '.join(QUESTIONS)}; N is at least 1")
    box = DockerBox()
    if not examine(box).passed:
        sys.stderr.write("The doctor does not pass: run `flask sandbox doctor` to see why.\n")
        return 1
    watch, failed = Watch(box), False
    found: dict[str, Any] = {}
    goals: list[Goal] = []
    for name in wanted.questions or QUESTIONS:
        answer, seconds, broke = _ask(name, wanted.n)
        failed |= broke
        goals += answer.goals
        found[name] = {**answer.as_json(), "seconds": round(seconds)}
        told: dict[str, Any] = {"n": wanted.n, "machine": watch.facts(), "questions": found}
        # After each question: whoever stops a long run keeps what there is.
        write_json(wanted.json, told)
    _say("\nMust reach\n" + goals_table(goals))
    _say("\nMachine\n" + "\n".join(f"  {fact:<22}{value}" for fact, value in watch.facts().items()))
    box.close()
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures the sandbox and the site.")
    parser.add_argument("questions", nargs="*", metavar="question", help=f"of {', '.join(QUESTIONS)}; none: all")
    parser.add_argument("--n", type=int, default=ROUNDS, help="rounds; all else that is counted scales with it")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", help="where the numbers go")
    return parser


def _ask(name: str, n: int) -> tuple[Answer, float, bool]:
    """Return the answer to a question, the seconds that took, and whether it broke."""
    of, _, part = name.partition(".")
    module = import_module(f"tests.bench.{of}")
    _say(f"\n{name}: {(module.__doc__ or '').strip()}\n")
    started, broke = time.monotonic(), False
    try:
        answer: Answer = module.answer(n, part) if part else module.answer(n)
    except Exception as error:  # the other questions are still to be asked
        traceback.print_exc()
        answer, broke = Answer(rows=[Row(what=name, note=f"broke: {type(error).__name__}: {error}"[:200])]), True
    seconds = time.monotonic() - started
    _say(f"{answer.table()}\n  ({seconds:.0f} s)")
    return answer, seconds, broke


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
