"""The child: judges one job with the suite that its parent has collected, and ends."""

from __future__ import annotations

import random
import resource
import socket
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.judge.database import Cluster, schema_of
from sandbox.judge.faults import LimitHit
from sandbox.judge.lanes import judge_side_by_side
from sandbox.judge.link import Link
from sandbox.judge.mutation import LearnerTests, variants_in
from sandbox.judge.plugin import JudgePlugin, name_of
from sandbox.judge.server import Servers
from sandbox.judge.solution import Solution, await_loaded
from sandbox.judge.suite import CheckRun, Suite, clip
from sandbox.judge.tunnel import Shim

if TYPE_CHECKING:  # imported only by judges of exercises with services
    from sandbox.judge.services import Services

MEMORY_BYTES = 400 * 1024 * 1024  # the container has 512 MiB, which also hold its files


def main(link: Link, session: pytest.Session, plugin: JudgePlugin, hatch: socket.socket | None) -> None:
    """Wait for a job, judge it and tell the worker how it ended."""
    # A huge value of the learner's then raises MemoryError in the check that looks at it, instead of ending the judge.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    link.tell({"type": "idle"})
    message = link.control()
    cluster: Cluster | Services | None = None
    if message["type"] == "service":
        try:
            cluster = prepared(message, schema_of(plugin.data_folder))
        except Exception as error:
            link.tell({"type": "prepared", "reason": clip(f"{type(error).__name__}: {error}", 4000)})
            raise
        link.tell({"type": "prepared", "reason": ""})
        message = link.control()
    if message["direct"]:
        assert hatch is not None  # the worker hands lines only to judges that dialled it
        nonce, lines, _, _ = socket.recv_fds(hatch, len(message["nonce"]), 1)
        if nonce.decode() != message["nonce"] or len(lines) != 1:
            raise ValueError("the line of another job's box was handed over")
        link.take_line(lines[0])
    suite = judge(message, link, session, plugin, cluster)
    link.tell(
        {
            "type": "end",
            "nonce": message["nonce"],
            "ended": suite.ended or "completed",
            "checks": [check.report() for check in suite.finished],
            "detail": suite.detail,
            "output": suite.output,
            "reason": clip(suite.reason, 4000),
            "databases": cluster.used if cluster is not None else 0,
            "fallen": "" if cluster is None or isinstance(cluster, Cluster) else cluster.fallen(),
        }
    )


def prepared(message: Mapping[str, Any], schema: str) -> Cluster | Services:
    """Return the service that was started for the next job, ready for it."""
    if "services" in message:
        from sandbox.judge.services import Services

        services = Services(Path(message["socket"]), message["services"], schema)
        services.prepare(message["databases"])
        return services
    cluster = Cluster(Path(message["socket"]), message["mode"], schema)
    cluster.prepare(message["databases"])
    return cluster


def judge(
    job: Mapping[str, Any],
    link: Link,
    session: pytest.Session,
    plugin: JudgePlugin,
    cluster: Cluster | Services | None,
) -> Suite:
    """Return how the suite went."""
    checks = {c["test"]: CheckRun(**c) for c in job["checks"]}
    suite = Suite(job["seed"], job["wall_seconds"], job["output_bytes"], checks)
    items = chosen(session.items, suite)
    missing = [check.test for check in checks.values() if check.cases == 0]
    if missing:
        suite.end("judge_broke", reason="; ".join(f"{name} is not in the suite" for name in missing))
        return suite
    with suppress(LimitHit):  # whoever raised it has said how the suite ended
        plugin.begin(suite, subject(job, link, suite, cluster, plugin.data_folder.parent), link.tell)
    # Services are there once, and each check finds them as new: no two checks can have them at a time.
    waiting = [item for item in items if suite.checks[name_of(item)].waits and cluster is None]
    run([item for item in items if item not in waiting], suite)
    if waiting and not suite.ended:
        judge_side_by_side(waiting, link, plugin.subject, partial(run, suite=suite), plugin.begin, link.tell)
    return suite


def chosen(items: list[pytest.Item], suite: Suite) -> list[pytest.Item]:
    """Return the tests of the manifest: visible ones first, each group in an order drawn from the seed."""
    wanted = [item for item in items if name_of(item) in suite.checks]
    counts = Counter(name_of(item) for item in wanted)
    for name, check in suite.checks.items():
        check.cases = counts[name]
    names = sorted(counts)
    random.Random(suite.seed).shuffle(names)  # noqa: S311 - an order, not a secret
    order = {name: place for place, name in enumerate(names)}
    return sorted(wanted, key=lambda item: (not suite.checks[name_of(item)].visible, order[name_of(item)]))


def subject(
    job: Mapping[str, Any], link: Link, suite: Suite, cluster: Cluster | Services | None, folder: Path
) -> Solution | Servers | Cluster | LearnerTests:
    """Return what authors' fixtures work on; the suite's files are in `folder`.

    Raises LimitHit when the submission cannot be loaded.
    """
    if isinstance(cluster, Cluster):
        cluster.begin(suite, job["text"])
        return cluster
    await_loaded(link, suite)
    if job["kind"] == "calls":
        return Solution(link, suite)
    if job["kind"] == "mutation":
        return LearnerTests(link, suite, variants_in(folder))
    if cluster is not None:
        cluster.begin(suite)
    return Servers(Shim(link, suite), suite, job["command"], job["ready"], services=cluster)


def run(items: list[pytest.Item], suite: Suite) -> None:
    """Run the tests until one ends the suite."""
    try:
        for item, following in zip_longest(items, items[1:]):
            if suite.ended:
                return
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    except BaseException as error:  # a test that calls pytest.exit, or breaks pytest itself
        suite.end("judge_broke", reason=f"{type(error).__name__}: {error}")
