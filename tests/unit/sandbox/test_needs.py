"""What a runtime takes for itself comes on top of what a job may use."""

from __future__ import annotations

import pytest

from sandbox.container import box_role, settings
from sandbox.images import RUNTIMES
from sandbox.job import Limits
from sandbox.needs import Needs, needs_of


@pytest.mark.parametrize("runtime", sorted(path.parent.name for path in RUNTIMES.glob("*/runtime.toml")))
def test_the_needs_of_every_runtime_can_be_read(runtime: str) -> None:
    assert needs_of(runtime).processes >= 0


def test_a_runtime_with_many_threads_leaves_the_job_what_it_may_have() -> None:
    assert box_role(Limits(processes=64), Needs(processes=100)).processes == 164
    assert box_role(Limits(processes=64)).processes == 64


def test_the_limit_that_is_counted_bites_before_the_one_that_is_not() -> None:
    confined = settings(box_role(Limits(), needs_of("node")), uid=20_000, runtime="", volume="", door="")
    nproc = next(limit for limit in confined["ulimits"] if limit.name == "nproc")
    assert nproc.hard > confined["pids_limit"]
