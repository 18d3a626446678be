"""Threads on lines of a submission: who opens, answers, resolves and reopens them, and who is told."""

from __future__ import annotations

import pytest
from flask import Flask

from app.accounts.models import Role, User
from app.comments import message_templates, services
from app.comments.margin import Typed, margin_of, remark, with_template
from app.comments.models import MAX_BODY
from app.db import db, now
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.notices.services import latest
from app.submissions.models import Submission
from tests.conftest import Cast
from tests.factories import make_exercise, make_submission
from tests.unit.submissions.exercises import ANSWER, double_it


def person(person_id: int) -> User:
    return db.session.get_one(User, person_id)


@pytest.fixture
def submission(app: Flask, cast: Cast) -> int:
    """A judged submission of Lena's; app.py has two lines."""
    with app.app_context():
        sent = make_submission(
            person(cast.lena), double_it(), verdict="accepted", language="python", files=ANSWER, judged_at=now()
        )
        return int(sent.id)


@pytest.fixture
def thread(app: Flask, cast: Cast, submission: int) -> int:
    """A thread that Ivan opened on line 2."""
    with app.app_context():
        return services.open_thread(person(cast.ivan), submission, file="app.py", line="2", body="Why times two?").id


@pytest.mark.both_databases
def test_an_instructor_opens_a_thread_and_the_learner_is_told(app: Flask, cast: Cast, thread: int) -> None:
    with app.app_context():
        found = services.find_thread(person(cast.lena), thread)
        assert (found.file, found.line, [each.body for each in found.comments]) == ("app.py", 2, ["Why times two?"])
        (notice,) = latest(cast.lena)
        assert notice.text == f"Ivan commented on line 2 of app.py in your submission #{found.submission_id}."
        assert notice.path == f"/submissions/{found.submission_id}#thread-{thread}"
        assert latest(cast.ivan) == []


@pytest.mark.both_databases
def test_the_instructor_is_told_of_the_answer_and_the_learner_is_not(app: Flask, cast: Cast, thread: int) -> None:
    with app.app_context():
        services.answer(person(cast.lena), thread, "Because it says so.")
        assert [each.text for each in latest(cast.ivan)] == ["Lena answered on line 2 of app.py in submission #1."]
        assert len(latest(cast.lena)) == 1


def test_everybody_in_a_thread_is_told_but_who_may_no_longer_read_it(app: Flask, cast: Cast, thread: int) -> None:
    with app.app_context():
        services.answer(person(cast.ada), thread, "I wonder too.")
        assert [each.name for each in latest(cast.ivan)] == ["comment.added"]
        person(cast.ivan).role = Role.LEARNER
        services.answer(person(cast.lena), thread, "Here is why.")
        assert len(latest(cast.ivan)) == 1
        assert [each.text for each in latest(cast.ada)] == ["Lena answered on line 2 of app.py in submission #1."]


def test_who_may_not_read_the_submission_neither_reads_nor_writes_a_thread(
    app: Flask, cast: Cast, submission: int, thread: int
) -> None:
    with app.app_context():
        for stranger in (person(cast.olaf), person(cast.inge)):
            with pytest.raises(NotFound):
                services.find_thread(stranger, thread)
            with pytest.raises(NotFound):
                services.answer(stranger, thread, "Hello")
            with pytest.raises(NotFound):
                services.reopen(stranger, thread)
            with pytest.raises(NotFound):
                services.open_thread(stranger, submission, file="app.py", line="1", body="Hello")


def test_only_an_instructor_opens_a_thread_and_never_on_their_own_work(app: Flask, cast: Cast, submission: int) -> None:
    with app.app_context():
        with pytest.raises(Forbidden):
            services.open_thread(person(cast.lena), submission, file="app.py", line="1", body="Mine")
        theirs = make_submission(person(cast.ivan), make_exercise(), verdict="accepted", judged_at=now())
        with pytest.raises(Forbidden):
            services.open_thread(person(cast.ivan), theirs.id, file="answer.sql", line="1", body="Mine")


def test_nothing_is_commented_on_before_it_is_judged(app: Flask, cast: Cast) -> None:
    with app.app_context():
        waiting = make_submission(person(cast.lena), double_it())
        with pytest.raises(Conflict):
            services.open_thread(person(cast.ivan), waiting.id, file="answer.sql", line="1", body="Wait")
        assert not margin_of(person(cast.ivan), waiting, Typed()).may_open


