"""The first page, registering, signing in and out, settings."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user

from app.accounts import services
from app.accounts.forms import PasswordForm, RegisterForm, SettingsForm, SignInForm
from app.accounts.landing import tracks
from app.accounts.models import User
from app.accounts.passwords import MIN_LENGTH
from app.errors import Invalid
from app.security import limiter, login_required, me, per_account, public, safe_next

blueprint = Blueprint("accounts", __name__)

HOME = "/progress"


def _per_email() -> str:
    return "email:" + services.tidy_email(request.form.get("email", ""))[:254]


def _start_session(person: User) -> None:
    session.clear()  # nothing of the visitor's session, its CSRF token included, lives on
    session.permanent = True
    login_user(person)


@blueprint.get("/")
@public
def landing() -> ResponseReturnValue:
    """Show visitors what this is; send signed-in people to their progress."""
    if current_user.is_authenticated:
        return redirect(HOME)
    return render_template("accounts/landing.html", tracks=tracks())


@blueprint.route("/register", methods=["GET", "POST"])
@public
@limiter.limit("20/minute;120/hour", methods=["POST"])
def register() -> ResponseReturnValue:
    """Create an account. The answer is the same where the e-mail has one already."""
    if current_user.is_authenticated:
        return redirect(HOME)
    form = RegisterForm()
    if form.validate_on_submit():
        wanted = services.Registration(
            email=form.email.data, name=form.name.data, password=form.password.data, time_zone=form.time_zone.data
        )
        try:
            services.register(wanted)
        except Invalid as error:
            form[error.field].errors = [error.message]
        else:
            session["registered"] = services.tidy_email(wanted.email)
            return redirect(url_for("accounts.sign_in", next=safe_next(request.args.get("next"), "") or None), 303)
    status = 422 if form.errors or _has_errors(form) else 200
    return render_template("accounts/register.html", form=form, min_length=MIN_LENGTH), status


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit("60/minute", methods=["POST"])
@limiter.limit("10/minute;100/hour", key_func=_per_email, methods=["POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in, then go to where the person was heading."""
    wanted = safe_next(request.values.get("next"), HOME)
    if current_user.is_authenticated:
        return redirect(wanted)
    form = SignInForm(email=session.get("registered", ""))
    form.next.data = wanted
    refused = False
    if form.validate_on_submit():
        person = services.sign_in(form.email.data, form.password.data)
        if person is not None:
            _start_session(person)
            return redirect(wanted, 303)
        refused = True
    page = render_template(
        "accounts/sign_in.html", form=form, refused=refused, registered="registered" in session, wanted=wanted
    )
    return page, 422 if refused or form.errors else 200


@blueprint.post("/sign-out")
@public  # so that a session that has just ended still ends where people expect
def sign_out() -> ResponseReturnValue:
    """End this session."""
    session.clear()
    flash("You are signed out.", "success")
    return redirect(url_for("accounts.landing"), 303)


@blueprint.get("/settings")
@login_required
def settings() -> ResponseReturnValue:
    """Show what a person can choose."""
    return _settings_page(SettingsForm(obj=me(), prefix="you"), PasswordForm(prefix="password"))


@blueprint.post("/settings")
@login_required
def save_settings() -> ResponseReturnValue:
    """Keep name, time zone and theme."""
    form = SettingsForm(prefix="you")
    if form.validate_on_submit():
        try:
            services.change_settings(me().id, name=form.name.data, time_zone=form.time_zone.data, theme=form.theme.data)
        except Invalid as error:
            form[error.field].errors = [error.message]
        else:
            flash("Your settings are saved.", "success")
            return redirect(url_for("accounts.settings"), 303)
    return _settings_page(form, PasswordForm(formdata=None, prefix="password")), 422


@blueprint.post("/settings/password")
@login_required
@limiter.limit("10/minute", key_func=per_account)
def change_password() -> ResponseReturnValue:
    """Set a new password; other sessions of this person end, this one goes on."""
    form = PasswordForm(prefix="password")
    if form.validate_on_submit():
        try:
            person = services.change_password(me().id, current=form.current.data, new=form.new.data)
        except Invalid as error:
            form[error.field].errors = [error.message]
        else:
            _start_session(person)
            flash("Your password is changed. Every other session is signed out.", "success")
            return redirect(url_for("accounts.settings"), 303)
    return _settings_page(SettingsForm(formdata=None, obj=me(), prefix="you"), form), 422


@blueprint.post("/settings/sessions")
@login_required
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere else."""
    _start_session(services.end_sessions(me().id))
    flash("Every other session is signed out.", "success")
    return redirect(url_for("accounts.settings"), 303)


def _settings_page(form: SettingsForm, password: PasswordForm) -> str:
    return render_template("accounts/settings.html", form=form, password=password, min_length=MIN_LENGTH)


def _has_errors(form: RegisterForm) -> bool:
    return any(field.errors for field in form)
