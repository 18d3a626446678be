"""The form of a new regrade. What is acceptable is decided in services."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice

from app.catalog.models import Revision
from app.errors import Invalid
from app.regrades.screen import Prospect
from app.regrades.services import Which, Wish

ANY = "any"


class RegradeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Asks what to judge again, with what, and why."""

    revision = SelectField("Judge with")
    which = SelectField(
        "Which submissions",
        choices=[
            SelectChoice(Which.EVERY.value, "Every one that counts"),
            SelectChoice(Which.LATEST.value, "Each learner’s latest"),
            SelectChoice(Which.ACCEPTED.value, "Accepted ones"),
        ],
    )
    judged_with = SelectField("Judged so far with")
    reason = TextAreaField("Reason, for the learners")

    def __init__(self, prospect: Prospect) -> None:
        current = prospect.exercise.current_revision_id
        super().__init__(revision=str(current))
        self.revision.choices = [
            SelectChoice(str(each.id), _named(each) + (", the current one" if each.id == current else ""))
            for each in prospect.revisions
        ]
        self.judged_with.choices = [
            SelectChoice(ANY, f"Any revision ({prospect.total})"),
            *(
                SelectChoice(str(each.id), f"{_named(each)} ({prospect.judged_with[each.id]})")
                for each in prospect.revisions
                if each.id in prospect.judged_with
            ),
        ]

    def wish(self) -> Wish:
        """Return what was asked for; call it once the form is valid."""
        judged_with = self.judged_with.data
        return Wish(
            revision_id=int(self.revision.data),
            which=Which(self.which.data),
            judged_with=None if judged_with == ANY else int(judged_with),
            reason=self.reason.data or "",
        )

    def refuse(self, error: Invalid) -> None:
        """Show the error at the field that it is about."""
        self[error.field].errors = [error.message]


def _named(revision: Revision) -> str:
    return f"Revision {revision.number}: {revision.note}"[:80] if revision.note else f"Revision {revision.number}"
