"""Drafts: nothing typed is lost, nothing is silently written over."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from app.catalog.models import Exercise
from app.db import db
from app.errors import Invalid
from app.submissions.drafts import (
    StaleDraft,
    draft_of,
    keep_draft,
    language_of,
    reset_draft,
    restore_draft,
    save_draft,
    undo_reset,
)
from app.submissions.models import Purpose
from app.submissions.services import submit
from tests.conftest import Cast
from tests.unit.submissions.exercises import ANSWER, FILES

pytestmark = pytest.mark.both_databases

STARTER = {"app.py": FILES["starter/python/app.py"], "notes.py": FILES["starter/python/notes.py"]}


def files(text: str) -> dict[str, str]:
    return {"app.py": text, "notes.py": ""}


def exercise(id: int) -> Exercise:
    return db.session.get_one(Exercise, id)


def save(learner_id: int, exercise_id: int, version: int, text: str) -> int:
    return save_draft(learner_id, exercise(exercise_id), language="python", version=version, files=files(text)).version


def test_before_the_first_save_the_starter_is_there_as_version_0(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        draft = draft_of(cast.lena, exercise(exercise_id), "python")
        assert (draft.version, draft.files, draft.saved_at, draft.can_undo) == (0, STARTER, None, False)


def test_every_save_raises_the_version_and_belongs_to_one_learner(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        assert [save(cast.lena, exercise_id, n, f"v{n}") for n in range(3)] == [1, 2, 3]
        assert draft_of(cast.lena, exercise(exercise_id), "python").files == files("v2")
        assert draft_of(cast.olaf, exercise(exercise_id), "python").version == 0


@pytest.mark.parametrize("seen", [0, 1, 7])
def test_a_save_over_another_version_is_refused_and_tells_what_stands(
    app: Flask, cast: Cast, exercise_id: int, seen: int
) -> None:
    with app.app_context():
        save(cast.lena, exercise_id, 0, "first tab")
        save(cast.lena, exercise_id, 1, "first tab, later")
        with pytest.raises(StaleDraft) as refused:
            save(cast.lena, exercise_id, seen, "second tab")
        assert (refused.value.current.version, refused.value.current.files) == (2, files("first tab, later"))
        assert draft_of(cast.lena, exercise(exercise_id), "python").files == files("first tab, later")


def test_a_save_sent_twice_is_no_conflict(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        save(cast.lena, exercise_id, 0, "same")
        assert save(cast.lena, exercise_id, 0, "same") == 1


def test_of_saves_at_once_one_wins_and_the_others_are_told(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        save(cast.lena, exercise_id, 0, "before")
    start = threading.Barrier(6)

    def one(number: int) -> str | None:
        with app.app_context():
            start.wait()
            try:
                save(cast.lena, exercise_id, 1, f"tab {number}")
            except StaleDraft:
                return None
            return f"tab {number}"

    with ThreadPoolExecutor(6) as pool:
        won = [text for text in pool.map(one, range(6)) if text]
    with app.app_context():
        assert len(won) == 1
        assert draft_of(cast.lena, exercise(exercise_id), "python").files == files(won[0])


def test_of_first_saves_at_once_one_wins(app: Flask, cast: Cast, exercise_id: int) -> None:
    start = threading.Barrier(4)

    def one(number: int) -> bool:
        with app.app_context():
            start.wait()
            try:
                save(cast.lena, exercise_id, 0, f"tab {number}")
            except StaleDraft:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 1


def test_a_draft_of_other_files_or_languages_is_refused(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        for language, bad in (("python", {"app.py": ""}), ("python", {**ANSWER, "x": ""}), ("cobol", ANSWER)):
            with pytest.raises(Invalid):
                save_draft(cast.lena, it, language=language, version=0, files=bad)


def test_reset_brings_the_starter_back_and_can_be_undone_once(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        save(cast.lena, exercise_id, 0, "an hour of work")
        reset = reset_draft(cast.lena, it, "python")
        assert (reset.files, reset.version, reset.can_undo) == (STARTER, 2, True)
        undone = undo_reset(cast.lena, it, "python")
        assert (undone.files, undone.can_undo) == (files("an hour of work"), False)
        assert undo_reset(cast.lena, it, "python") == undone


def test_a_second_reset_does_not_forget_what_the_first_replaced(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        save(cast.lena, exercise_id, 0, "an hour of work")
        reset_draft(cast.lena, it, "python")
        reset_draft(cast.lena, it, "python")
        assert undo_reset(cast.lena, it, "python").files == files("an hour of work")


def test_after_new_work_an_old_reset_cannot_be_undone(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        save(cast.lena, exercise_id, 0, "old")
        version = reset_draft(cast.lena, it, "python").version
        save(cast.lena, exercise_id, version, "new")
        assert undo_reset(cast.lena, it, "python").files == files("new")


def test_resetting_what_was_never_saved_changes_nothing(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        assert reset_draft(cast.lena, it, "python").version == 0
        with pytest.raises(Invalid):
            reset_draft(cast.lena, it, "cobol")


def test_a_submission_is_restored_over_the_draft_and_that_can_be_undone(
    app: Flask, cast: Cast, exercise_id: int
) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        sent = submit(cast.lena, it, language="python", files=ANSWER, purpose=Purpose.SUBMIT)
        restore_draft(cast.lena, sent)
        assert draft_of(cast.lena, it, "python").files == ANSWER
        save(cast.lena, exercise_id, 1, "newer")
        restore_draft(cast.lena, sent)
        assert draft_of(cast.lena, it, "python").files == ANSWER
        assert undo_reset(cast.lena, it, "python").files == files("newer")


def test_what_is_submitted_is_kept_unless_another_tab_was_newer(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        assert keep_draft(cast.lena, it, language="python", version=0, files=ANSWER) == 1
        assert keep_draft(cast.lena, it, language="python", version=0, files=files("stale")) == 0
        assert draft_of(cast.lena, it, "python").files == ANSWER


def test_the_language_last_written_in_comes_back(app: Flask, cast: Cast, exercise_id: int) -> None:
    with app.app_context():
        it = exercise(exercise_id)
        it.languages = ["node", "python"]
        db.session.commit()
        assert language_of(cast.lena, it) == "node"
        save(cast.lena, exercise_id, 0, "x")
        assert language_of(cast.lena, it) == "python"
        assert language_of(cast.olaf, it) == "node"
