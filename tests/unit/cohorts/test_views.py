"""The pages of classes as browsers meet them."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.services import find_by_email
from app.cohorts import services
from app.cohorts.models import Cohort, Invitation
from app.db import db
from tests.conftest import Cast, MakeApp, signed_in
from tests.factories import PASSWORD, make_person


@pytest.fixture
def code(app: Flask, cohort_id: int) -> str:
    """The join code of Ivan's class."""
    with app.app_context():
        return db.session.get_one(Cohort, cohort_id).join_code


def test_a_learner_joins_by_code_and_sees_who_reads_their_work(olaf: FlaskClient, code: str) -> None:
    assert "You are in no class" in olaf.get("/cohorts").text
    page = olaf.post("/cohorts/join", data={"code": code.lower()}, follow_redirects=True).text
    assert "You are in the class Ivan&#39;s class." in page
    assert "Ivan can read your submissions" in page


def test_a_wrong_code_stays_in_the_field_beside_what_is_wrong(olaf: FlaskClient) -> None:
    answer = olaf.post("/cohorts/join", data={"code": "ABCD-2345"})
    assert answer.status_code == 422
    assert 'value="ABCD-2345"' in answer.text
    assert "No class has that code" in answer.text
    assert 'aria-describedby="code-help code-error"' in answer.text


def test_a_link_asks_to_sign_in_then_whether_to_join(app: Flask, client: FlaskClient, cast: Cast, code: str) -> None:
    asked = client.get(f"/join/{code}")
    assert asked.headers["Location"] == f"/sign-in?next=/join/{code}"
    signed = client.post("/sign-in", data={"email": "olaf@example.com", "password": PASSWORD, "next": f"/join/{code}"})
    assert signed.headers["Location"] == f"/join/{code}"
    page = client.get(f"/join/{code}").text
    assert "Join Ivan&#39;s class?" in page
    assert "You are in no class" in client.get("/cohorts").text  # looking joins nobody
    assert client.post(f"/join/{code}").headers["Location"] == "/cohorts"
    assert "Ivan&#39;s class" in client.get("/cohorts").text
    assert client.get("/join/ABCDEFGH").status_code == 404


def test_guessing_codes_is_slowed_down_by_form_and_link_together(make_app: MakeApp) -> None:
    app = make_app(rate_limits=True)
    with app.app_context():
        gesa = signed_in(app, make_person("Gesa").id)
    answers = [gesa.get(f"/join/ABCDEFG{n}").status_code for n in range(2, 10)]
    answers += [gesa.post("/cohorts/join", data={"code": "x"}).status_code for _ in range(14)]
    assert answers == [404] * 8 + [422] * 12 + [429] * 2


def test_a_learner_leaves_a_class(lena: FlaskClient, cohort_id: int) -> None:
    page = lena.post(f"/cohorts/{cohort_id}/leave", follow_redirects=True).text
    assert "You have left the class." in page
    assert "You are in no class" in page


def test_an_invited_person_registers_signs_in_and_is_a_member(
    app: Flask, client: FlaskClient, ivan: FlaskClient, cohort_id: int
) -> None:
    sent = {"file": (io.BytesIO(b"nina@example.com,Nina\n"), "class.csv")}
    assert "1 invited" in " ".join(ivan.post(f"/instructor/cohorts/{cohort_id}/members", data=sent).text.split())
    wanted = {"name": "Nina", "email": "nina@example.com", "password": PASSWORD, "time_zone": "UTC"}
    client.post("/register", data=wanted)
    client.post("/sign-in", data={"email": "nina@example.com", "password": PASSWORD})
    assert "Ivan&#39;s class" in client.get("/cohorts").text
    page = ivan.get(f"/instructor/cohorts/{cohort_id}/members").text
    assert "Nina" in page and "Withdraw" not in page


def test_a_list_is_answered_line_by_line(ivan: FlaskClient, cohort_id: int, cast: Cast) -> None:
    sent = {"file": (io.BytesIO(b"email;name\nolaf@example.com;Olaf\n=cmd;x\n"), "class.csv")}
    page = ivan.post(f"/instructor/cohorts/{cohort_id}/members", data=sent).text
    assert "refused: not an e-mail address" in page
    assert "1 invited" in " ".join(page.split())


