"""Whose is it? Every route with an id in its address, asked by everybody. A new one must be added to MATRIX.

Everything of Lena's holds the word canaria: her name, her draft, her submission, what it printed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts.models import User
from app.authoring.models import WorkingCopy
from app.authoring.prover import prove
from app.authoring.transfer import from_zip
from app.catalog.models import Exercise
from app.cohorts.models import Cohort, CohortMember, Invitation
from app.comments.message_templates import add as add_template
from app.comments.message_templates import templates_of
from app.comments.services import open_thread
from app.db import db, now
from app.notices.services import latest, notify
from app.progress.models import Attempt, Help
from app.progress.services import open_hint, open_solution, record_attempt
from app.regrades.models import Regrade, RegradeItem
from app.similarity.models import SimilarityPair, SimilarityRun
from app.submissions.models import Draft, Submission
from tests.conftest import Cast, signed_in
from tests.factories import make_assignment, make_cohort, make_draft, make_person, make_submission
from tests.unit.submissions.exercises import ANSWER, URL, double_it
from tests.unit.submissions.exercises import FILES as EXERCISE

SECRET = "canaria"
SOLUTION = "# the reference"
SIGN_IN = 303  # and the address of the page to sign in at
PEOPLE = ("visitor", "olaf", "lena", "ivan", "ada")
EVERYBODY = (*PEOPLE, "inge")  # who instructs others: nothing of Lena's is there for her


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """What belongs to Lena."""

    lena: int
    submission: int
    draft_version: int
    notice: int
    cohort: int
    code: str
    invitation: int  # of somebody else
    invited: int  # Lena, to another class
    copy: int  # Ivan's; it names her
    proof: str  # of another copy of his: the address
    thread: int
    template: int  # of Ivan's
    assignment: int
    regrade: int
    search: int  # for similar submissions, by Ivan
    pair: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What each of PEOPLE gets from one route, and who reads something of Lena's there.

    Inge gets what Ivan gets where he reads nothing of Lena's, else 404, unless `inge` says otherwise.
    """

    path: Callable[[Things], str]
    gets: tuple[int, int, int, int, int]
    told: frozenset[str]
    sends: Callable[[Things], dict[str, Any]] = field(default=lambda _things: {})
    inge: int | None = None

    def of(self, person: str) -> int:
        """Return what one of EVERYBODY gets."""
        if person != "inge":
            return self.gets[PEOPLE.index(person)]
        return self.inge or (404 if "ivan" in self.told else self.of("ivan"))


LENA = frozenset({"lena"})
STAFF = frozenset({"ivan", "ada"})
NOBODY: frozenset[str] = frozenset()
REGRADES = URL.replace("/exercises/", "/instructor/exercises/") + "/regrades"

FORM = {"language": "python", "draft_version": "0", "purpose": "submit"}
FILES = {f"files[{path}]": text for path, text in ANSWER.items()}


def report(path: str) -> Row:
    """A page about Lena: for herself, her instructor and admins."""
    return Row(path=lambda its: f"/reports/learner/{its.lena}{path}", gets=(303, 404, 200, 200, 200), told=LENA | STAFF)


def cohort_page(path: str) -> Row:
    """A page about Lena's class: for its instructor and admins."""
    return Row(path=lambda its: f"/instructor/cohorts/{its.cohort}{path}", gets=(303, 403, 403, 200, 200), told=STAFF)


def cohort_form(path: Callable[[Things], str], *, status: int = 303, **form: str) -> Row:
    """What changes Lena's class: for its instructor and admins."""
    return Row(
        path=lambda its: f"/instructor/cohorts/{its.cohort}{path(its)}",
        gets=(SIGN_IN, 403, 403, status, status),
        told=NOBODY,
        sends=lambda its: {"data": form},
        inge=404,
    )


def copy(path: str, gets: tuple[int, int, int, int, int] = (303, 403, 403, 303, 303), **more: Any) -> Row:
    """What is sent to Ivan's working copy; admins may do as he does, another instructor finds none."""
    return Row(path=lambda its: f"/instructor/copies/{its.copy}{path}", gets=gets, told=NOBODY, inge=404, **more)


def proof(path: str, gets: tuple[int, int, int, int, int]) -> Row:
    """A page about a proof of Ivan's."""
    return Row(path=lambda its: f"{its.proof}{path}", gets=gets, told=NOBODY, inge=404)


