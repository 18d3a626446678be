"""Who may ask for what: private by default, CSRF, limits, and the headers of every answer.

An endpoint is for signed-in people unless its view is marked `@public`. Nothing here knows a noun's rules:
whether a submission is yours is decided by the query that reads it.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import flask_login
from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app import logs
from app.errors import Forbidden, answer, prefers_json
from config import Config

if TYPE_CHECKING:
    from app.accounts.models import User

View = TypeVar("View", bound=Callable[..., Any])

MAX_BODY_BYTES = 3 * 1024 * 1024 // 2
MAX_FORM_PARTS = 300

csrf = CSRFProtect()
login_manager = LoginManager()


def per_ip() -> str:
    """Return what a limit per visitor counts by: the IPv4 address, or the /64 of an IPv6 one."""
    address = request.remote_addr or "unknown"
    if ":" in address:  # one household holds 2**64 addresses
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    return address


def per_account() -> str:
    """Return what a limit per person counts by: the account, or the address of an anonymous visitor."""
    return f"account:{current_user.id}" if current_user.is_authenticated else per_ip()


# In memory: each process counts for itself, and a restart forgets.
limiter = Limiter(key_func=per_ip, storage_uri="memory://", headers_enabled=True)


def public(view: View) -> View:
    """Mark `view` as open to everybody. Without this mark an endpoint asks for an account."""
    view.is_public = True  # type: ignore[attr-defined] # a mark on the function, read below
    return view


def login_required(view: View) -> View:
    """Ask for an account. Endpoints are private anyway: this says so where it is read, and guards direct calls."""
    return cast(View, flask_login.login_required(view))


def instructor_required(view: View) -> View:
    """Ask for an instructor or an admin; learners get 403, visitors are sent to sign in."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not me().instructs:
            raise Forbidden("This page is for instructors.")
        return view(*args, **kwargs)

    guarded.instructors_only = True  # type: ignore[attr-defined] # likewise
    return cast(View, login_required(guarded))


def admin_required(view: View) -> View:
    """Ask for an admin; others get 403, visitors are sent to sign in."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if me().role != "admin":
            raise Forbidden("This page is for admins.")
        return view(*args, **kwargs)

    guarded.admins_only = True  # type: ignore[attr-defined] # likewise
    return cast(View, login_required(guarded))


def me() -> User:
    """Return the signed-in person. Only for endpoints that are not public."""
    if not current_user.is_authenticated:
        abort(401)
    return cast("User", current_user._get_current_object())


def csp_nonce() -> str:
    """Return this request's nonce: for `<script nonce>` and `<style nonce>` in templates."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    return cast(str, g.csp_nonce)


def safe_next(target: str | None, default: str) -> str:
    """Return `target` if it is a path on this site, else `default`: nobody is sent elsewhere from here."""
    if not target or not target.startswith("/") or target[1:2] in {"/", "\\"}:
        return default
    if any(ord(char) <= 32 or ord(char) == 127 or char == "\\" for char in target):
        return default  # browsers drop tabs and newlines, and read \ as /
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else target


def is_public(endpoint: str) -> bool:
    """Return whether `endpoint` answers visitors without an account."""
    return endpoint == "static" or bool(getattr(current_app.view_functions.get(endpoint), "is_public", False))


def _unauthorized() -> ResponseReturnValue:
    if prefers_json():
        return answer(401)
    wanted = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else None
    return redirect(url_for("accounts.sign_in", next=wanted), 303)


def _private_by_default() -> ResponseReturnValue | None:
    if request.routing_exception or request.endpoint is None or is_public(request.endpoint):
        return None
    return None if current_user.is_authenticated else cast(ResponseReturnValue, login_manager.unauthorized())


def _refuse_nul() -> None:
    # No text column of PostgreSQL holds NUL, and nobody types it.
    if "\x00" in request.path or any("\x00" in value for value in request.args.values()):
        abort(400)
    # Reading the form here also refuses one that is too large, before anything else looks at it.
    if any("\x00" in value for value in request.form.values()):
        abort(400)


def _policy() -> str:
    nonce = csp_nonce()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = _policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"  # Flask-WTF checks the referrer of forms sent over HTTPS
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if cast(Config, current_app.extensions["greenroom.config"]).secure_cookies:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint == "static":
        return response
    if "_user_id" in session:
        headers["Cache-Control"] = "no-store"  # the next person at this computer presses Back
    elif "Cache-Control" not in headers:
        headers["Cache-Control"] = "private, no-cache"  # the page holds a CSRF token of its visitor
    return response


def _cookies(app: Flask, *, secure: bool) -> None:
    app.config.update(
        SESSION_COOKIE_NAME="__Host-greenroom" if secure else "greenroom",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: an exercise page stays open for hours
    )


def init_app(app: Flask) -> None:
    """Wire sign-in, CSRF, limits and headers. The order of the hooks is the order in which they run."""
    config = cast(Config, app.extensions["greenroom.config"])
    _cookies(app, secure=config.secure_cookies)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        RATELIMIT_ENABLED=config.rate_limits,
    )
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # Flask's way
    logs.init_app(app)
    login_manager.init_app(app)
    # "strong" would sign a learner out whenever the phone changes networks.
    login_manager.session_protection = "basic"
    login_manager.unauthorized_handler(_unauthorized)
    app.before_request(_refuse_nul)
    app.before_request(_private_by_default)  # before CSRF: an ended session says "sign in", not "bad request"
    csrf.init_app(app)
    limiter.init_app(app)
    app.after_request(_add_headers)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
