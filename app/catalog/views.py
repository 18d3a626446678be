"""The catalogue page."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("catalog", __name__)
