"""What instructors see of exercises."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("authoring", __name__)
