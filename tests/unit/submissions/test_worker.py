"""The worker: claims, judges, records, tells the page, and survives what sandboxes do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app.catalog.format import CheckSpec, ExerciseSpec, Group, Language, LimitsSpec, Source
from app.catalog.models import Exercise
from app.db import db, now
from app.live.models import Event as Row
from app.progress.models import Attempt
from app.submissions import heartbeat, services
from app.submissions.judge import job_for
from app.submissions.models import Purpose, Stage, Submission
from app.submissions.sandboxes import EXTENSION, examine, sandbox_of, unproven
from app.submissions.verdict import Verdict
from app.submissions.worker import Crew, Progress, start_in_process, work_forever, work_once
from sandbox.errors import EngineUnavailable, JobRefused, LimitsUnproven
from sandbox.fake_box import FakeBox, all_pass
from sandbox.job import MIB, Check, Job
from sandbox.outcome import CheckOutcome, Ended, Event, Outcome
from tests.conftest import Cast
from tests.unit.submissions.exercises import ANSWER, CHECKS

pytestmark = pytest.mark.both_databases


def submit(app: Flask, learner_id: int, exercise_id: int, purpose: Purpose = Purpose.SUBMIT) -> int:
    with app.app_context():
        exercise = db.session.get_one(Exercise, exercise_id)
        return services.submit(learner_id, exercise, language="python", files=ANSWER, purpose=purpose).id


def work(app: Flask, box: FakeBox) -> bool:
    with app.app_context():
        return work_once(app, box, "w")


def row(app: Flask, id: int) -> Submission:
    with app.app_context():
        return db.session.get_one(Submission, id)


def told(app: Flask, id: int) -> list[str]:
    with app.app_context():
        topic = services.topic_of(id)
        return list(db.session.scalars(select(Row.name).where(Row.topic == topic).order_by(Row.id)))


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_an_empty_queue_is_no_work(app: Flask) -> None:
    assert not work(app, FakeBox())


def test_a_submission_is_judged_with_all_checks(app: Flask, cast: Cast, exercise_id: int) -> None:
    id, box = submit(app, cast.lena, exercise_id), FakeBox()
    assert work(app, box)
    assert row(app, id).verdict == Verdict.ACCEPTED
    (job,) = box.jobs
    assert [check.id for check in job.checks] == list(CHECKS)
    assert job.files == ANSWER
    assert "tests/hidden/test_hidden.py" in job.suite
    assert (job.limits.wall_time.total_seconds(), job.limits.memory_bytes) == (7, 96 * MIB)


def test_a_run_runs_no_hidden_test(app: Flask, cast: Cast, exercise_id: int) -> None:
    id, box = submit(app, cast.lena, exercise_id, Purpose.RUN), FakeBox()
    work(app, box)
    (job,) = box.jobs
    assert job.checks == (
        Check(id="twice", test="test_twice", visible=True),
        Check(id="text", test="test_text", visible=True),
    )
    assert row(app, id).verdict == Verdict.ACCEPTED


def test_the_job_of_a_server_and_of_sql_name_command_mode_and_runtime() -> None:
    def source(kind: str, language: str, how: Language) -> Source:
        check = CheckSpec(id="a", test="test_a", requirement="R1", group=Group.CORE, visible=True, title="A")
        spec = ExerciseSpec.model_construct(
            title="A",
            kind=kind,
            languages={language: how},
            checks=[check],
            limits=LimitsSpec(seconds=1, memory_mb=64, cpus=0.5),
        )
        return Source(files={"tests/visible/test_a.py": "", "data/schema.sql": "", "README.md": ""}, spec=spec)

    def job(made: Source, language: str) -> Job:
        return job_for(made, language=language, files={}, purpose=Purpose.SUBMIT, seed=1, job_id="1")

    server = job(source("http", "python", Language(entry="app.py", run="python3 -u 'my app.py'")), "python")
    assert (server.runtime, server.command, server.entry) == ("python", ("python3", "-u", "my app.py"), "app.py")
    query = job(source("sql", "sql", Language(entry="query.sql", mode="query")), "sql")
    assert (query.runtime, query.mode, set(query.suite)) == (
        "postgres",
        "query",
        {"tests/visible/test_a.py", "data/schema.sql"},
    )


def test_while_a_job_runs_no_connection_is_held_and_its_checks_are_told(
    app: Flask, cast: Cast, exercise_id: int
) -> None:
    held: list[int] = []

    class SlowBox(FakeBox):
        def run(self, job: Job, on_event: Callable[[Event], None]) -> Outcome:
            outcome = super().run(job, on_event)
            time.sleep(0.5)
            with app.app_context():
                held.append(db.engine.pool.checkedout())
            return outcome

    id = submit(app, cast.lena, exercise_id)
    work(app, SlowBox())
    assert held == [0]
    names = told(app, id)
    assert names[:2] == ["submission.queued", "submission.judging"]
    assert names.count("check.finished") == len(CHECKS)
    assert names[-1] == "submission.judged"


@pytest.mark.parametrize("error", [JobRefused("no such mode"), RuntimeError("a bug")])
def test_a_job_that_the_sandbox_refuses_is_never_the_learners_fault(
    app: Flask, cast: Cast, exercise_id: int, error: Exception
) -> None:
    def refuse(_job: Job) -> Outcome:
        raise error

    id, stop = submit(app, cast.lena, exercise_id), threading.Event()
    worker = threading.Thread(target=work_forever, args=(app, FakeBox(script=refuse), "w", stop))
    worker.start()
    if isinstance(error, RuntimeError):
        until(lambda: row(app, id).stage == Stage.JUDGING)
        for _ in range(services.MAX_CLAIMS):
            until(lambda: row(app, id).stage == Stage.JUDGING)
            with app.app_context():
                services.requeue_expired(now() + 2 * services.LEASE)
            until(lambda: row(app, id).stage != Stage.QUEUED)
    until(lambda: row(app, id).stage == Stage.JUDGED)
    stop.set()
    worker.join()
    assert row(app, id).verdict == Verdict.JUDGE_ERROR
    with app.app_context():
        assert db.session.query(Attempt).count() == 0


@pytest.mark.parametrize("error", [EngineUnavailable("no engine"), LimitsUnproven("memory")])
def test_a_job_that_could_not_be_started_waits(app: Flask, cast: Cast, exercise_id: int, error: Exception) -> None:
    def refuse(_job: Job) -> Outcome:
        raise error

    id = submit(app, cast.lena, exercise_id)
    for _ in range(4):
        with pytest.raises(type(error)):
            work(app, FakeBox(script=refuse))
    assert (row(app, id).stage, row(app, id).claims) == (Stage.QUEUED, 0)
    work(app, FakeBox())
    assert row(app, id).verdict == Verdict.ACCEPTED


def test_a_fault_of_the_box_is_tried_once_more(app: Flask, cast: Cast, exercise_id: int) -> None:
    faults = [Outcome(ended=Ended.JUDGE_BROKE)]
    box = FakeBox(script=lambda job: faults.pop() if faults else all_pass(job))
    id = submit(app, cast.lena, exercise_id)
    work(app, box)
    work(app, box)
    assert [job.id for job in box.jobs] == [f"{id}-1", f"{id}-2"]
    assert row(app, id).verdict == Verdict.ACCEPTED


def test_progress_is_silent_once_the_lease_is_lost(app: Flask, cast: Cast, exercise_id: int) -> None:
    id = submit(app, cast.lena, exercise_id)
    with app.app_context():
        claim = services.claim_next("w", now())
        assert claim is not None
        services.put_back(claim, reason="taken away")
    before = told(app, id)
    with Progress(app=app, claim=claim) as progress:
        progress.heard(Event(name="box.started"))
        time.sleep(0.4)
    assert told(app, id) == before


def test_a_crew_judges_everything_side_by_side_and_leaves_when_asked(app: Flask, cast: Cast, exercise_id: int) -> None:
    app.extensions[EXTENSION] = box = FakeBox()
    ids = [submit(app, learner, exercise_id) for learner in (cast.lena, cast.olaf, cast.ivan) for _ in range(3)]
    crew = start_in_process(app, threads=3)
    assert crew is not None
    until(lambda: all(row(app, id).stage == Stage.JUDGED for id in ids))
    crew.finish()
    assert sorted(job.id for job in box.jobs) == sorted(f"{id}-1" for id in ids)
    with app.app_context():
        assert db.session.query(Attempt).count() == len(ids)
    late = submit(app, cast.lena, exercise_id)
    time.sleep(0.5)
    assert row(app, late).stage == Stage.QUEUED


def test_a_leaving_crew_finishes_the_job_at_hand(app: Flask, cast: Cast, exercise_id: int) -> None:
    started = threading.Event()

    def slow(job: Job) -> Outcome:
        started.set()
        time.sleep(0.5)
        return all_pass(job)

    app.extensions[EXTENSION] = FakeBox(script=slow)
    id = submit(app, cast.lena, exercise_id)
    crew = start_in_process(app, threads=1)
    assert crew is not None
    assert started.wait(20)
    crew.finish()
    assert row(app, id).verdict == Verdict.ACCEPTED


def test_no_threads_are_started_where_none_are_configured(app: Flask) -> None:
    assert start_in_process(app) is None


def test_the_sandbox_is_chosen_once(app: Flask) -> None:
    box = app.extensions[EXTENSION] = FakeBox()
    assert sandbox_of(app) is box
    assert unproven(box) == []
    assert examine(box).passed


def test_the_crew_waits_until_the_sandbox_is_there(app: Flask, cast: Cast, exercise_id: int) -> None:
    id = submit(app, cast.lena, exercise_id)

    class AwayBox(FakeBox):
        def sweep(self) -> int:
            raise EngineUnavailable("no engine answers")

    app.extensions[EXTENSION] = AwayBox()
    crew = Crew(app=app, threads=1)
    crew.start()
    time.sleep(0.5)
    crew.finish()
    assert row(app, id).stage == Stage.QUEUED


def test_a_check_of_nobody_is_not_told_as_passed(app: Flask, cast: Cast, exercise_id: int) -> None:
    id = submit(app, cast.lena, exercise_id)
    box = FakeBox(script=lambda job: Outcome(ended=Ended.COMPLETED, checks=(CheckOutcome(id="x", passed=True),)))
    for _ in range(services.MAX_TRIES):
        work(app, box)
    assert row(app, id).verdict == Verdict.JUDGE_ERROR


def test_a_crew_has_ready_what_is_published_says_so_and_leaves_nothing(
    app: Flask, exercise_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []

    class Kept(FakeBox):
        def close(self) -> None:
            closed.append(1)

    app.extensions[EXTENSION] = box = Kept()
    crew = Crew(app=app, threads=1)
    crew.start()
    until(lambda: bool(box.expected))
    assert box.expected[0].checks and "tests/hidden/test_hidden.py" in box.expected[0].suite

    def reported() -> bool:
        with app.app_context():
            return len(heartbeat.workers()) == 1

    until(reported)
    crew.finish(patience=20)
    assert closed
    with app.app_context():
        assert heartbeat.workers() == []