def test_an_invitation_is_shown_and_answered(ivan: FlaskClient, olaf: FlaskClient, cohort_id: int) -> None:
    path = f"/instructor/cohorts/{cohort_id}/members"
    ivan.post(path, data={"file": (io.BytesIO(b"olaf@example.com\n"), "class.csv")})
    page = olaf.get("/cohorts").text
    assert "You are invited" in page and "also what you have done so far" in " ".join(page.split())
    page = olaf.post("/cohorts/invitations/1/decline", follow_redirects=True).text
    assert "The invitation is declined." in page and "You are invited" not in page
    ivan.post(path, data={"file": (io.BytesIO(b"olaf@example.com\n"), "class.csv")})
    number = re.search(r"/cohorts/invitations/(\d+)/accept", olaf.get("/cohorts").text)
    assert number is not None
    page = olaf.post(number[0], follow_redirects=True).text
    assert "You are in the class Ivan&#39;s class." in page and "You are invited" not in page


@pytest.mark.parametrize("data", [{}, {"file": (io.BytesIO(b""), "")}])
def test_a_missing_file_is_said_at_its_field(
    ivan: FlaskClient, cohort_id: int, data: dict[str, tuple[io.BytesIO, str]]
) -> None:
    answer = ivan.post(f"/instructor/cohorts/{cohort_id}/members", data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text


def test_an_instructor_creates_a_class_and_runs_it(app: Flask, inge: FlaskClient, cast: Cast) -> None:
    assert "You instruct no class yet" in inge.get("/instructor/cohorts").text
    made = inge.post("/instructor/cohorts", data={"name": "Night school"})
    where = made.headers["Location"].removesuffix("/members")
    assert "Nobody is in this class yet" in inge.get(f"{where}/members").text
    settings = f"{where}/settings"
    assert "Evening school" in inge.post(settings, data={"name": "Evening school"}, follow_redirects=True).text
    before = inge.get(settings).text
    assert "has a new code" in inge.post(f"{where}/code", follow_redirects=True).text
    assert before.count("/join/") == 1 and before not in inge.get(settings).text
    assert "Ivan" in inge.post(f"{where}/instructors", data={"email": "ivan@example.com"}, follow_redirects=True).text
    assert "is archived" in inge.post(f"{where}/archive", follow_redirects=True).text
    assert "archived" in inge.get("/instructor/cohorts").text
    assert "is open again" in inge.post(f"{where}/archive", data={"undo": "yes"}, follow_redirects=True).text
    gone = inge.post(f"{where}/instructors/{cast.inge}/remove")
    assert gone.headers["Location"] == "/instructor/cohorts"
    assert inge.get(settings).status_code == 404


def test_what_was_typed_into_the_settings_stays_beside_its_error(ivan: FlaskClient, cohort_id: int) -> None:
    where = f"/instructor/cohorts/{cohort_id}"
    long = ivan.post(f"{where}/settings", data={"name": "n" * 81})
    assert long.status_code == 422 and "n" * 81 in long.text and 'id="name-error"' in long.text
    nobody = ivan.post(f"{where}/instructors", data={"email": "nobody@example.com"})
    assert (
        nobody.status_code == 422 and 'value="nobody@example.com"' in nobody.text and 'id="email-error"' in nobody.text
    )
    nameless = ivan.post("/instructor/cohorts", data={"name": ""})
    assert nameless.status_code == 422 and 'id="name-error"' in nameless.text


def test_an_invitation_is_withdrawn(app: Flask, ivan: FlaskClient, cohort_id: int) -> None:
    with app.app_context():
        db.session.add(Invitation(cohort_id=cohort_id, email="nina@example.com"))
        db.session.commit()
        number = db.session.scalars(select(Invitation.id)).one()
    path = f"/instructor/cohorts/{cohort_id}/invitations/{number}/withdraw"
    assert "The invitation is withdrawn." in ivan.post(path, follow_redirects=True).text
    assert ivan.post(path).status_code == 404


def test_the_demo_accounts_share_a_class(app: Flask) -> None:
    runner = app.test_cli_runner()
    runner.invoke(args=["accounts", "demo"])
    assert "Demo class" in runner.invoke(args=["cohorts", "demo"]).output
    assert runner.invoke(args=["cohorts", "demo"]).output == ""
    with app.app_context():
        instructor = find_by_email("instructor@example.com")
        (card,) = services.cards(instructor)
        assert (card.cohort.name, card.members) == ("Demo class", 1)
