"""The learner's dashboard, and the attempts behind each of its figures."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("progress", __name__)
