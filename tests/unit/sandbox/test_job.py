"""A job is refused before anything starts unless it can be run as it stands."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import JobRefused
from sandbox.job import MAX_FILES_BYTES, Check, Job
from sandbox.kinds import names, plan_for
from tests.sandbox.jobs import calls_job, http_job, mutation_job, sql_job

names_of_files = st.lists(st.text(alphabet="ab.", min_size=1, max_size=3), min_size=1, max_size=5).map("/".join)


def test_a_whole_job_is_taken() -> None:
    calls_job().validate()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checks": ()}, "at least one check"),
        ({"checks": (Check(id="a", test="x"), Check(id="a", test="y"))}, "unique"),
        ({"checks": (Check(id="a", test="x"), Check(id="b", test="x"))}, "unique"),
        ({"entry": "absent.py"}, "entry"),
        ({"entry": ""}, "entry"),
        ({"files": {"solution.py": "x" * (MAX_FILES_BYTES + 1)}}, "at most"),
    ],
)
def test_what_a_job_lacks_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(JobRefused, match=message):
        calls_job(**changes).validate()


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a/..", "..", "", ".", "a\0b"])
@pytest.mark.parametrize("where", ["files", "suite"])
def test_no_file_is_written_outside_its_folder(where: str, name: str) -> None:
    job = calls_job()
    with pytest.raises(JobRefused, match="relative path"):
        replace(job, **{where: {**getattr(job, where), name: ""}}).validate()


@given(name=names_of_files)
def test_every_name_that_is_taken_stays_below_the_folder_it_is_put_in(name: str) -> None:
    job = calls_job()
    try:
        replace(job, files={**job.files, name: ""}).validate()
    except JobRefused:
        return
    assert ".." not in name.split("/")
    assert not name.startswith("/")


def test_a_job_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(FrozenInstanceError):
        calls_job().entry = "other.py"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (calls_job(kind="quiz"), "kind must be one of calls, http, mutation, sql"),
        (http_job("", "", "test_n", command=()), "command"),
        (sql_job("", "", "test_n", mode="write"), "mode must be one of query, script"),
    ],
    ids=["kind", "http", "sql"],
)
def test_a_job_that_its_kind_cannot_run_is_refused(job: Job, message: str) -> None:
    with pytest.raises(JobRefused, match=message):
        plan_for(job)


def test_each_kind_has_a_box_or_a_service_and_sends_no_file_of_the_learner_s_to_the_judge_but_sql_s() -> None:
    text = "only the learner wrote this"
    jobs = (calls_job(text), http_job(text, "", "test_n"), mutation_job(text), sql_job(text, "", "test_n"))
    assert {job.kind for job in jobs} == names()
    for job in jobs:
        plan = plan_for(job)
        assert bool(plan.box_command) != bool(plan.service)
        assert (text in repr(plan.judge_fields)) == (job.kind == "sql")
        assert (text in repr(plan.box_setup)) == (job.kind != "sql")
        assert not set(job.suite) & set(repr(plan.box_setup).split("'"))
