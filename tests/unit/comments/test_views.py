"""Comments on the page of a submission, as a browser without scripts sees them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from app.comments import message_templates
from app.db import db, now
from tests.conftest import Cast
from tests.factories import make_submission
from tests.unit.submissions.exercises import double_it

CODE = {"app.py": 'def double(x):\n    """Twice.\n\n    And <b>more</b>.\n    """\n    return x * 2\n', "notes.py": ""}


@pytest.fixture
def url(app: Flask, cast: Cast) -> str:
    """The page of a judged submission of Lena's."""
    with app.app_context():
        lena = db.session.get_one(User, cast.lena)
        sent = make_submission(lena, double_it(), verdict="accepted", language="python", files=CODE, judged_at=now())
        return f"/submissions/{sent.id}"


def comment(browser: FlaskClient, url: str, line: str = "6", body: str = "Why *two*?", **more: str) -> str:
    """Open a thread and return where it leads."""
    answer = browser.post(f"{url}/threads", data={"file": "app.py", "line": line, "body": body, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_every_line_can_be_pointed_at(lena: FlaskClient, url: str) -> None:
    page = lena.get(url).text
    assert re.findall(r'id="L-app\.py-(\d+)"', page) == ["1", "2", "3", "4", "5", "6"]
    assert re.findall(r'id="L-notes\.py-(\d+)"', page) == ["1"]
    assert "&lt;b&gt;more&lt;/b&gt;" in page
    assert "<b>more" not in page


def test_the_code_is_there_as_it_was_sent(lena: FlaskClient, url: str) -> None:
    block = re.search(r'aria-label="app\.py"><code>(.*?)</code>', lena.get(url).text, re.S)
    assert block is not None
    shown = re.sub(r'<span class="linenos[^>]*>.*?</span>|<[^>]*>', "", block.group(1))
    assert shown.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">") == CODE["app.py"]


def test_an_instructor_comments_on_a_line_and_the_learner_answers_and_resolves(
    lena: FlaskClient, ivan: FlaskClient, url: str
) -> None:
    where = comment(ivan, url)
    assert where.startswith(f"{url}#thread-")
    page = lena.get(url).text
    assert "Why <em>two</em>?" in page
    assert 'href="#L-app.py-6"' in page and 'class="hll"' in page
    assert "1 open comment" in page
    thread = where.rpartition("-")[2]
    assert lena.post(f"/threads/{thread}/answers", data={"body": "So it doubles."}).headers["Location"] == where
    assert lena.post(f"/threads/{thread}/resolve").headers["Location"] == where
    page = ivan.get(url).text
    assert "So it doubles." in page and "Resolved by Lena" in page
    assert f"/threads/{thread}/answers" not in page
    assert ivan.post(f"/threads/{thread}/reopen").status_code == 303
    assert "Resolved by" not in lena.get(url).text


def test_a_learner_sees_no_form_to_open_a_thread_and_an_instructor_none_to_resolve_one(
    lena: FlaskClient, ivan: FlaskClient, url: str
) -> None:
    comment(ivan, url)
    assert "Comment on a line" not in lena.get(url).text
    assert "/resolve" not in ivan.get(url).text


def test_a_line_number_leads_to_the_form_with_file_and_line_filled_in(ivan: FlaskClient, url: str) -> None:
    assert f'href="{url}?file=app.py&amp;line=4#comment"' in ivan.get(url).text
    page = " ".join(ivan.get(f"{url}?file=notes.py&line=1").text.split())
    assert "<option selected>notes.py</option>" in page
    assert re.search(r'name="line"[^>]* value="1"', page)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"line": "77"}, "Enter a line of app.py: a number from 1 to 6."),
        ({"line": ""}, "Enter a line of app.py: a number from 1 to 6."),
        ({"file": "x.py"}, "Choose a file of the submission: app.py, notes.py."),
        ({"body": "x" * 4001}, "Write at most 4000 characters; these are 4001."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_typed_is_lost(
    ivan: FlaskClient, url: str, sent: dict[str, str], said: str
) -> None:
    form = {"file": "app.py", "line": "2", "body": "A long thought.", **sent}
    answer = ivan.post(f"{url}/threads", data=form)
    assert answer.status_code == 422
    assert said in answer.text
    assert form["body"] in answer.text
    assert f'value="{form["line"]}"' in answer.text
    assert answer.text.count("is-invalid") == 1


def test_an_answer_that_is_empty_is_refused_at_its_own_form(lena: FlaskClient, ivan: FlaskClient, url: str) -> None:
    thread = comment(ivan, url).rpartition("-")[2]
    answer = lena.post(f"/threads/{thread}/answers", data={"body": " "})
    assert answer.status_code == 422
    assert "Write something first." in answer.text
    assert re.search(r"<details open", answer.text)


def test_a_template_is_inserted_into_what_was_typed_and_nothing_is_sent(
    app: Flask, cast: Cast, ivan: FlaskClient, inge: FlaskClient, url: str
) -> None:
    with app.app_context():
        message_templates.add(cast.ivan, title="Names", body="Use names that say what.")
        template = str(message_templates.templates_of(cast.ivan)[0].id)
    form = {"file": "app.py", "line": "2", "body": "Hello.", "template": template, "insert": "yes"}
    page = ivan.post(f"{url}/threads", data=form)
    assert page.status_code == 200
    assert "Hello.\n\nUse names that say what.</textarea>" in page.text
    assert "<article" not in ivan.get(url).text
    thread = comment(ivan, url).rpartition("-")[2]
    page = ivan.post(f"/threads/{thread}/answers", data={**form, "body": ""})
    assert page.status_code == 200
    assert page.text.count("Use names that say what.</textarea>") == 1
    for unknown in ("", "x", "0", "-1", "99999999999999999999"):
        assert ivan.post(f"{url}/threads", data={**form, "template": unknown}).status_code == 404
    assert inge.post(f"{url}/threads", data=form).status_code == 404


def test_templates_are_kept_changed_and_removed(ivan: FlaskClient, inge: FlaskClient) -> None:
    where = "/instructor/message-templates"
    assert "No templates yet" in ivan.get(where).text
    assert ivan.post(where, data={"title": "Names", "body": "Say **what**."}).status_code == 303
    page = ivan.get(where).text
    assert "Say <strong>what</strong>." in page
    assert "Names" not in inge.get(where).text
    (one,) = set(re.findall(rf'action="({where}/\d+)"', page))
    refused = ivan.post(one, data={"title": "", "body": "Kept <text>."})
    assert refused.status_code == 422
    assert "Enter a title of 1 to 80 characters." in refused.text and "Kept &lt;text&gt;.</textarea>" in refused.text
    assert ivan.post(one, data={"title": "Clear names", "body": "Say what."}).status_code == 303
    assert "Clear names" in ivan.get(where).text
    assert ivan.post(f"{one}/remove").status_code == 303
    assert "No templates yet" in ivan.get(where).text


def test_a_notice_of_a_comment_leads_to_it(lena: FlaskClient, ivan: FlaskClient, url: str) -> None:
    where = comment(ivan, url)
    notice = re.search(r'action="(/notices/\d+/open)"', lena.get("/notices").text)
    assert notice is not None
    assert lena.post(notice.group(1)).headers["Location"] == where
