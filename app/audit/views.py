"""The audit log, for admins."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from app.audit import services
from app.security import admin_required

blueprint = Blueprint("audit", __name__)


@blueprint.get("/admin/audit")
@admin_required
def index() -> str:
    """Show who changed what, newest first."""
    found = services.entries(
        action=request.args.get("action", "").strip(),
        subject=request.args.get("subject", "").strip(),
        page=request.args.get("page", default=1, type=int),
    )
    return render_template("audit/index.html", found=found)