def assignment_page(path: str, status: int = 200, told: frozenset[str] = frozenset()) -> Row:
    """A page about an assignment of Lena's class: for its instructor and admins."""
    return Row(
        path=lambda its: f"/instructor/cohorts/{its.cohort}/assignments/{its.assignment}{path}",
        gets=(SIGN_IN, 403, 403, status, status),
        told=told,
        inge=404,
    )


def regrade(path: Callable[[Things], str], status: int, told: frozenset[str] = NOBODY) -> Row:
    """A page of regrades of the exercise, which is of the house. What owners get: tests/unit/regrades/test_views.py."""
    return Row(path=path, gets=(SIGN_IN, 403, 403, 404, status), told=told)


def invited(answer: str) -> Row:
    """An invitation to Lena, answered."""
    return Row(
        path=lambda its: f"/cohorts/invitations/{its.invited}/{answer}", gets=(SIGN_IN, 404, 303, 404, 404), told=NOBODY
    )


MATRIX = {
    "GET submissions.solve": Row(path=lambda its: URL, gets=(200, 200, 200, 200, 200), told=LENA),
    "PUT submissions.save_draft": Row(
        path=lambda its: f"{URL}/draft",
        gets=(401, 409, 200, 409, 409),
        told=NOBODY,
        sends=lambda its: {"json": {"language": "python", "version": its.draft_version, "files": ANSWER}},
    ),
    "POST submissions.reset": Row(
        path=lambda its: f"{URL}/reset",
        gets=(SIGN_IN, 303, 303, 303, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"language": "python"}},
    ),
    "POST submissions.open_hint": Row(  # Lena has opened the first; nobody else may open the second yet
        path=lambda its: f"{URL}/hints",
        gets=(SIGN_IN, 409, 303, 409, 409),
        told=NOBODY,
        sends=lambda its: {"data": {"language": "python", "position": "2"}},
    ),
    "POST submissions.open_solution": Row(
        path=lambda its: f"{URL}/solution",
        gets=(SIGN_IN, 303, 303, 303, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"language": "python", "sure": "yes"}},
    ),
    "POST submissions.create": Row(
        path=lambda its: f"{URL}/submissions",
        gets=(SIGN_IN, 303, 303, 303, 303),
        told=NOBODY,
        sends=lambda its: {"data": {**FORM, **FILES}},
    ),
    "GET submissions.show": Row(
        path=lambda its: f"/submissions/{its.submission}", gets=(SIGN_IN, 404, 200, 200, 200), told=LENA | STAFF
    ),
    "GET submissions.fragment": Row(
        path=lambda its: f"/submissions/{its.submission}/fragment",
        gets=(SIGN_IN, 404, 200, 200, 200),
        told=LENA | STAFF,
    ),
    "GET submissions.events": Row(
        path=lambda its: f"/submissions/{its.submission}/events", gets=(SIGN_IN, 404, 204, 404, 404), told=NOBODY
    ),
    "POST submissions.restore": Row(
        path=lambda its: f"/submissions/{its.submission}/restore", gets=(SIGN_IN, 404, 303, 404, 404), told=NOBODY
    ),
    "POST comments.open_thread": Row(
        path=lambda its: f"/submissions/{its.submission}/threads",
        gets=(SIGN_IN, 404, 403, 303, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"file": "app.py", "line": "1", "body": "Why?"}},
        inge=404,
    ),
    "POST comments.answer": Row(
        path=lambda its: f"/threads/{its.thread}/answers",
        gets=(SIGN_IN, 404, 303, 303, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"body": "Because."}},
        inge=404,
    ),
    "POST comments.resolve": Row(
        path=lambda its: f"/threads/{its.thread}/resolve", gets=(SIGN_IN, 404, 303, 403, 403), told=NOBODY, inge=404
    ),
    "POST comments.reopen": Row(
        path=lambda its: f"/threads/{its.thread}/reopen", gets=(SIGN_IN, 404, 303, 303, 303), told=NOBODY, inge=404
    ),
    "POST comments.change_template": Row(
        path=lambda its: f"/instructor/message-templates/{its.template}",
        gets=(SIGN_IN, 403, 403, 303, 404),
        told=NOBODY,
        sends=lambda its: {"data": {"title": "Names", "body": "Say what it is."}},
        inge=404,
    ),
    "POST comments.remove_template": Row(
        path=lambda its: f"/instructor/message-templates/{its.template}/remove",
        gets=(SIGN_IN, 403, 403, 303, 404),
        told=NOBODY,
        inge=404,
    ),
    "POST impersonation.begin": Row(
        path=lambda its: f"/instructor/learners/{its.lena}/act",
        gets=(SIGN_IN, 403, 403, 303, 303),
        told=NOBODY,
        inge=404,
    ),
    "GET similarity.show": Row(  # Ivan's search; Inge has none
        path=lambda its: f"/instructor/similarity/{its.search}", gets=(SIGN_IN, 403, 403, 200, 200), told=STAFF
    ),
    "GET similarity.pair": Row(
        path=lambda its: f"/instructor/similarity/pairs/{its.pair}", gets=(SIGN_IN, 403, 403, 200, 200), told=STAFF
    ),
    "POST similarity.judge": Row(
        path=lambda its: f"/instructor/similarity/pairs/{its.pair}/judgement",
        gets=(SIGN_IN, 403, 403, 303, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"judgement": "dismissed", "note": "Short."}},
        inge=404,
    ),
    "POST notices.open_notice": Row(
        path=lambda its: f"/notices/{its.notice}/open", gets=(SIGN_IN, 404, 303, 404, 404), told=NOBODY
    ),
    "GET reports.learner_report": report(""),
    "GET reports.learner_csv": report(".csv"),
    "GET reports.learner_attempts": report("/attempts"),
    "GET authoring.show": Row(
        path=lambda its: URL.replace("/exercises/", "/instructor/exercises/"),
        gets=(SIGN_IN, 403, 403, 200, 200),
        told=STAFF,
        inge=200,  # the exercise, but no submission of Lena's
    ),
    "GET cohorts.invitation": Row(
        path=lambda its: f"/join/{its.code}", gets=(SIGN_IN, 200, 200, 200, 200), told=LENA, inge=200
    ),
    "POST cohorts.accept": Row(
        path=lambda its: f"/join/{its.code}", gets=(SIGN_IN, 303, 303, 409, 303), told=NOBODY, inge=303
    ),
    "POST cohorts.leave": Row(
        path=lambda its: f"/cohorts/{its.cohort}/leave", gets=(SIGN_IN, 404, 303, 404, 404), told=NOBODY
    ),
    "GET cohorts.members": cohort_page("/members"),
    "POST cohorts.add_members": Row(
        path=lambda its: f"/instructor/cohorts/{its.cohort}/members",
        gets=(SIGN_IN, 403, 403, 422, 422),  # without a file; the page around it names the members
        told=STAFF,
        inge=404,
    ),
    "POST cohorts.remove_member": cohort_form(lambda its: f"/members/{its.lena}/remove"),
    "POST cohorts.accept_invitation": invited("accept"),
    "POST cohorts.decline_invitation": invited("decline"),
    "POST cohorts.withdraw_invitation": cohort_form(lambda its: f"/invitations/{its.invitation}/withdraw"),
    "GET cohorts.settings": Row(
        path=lambda its: f"/instructor/cohorts/{its.cohort}/settings",
        gets=(SIGN_IN, 403, 403, 200, 200),
        told=NOBODY,
        inge=404,
    ),
    "POST cohorts.save_settings": cohort_form(lambda its: "/settings", name="Renamed"),
    "POST cohorts.rotate_code": cohort_form(lambda its: "/code"),
    "POST cohorts.archive": cohort_form(lambda its: "/archive"),
    "POST cohorts.add_instructor": cohort_form(lambda its: "/instructors", email="inge@example.com"),
    "POST people.change_role": Row(
        path=lambda its: f"/admin/people/{its.lena}/role",
        gets=(SIGN_IN, 403, 403, 403, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"role": "learner"}},
    ),
    "GET assignments.show": Row(
        path=lambda its: f"/assignments/{its.assignment}", gets=(SIGN_IN, 404, 200, 404, 404), told=LENA
    ),
    "GET assignments.board": cohort_page(""),
    "GET assignments.board_csv": assignment_page(".csv", told=STAFF),
    "GET assignments.extensions": assignment_page("/extensions", told=STAFF),
    "POST assignments.extensions": assignment_page("/extensions", 422, told=STAFF),
    "GET assignments.edit": assignment_page(""),
    "POST assignments.edit": assignment_page("", 422),
    "POST assignments.delete": assignment_page("/delete", 303),
    "GET assignments.create": cohort_form(lambda its: "/assignments/new", status=200),
    "POST assignments.create": cohort_form(lambda its: "/assignments/new", status=422),
    "POST cohorts.remove_instructor": cohort_form(lambda its: f"/instructors/{its.lena}/remove", status=404),
    "GET authoring.compare": Row(
        path=lambda its: URL.replace("/exercises/", "/instructor/exercises/") + "/compare",
        gets=(SIGN_IN, 403, 403, 200, 200),
        told=NOBODY,
        inge=200,
    ),
    "GET transfer.export": Row(
        path=lambda its: URL.replace("/exercises/", "/instructor/exercises/") + "/export.zip",
        gets=(SIGN_IN, 403, 403, 200, 200),
        told=NOBODY,
        inge=200,
    ),
    "GET transfer.export_copy": replace(copy("/export.zip", (SIGN_IN, 403, 403, 200, 200)), told=STAFF),
    "POST copies.fork": Row(
        path=lambda its: URL.replace("/exercises/", "/instructor/exercises/") + "/fork",
        gets=(SIGN_IN, 403, 403, 303, 303),
        told=NOBODY,
        inge=303,
    ),
    "POST copies.revise": Row(  # the exercise is of the house: for admins
        path=lambda its: URL.replace("/exercises/", "/instructor/exercises/") + "/revise",
        gets=(SIGN_IN, 403, 403, 403, 303),
        told=NOBODY,
        inge=403,
    ),
    "GET copies.edit": replace(copy("", (SIGN_IN, 403, 403, 200, 200)), told=STAFF),
    "GET copies.changes": replace(copy("/changes", (SIGN_IN, 403, 403, 200, 200)), told=STAFF),
    "PUT copies.save": copy(
        "/files",
        (401, 403, 403, 200, 200),
        sends=lambda its: {"json": {"version": 1, "changed": {}, "removed": []}},
    ),
    "POST copies.preview": copy("/preview", (401, 403, 403, 200, 200), sends=lambda its: {"json": {"text": "x"}}),
    "POST copies.save_file": copy(
        "/save", sends=lambda its: {"data": {"path": "data/x", "text": "x", "draft_version": "1"}}
    ),
    "POST copies.create_file": copy("/create", sends=lambda its: {"data": {"path": "data/x"}}),
    "POST copies.upload": copy(
        "/upload", sends=lambda its: {"data": {"folder": "data", "files": (BytesIO(b"x"), "x")}}
    ),
    "POST copies.rename_file": copy("/rename", sends=lambda its: {"data": {"path": "README.md", "to": "READ.md"}}),
    "POST copies.remove_file": copy("/remove", sends=lambda its: {"data": {"path": "README.md"}}),
    "POST copies.move": copy("/move", sends=lambda its: {"data": {"track": "apis", "slug": "other"}}),
    "POST copies.try_as_learner": copy("/try"),
    "POST copies.discard": copy("/delete"),
    "POST proofs.create": copy("/proofs"),
    "GET proofs.show": proof("", (SIGN_IN, 403, 403, 200, 200)),
    "GET proofs.fragment": proof("/fragment", (SIGN_IN, 403, 403, 200, 200)),
    "GET proofs.events": proof("/events?after=999999", (SIGN_IN, 403, 403, 204, 204)),
    "POST proofs.publish": copy("/publish", (SIGN_IN, 403, 403, 409, 409)),  # it is not proven
    "POST proofs.show_in_catalogue": Row(  # the exercise is of the house: for admins
        path=lambda its: URL.replace("/exercises/", "/instructor/exercises/") + "/shown",
        gets=(SIGN_IN, 403, 403, 404, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"shown": "yes"}},
    ),
    "GET proofs.offer": Row(
        path=lambda its: f"/instructor/submissions/{its.submission}/wrong",
        gets=(SIGN_IN, 403, 403, 404, 200),
        told=NOBODY,
    ),
    "POST proofs.adopt": Row(
        path=lambda its: f"/instructor/submissions/{its.submission}/wrong",
        gets=(SIGN_IN, 403, 403, 404, 303),
        told=NOBODY,
        sends=lambda its: {"data": {"name": "mine", "reason": "Wrong."}},
    ),
    "GET regrades.index": regrade(lambda its: REGRADES, 200),
    "GET regrades.new": regrade(lambda its: f"{REGRADES}/new", 200),
    "POST regrades.create": regrade(lambda its: f"{REGRADES}/new", 422),
    "GET regrades.show": regrade(
        lambda its: f"/instructor/regrades/{its.regrade}?show=all", 200, told=frozenset({"ada"})
    ),
    "POST regrades.apply": regrade(lambda its: f"/instructor/regrades/{its.regrade}/apply", 303),
    "POST regrades.discard": regrade(lambda its: f"/instructor/regrades/{its.regrade}/discard", 303),
}


