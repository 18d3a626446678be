"""The forms of the pages where exercises are written. What is acceptable is decided in the services."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from app.catalog import kinds


class NewExerciseForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Begins an exercise."""

    kind = RadioField("Kind", [InputRequired("Choose a kind.")], validate_choice=False)  # start() knows the kinds
    title = StringField("Title", [InputRequired("Write a title."), Length(max=160)])
    track = StringField("Track", [InputRequired("Choose a track."), Length(max=40)])
    slug = StringField("Name in addresses", [InputRequired("Write a name like late-orders."), Length(max=60)])

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        every = kinds.all_kinds().values()
        self.kind.choices = [SelectChoice(kind.name, f"{kind.label}: {kind.answer}") for kind in every]


class ImportForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Brings an exercise in."""

    archive = FileField("Archive", [FileRequired("Choose a zip archive.")])
    track = StringField("Track", [Length(max=40)])
    slug = StringField("Name in addresses", [Length(max=60)])
