"""Fixtures of the tests of regrades."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import Cast
from tests.unit.regrades.stage import Doubling, make_doubling


@pytest.fixture
def its(app: Flask, cast: Cast) -> Doubling:
    """The exercise, published; Ivan owns it."""
    with app.app_context():
        return make_doubling(cast)