@pytest.fixture
def things(app: Flask, cast: Cast, cohort_id: int) -> Things:
    """Lena has opened help, keeps a draft, and has solved the exercise."""
    with app.app_context():
        lena, exercise = db.session.get_one(User, cast.lena), double_it()
        lena.name = f"Lena {SECRET}"
        draft = make_draft(lena, exercise, language="python", files={**ANSWER, "notes.py": f"# {SECRET} draft\n"})
        submission = make_submission(
            lena,
            exercise,
            verdict="accepted",
            language="python",
            files={**ANSWER, "notes.py": f"# {SECRET} code\n"},
            output=f"{SECRET} printed this",
            judged_at=now(),
        )
        open_hint(lena.id, exercise.id, 1)
        open_solution(lena.id, exercise.id)
        record_attempt(submission_id=submission.id, learner_id=lena.id, exercise_id=exercise.id, solved=True, at=now())
        notify(lena.id, "submission.regraded", f"{SECRET} was regraded", "/progress")
        files = {**EXERCISE, "README.md": f"{EXERCISE['README.md']}\n{SECRET} said so.\n"}
        working = WorkingCopy(owner_id=cast.ivan, track="apis", slug="mine", files=files)
        unfinished = WorkingCopy(owner_id=cast.ivan, track="apis", slug="unfinished", files={"README.md": SECRET})
        db.session.add_all([working, unfinished])
        row = Regrade(exercise=exercise, revision=exercise.current, reason="Mended.", created_by_id=cast.ivan)
        db.session.add(row)
        db.session.flush()
        item = RegradeItem(regrade_id=row.id, submission_id=submission.id, old_verdict="accepted", why_not="Not now.")
        db.session.add(item)
        db.session.commit()
        ivan = db.session.get_one(User, cast.ivan)
        thread = open_thread(ivan, submission.id, file="app.py", line="1", body=f"{SECRET} comment")
        add_template(ivan.id, title="Names", body="Say what it is.")
        pair = similar_to(submission, ivan, cohort_id)
        cohort = db.session.get_one(Cohort, cohort_id)
        invitation = Invitation(cohort_id=cohort_id, email="nina@example.com")
        inges = make_cohort(instructor=db.session.get_one(User, cast.inge))
        own = Invitation(cohort_id=inges.id, email="lena@example.com")
        db.session.add_all([invitation, own])
        db.session.commit()
        return Things(
            lena=lena.id,
            submission=submission.id,
            draft_version=draft.version,
            notice=latest(lena.id)[-1].id,
            cohort=cohort_id,
            code=cohort.join_code,
            invitation=invitation.id,
            invited=own.id,
            copy=working.id,
            proof=f"/instructor/copies/{unfinished.id}/proofs/{prove(cast.ivan, unfinished, now()).id}",
            thread=thread.id,
            template=templates_of(ivan.id)[0].id,
            assignment=make_assignment(cohort_id, exercise).id,
            regrade=row.id,
            search=pair.run_id,
            pair=pair.id,
        )


