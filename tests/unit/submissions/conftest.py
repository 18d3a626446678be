"""Fixtures of the tests of submissions."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.unit.submissions.exercises import double_it


@pytest.fixture
def exercise_id(app: Flask) -> int:
    """The id of the exercise, published."""
    with app.app_context():
        return double_it().id
