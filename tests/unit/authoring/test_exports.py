"""What is published goes out as it is, and the site knows what it has seen."""

from __future__ import annotations

import pytest
from flask import Flask

from app.authoring.exports import is_known, published
from app.catalog.format import digest_of, from_files
from app.catalog.models import Exercise
from app.catalog.sync import add_revision
from app.db import db
from app.errors import NotFound
from tests.exercise_folders import FILES, changed
from tests.factories import make_exercise

pytestmark = pytest.mark.both_databases

CHANGED = changed("Give back", "Return\r\n", file="README.md")


def double_it() -> Exercise:
    """FILES, published at calls/double-it."""
    exercise = make_exercise("calls", "double-it", files=FILES, kind="calls")
    assert exercise.current is not None
    exercise.current.digest = digest_of(FILES)
    db.session.commit()
    return exercise


def test_revisions_go_out_by_their_number(app: Flask) -> None:
    with app.app_context():
        exercise = double_it()
        add_revision(exercise, from_files(CHANGED))
        db.session.commit()
        assert [published("calls", "double-it", number).files for number in (None, 1, 2)] == [CHANGED, FILES, CHANGED]
        for place in (("calls", "double-it", 3), ("calls", "triple-it", None)):
            with pytest.raises(NotFound):
                published(*place)


def test_the_site_knows_what_it_has_seen(app: Flask) -> None:
    with app.app_context():
        exercise = double_it()
        exercise.synced_digest = digest_of(CHANGED)
        db.session.commit()
        assert is_known(exercise, FILES) and is_known(exercise, CHANGED)
        assert not is_known(exercise, {**FILES, "README.md": "# Another"})