def similar_to(submission: Submission, ivan: User, cohort_id: int) -> SimilarityPair:
    """Return a pair that Ivan's search found: Lena's submission, and one of somebody else in her class."""
    nora = make_person("Nora")
    db.session.add(CohortMember(cohort_id=cohort_id, learner_id=nora.id))
    other = make_submission(nora, submission.exercise, verdict="accepted", judged_at=now())
    run = SimilarityRun(exercise_id=submission.exercise_id, threshold=50, created_by_id=ivan.id, stage="done")
    lines = {"first_lines": {"app.py": [[1, 2]]}, "second_lines": {}}
    pair = SimilarityPair(
        run=run, first_id=submission.id, second_id=other.id, first_share=0.9, second_share=0.8, **lines
    )
    db.session.add(pair)
    db.session.commit()
    return pair


def browser_of(person: str, app: Flask, cast: Cast) -> FlaskClient:
    """Return the browser of one of PEOPLE."""
    return app.test_client() if person == "visitor" else signed_in(app, getattr(cast, person))


def rows_of(app: Flask, learner_id: int) -> list[tuple[Any, ...]]:
    """Return every column of whatever the database holds of a learner."""
    with app.app_context():
        return [
            (model.__tablename__, *(getattr(row, column.name) for column in model.__table__.columns))
            for model in (Draft, Submission, Help, Attempt)
            for row in db.session.scalars(select(model).where(model.learner_id == learner_id).order_by(model.id))
        ]