@pytest.mark.parametrize("line", ["", "0", "3", "-1", "x", "1.0", "²", "9" * 40])
def test_a_line_that_is_not_there_is_refused_with_what_was_expected(
    app: Flask, cast: Cast, submission: int, line: str
) -> None:
    with app.app_context(), pytest.raises(Invalid, match="a number from 1 to 2") as refused:
        services.open_thread(person(cast.ivan), submission, file="app.py", line=line, body="Hm")
    assert refused.value.field == "line"


def test_a_file_that_is_not_there_is_refused(app: Flask, cast: Cast, submission: int) -> None:
    with app.app_context(), pytest.raises(Invalid, match=r"app\.py, notes\.py") as refused:
        services.open_thread(person(cast.ivan), submission, file="other.py", line="1", body="Hm")
    assert refused.value.field == "file"


def test_a_comment_has_a_text_of_bounded_size() -> None:
    assert services.checked_body("  a\r\nb \n") == "a\nb"
    assert services.checked_body("ä" * MAX_BODY) == "ä" * MAX_BODY
    for body in (" \r\n ", "x" * (MAX_BODY + 1)):
        with pytest.raises(Invalid) as refused:
            services.checked_body(body)
        assert refused.value.field == "body"


@pytest.mark.both_databases
def test_the_learner_resolves_and_either_reopens(app: Flask, cast: Cast, submission: int, thread: int) -> None:
    with app.app_context():
        with pytest.raises(Forbidden):
            services.resolve(person(cast.ivan), thread)
        assert services.resolve(person(cast.lena), thread).resolved_by_id == cast.lena
        assert open_threads(submission) == 0
        assert services.reopen(person(cast.ivan), thread).resolved_at is None
        services.resolve(person(cast.lena), thread)
        assert services.reopen(person(cast.lena), thread).resolved_by_id is None
        assert open_threads(submission) == 1


def test_an_answer_opens_a_resolved_thread_again(app: Flask, cast: Cast, thread: int) -> None:
    with app.app_context():
        services.resolve(person(cast.lena), thread)
        assert services.answer(person(cast.ivan), thread, "One more thing.").resolved_at is None


def test_threads_stand_with_their_file_in_the_order_of_lines(app: Flask, cast: Cast, submission: int) -> None:
    with app.app_context():
        ids = [
            services.open_thread(person(cast.ivan), submission, file=file, line=line, body="Hm").id
            for file, line in (("app.py", "2"), ("notes.py", "1"), ("app.py", "1"), ("app.py", "2"))
        ]
        margin = margin_of(person(cast.lena), db.session.get_one(Submission, submission), Typed())
        assert {file: [each.id for each in threads] for file, threads in margin.threads.items()} == {
            "app.py": [ids[2], ids[0], ids[3]],
            "notes.py": [ids[1]],
        }
        assert margin.marks("app.py") == {1: ids[2], 2: ids[0]}
        assert (margin.open_count, margin.may_open, margin.may_resolve) == (4, False, True)


def test_a_template_belongs_to_one_instructor(app: Flask, cast: Cast) -> None:
    with app.app_context():
        message_templates.add(cast.ivan, title=" Name  things ", body="Use names that say what.")
        (mine,) = message_templates.templates_of(cast.ivan)
        assert mine.title == "Name things"
        for refused in (message_templates.find_template, message_templates.remove):
            with pytest.raises(NotFound):
                refused(cast.inge, mine.id)
        with pytest.raises(NotFound):
            message_templates.change(cast.inge, mine.id, title="x", body="y")
        message_templates.change(cast.ivan, mine.id, title="Names", body="Say what it is.")
        assert with_template(person(cast.ivan), mine.id, "Hello.\n") == "Hello.\n\nSay what it is."
        assert with_template(person(cast.ivan), mine.id, " ") == "Say what it is."
        message_templates.remove(cast.ivan, mine.id)
        assert message_templates.templates_of(cast.ivan) == []


@pytest.mark.parametrize(("title", "body", "field"), [("", "x", "title"), ("x" * 81, "x", "title"), ("x", " ", "body")])
def test_a_template_needs_a_title_and_a_text(app: Flask, cast: Cast, title: str, body: str, field: str) -> None:
    with app.app_context(), pytest.raises(Invalid) as refused:
        message_templates.add(cast.ivan, title=title, body=body)
    assert refused.value.field == field


def test_markdown_of_a_comment_is_shown_and_markup_is_not() -> None:
    html = remark("# no heading\n\nSee `x` and **R1**:\nnext <script>alert(1)</script>")
    assert "<code>x</code>" in html and "<strong>R1</strong>" in html and "<br>" in html
    assert "<h" not in html and "id=" not in html and "<script" not in html


def open_threads(submission_id: int) -> int:
    submission = db.session.get_one(Submission, submission_id)
    return margin_of(submission.learner, submission, Typed()).open_count
