"""The forms of the account pages. What makes a name or password acceptable is decided in services."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Regexp

from app.accounts.clock import time_zones
from app.accounts.models import Theme
from app.accounts.passwords import MAX_LENGTH, MIN_LENGTH
from app.accounts.services import EMAIL

_SHAPE = "Enter an e-mail address like name@example.com."
_SIZE = f"Choose a password of {MIN_LENGTH} to {MAX_LENGTH} characters."


class RegisterForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """Asks for an account."""

    name = StringField("Name", [InputRequired("Enter your name."), Length(max=80)])
    email = EmailField("E-mail", [InputRequired("Enter your e-mail."), Length(max=254), Regexp(EMAIL, message=_SHAPE)])
    password = PasswordField("Password", [InputRequired("Choose a password."), Length(MIN_LENGTH, MAX_LENGTH, _SIZE)])
    time_zone = HiddenField(default="UTC")


class SignInForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Signs in. Says nothing of which part was wrong."""

    email = EmailField("E-mail", [InputRequired("Enter your e-mail."), Length(max=254)])
    password = PasswordField("Password", [InputRequired("Enter your password."), Length(max=MAX_LENGTH)])
    next = HiddenField()


class SettingsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Name, time zone and theme."""

    name = StringField("Name", [InputRequired("Enter your name."), Length(max=80)])
    time_zone = SelectField("Time zone")
    theme = RadioField(
        "Theme",
        choices=[
            SelectChoice(Theme.AUTO.value, "As the device"),
            SelectChoice(Theme.LIGHT.value, "Light"),
            SelectChoice(Theme.DARK.value, "Dark"),
        ],
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.time_zone.choices = [SelectChoice(zone) for zone in time_zones()]


class PasswordForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Changes the password."""

    current = PasswordField("Current password", [InputRequired("Enter your current password.")])
    new = PasswordField("New password", [InputRequired("Choose a password."), Length(MIN_LENGTH, MAX_LENGTH, _SIZE)])