def ask(browser: FlaskClient, route: str, things: Things) -> TestResponse:
    """Send the request of one row of the matrix."""
    row = MATRIX[route]
    return browser.open(row.path(things), method=route.split()[0], **row.sends(things))


def text_of(answer: TestResponse) -> str:
    """Return what is read in an answer, also in the files of an archive."""
    return "\n".join(from_zip(answer.data).files.values()) if answer.mimetype == "application/zip" else answer.text


def routes_with_ids(app: Flask) -> set[str]:
    """Return each route whose address names something, as `METHOD endpoint`."""
    return {
        f"{method} {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.arguments and rule.endpoint != "static"
    }


def test_every_route_with_an_id_is_in_the_matrix(app: Flask) -> None:
    assert routes_with_ids(app) == set(MATRIX)


@pytest.mark.own_site
def test_a_new_route_with_an_id_would_be_missed(app: Flask) -> None:
    app.add_url_rule("/certificates/<int:certificate_id>", "certificates.show", lambda certificate_id: "")
    assert routes_with_ids(app) - set(MATRIX) == {"GET certificates.show"}


@pytest.mark.parametrize("person", EVERYBODY)
@pytest.mark.parametrize("route", MATRIX)
def test_everybody_gets_what_the_matrix_says(app: Flask, cast: Cast, things: Things, route: str, person: str) -> None:
    before = rows_of(app, things.lena)
    answer = ask(browser_of(person, app, cast), route, things)
    row = MATRIX[route]
    assert answer.status_code == row.of(person), answer.text
    if person == "visitor" and answer.status_code == SIGN_IN:
        assert answer.headers["Location"].startswith("/sign-in")
    if answer.status_code == 200 and route.startswith("GET"):
        assert (SECRET in text_of(answer)) == (person in row.told)
    elif person not in row.told | {"lena"}:
        assert SECRET not in text_of(answer)
    if person != "lena":
        assert rows_of(app, things.lena) == before, "somebody else changed what is Lena's"


@pytest.mark.parametrize("person", PEOPLE)
def test_the_solution_is_for_her_who_solved_it(app: Flask, cast: Cast, things: Things, person: str) -> None:
    page = ask(browser_of(person, app, cast), "GET submissions.solve", things).text
    assert (SOLUTION in page) == (person == "lena")


@pytest.mark.parametrize("person", ["olaf", "ivan", "inge", "ada"])
def test_nobody_compares_their_own_submission_with_hers(app: Flask, cast: Cast, things: Things, person: str) -> None:
    with app.app_context():
        exercise = db.session.scalars(select(Exercise)).one()
        someone = db.session.get_one(User, getattr(cast, person))
        own = make_submission(someone, exercise, verdict="accepted", language="python", files=ANSWER, judged_at=now())
        own_id = own.id
    answer = browser_of(person, app, cast).get(f"/submissions/{own_id}?against={things.submission}")
    assert answer.status_code == 404
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "path", ["/progress", "/progress/attempts", "/progress/attempts?exercise=1", "/exercises", "/settings"]
)
def test_pages_without_an_id_show_ones_own(olaf: FlaskClient, things: Things, path: str) -> None:
    answer = olaf.get(path)
    assert answer.status_code == 200
    assert SECRET not in answer.text
