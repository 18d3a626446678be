"""What can go wrong in the site, and the one place that knows status codes.

GreenroomError
├── NotFound        no such thing, or not for this person to know of
├── Forbidden       known, but not theirs to do
├── Invalid         what was sent breaks a rule; `field` names the input
├── Conflict        true when the page was opened, no longer
├── TooMany         too often, or too many at once
└── TooLarge        more than is accepted

The message of a GreenroomError is shown to people: it must be a sentence and hold no secret.
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException, InternalServerError

from app.db import db

log = structlog.get_logger("greenroom")


class GreenroomError(Exception):
    """Base of everything that services raise on purpose."""


class NotFound(GreenroomError):
    """There is no such thing, or this person may not know of it."""


class Forbidden(GreenroomError):
    """This person may not do that."""


class Invalid(GreenroomError):
    """What was sent breaks a rule; `field` names the input, where there is one."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Conflict(GreenroomError):
    """The page is older than what it wants to change."""


class TooMany(GreenroomError):
    """Too often, or too many at once."""


class TooLarge(GreenroomError):
    """More than is accepted."""


STATUS: dict[type[GreenroomError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Invalid: HTTPStatus.BAD_REQUEST,
    Conflict: HTTPStatus.CONFLICT,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}

# What JSON says where nothing more exact is known; the pages have words of their own.
SENTENCES: dict[int, str] = {
    400: "The request could not be understood.",
    401: "Sign in first.",
    403: "You may not do that.",
    404: "There is nothing here.",
    405: "That cannot be done here.",
    409: "This changed meanwhile. Reload the page and try again.",
    413: "That is more than is accepted.",
    415: "That content type is not accepted.",
    429: "Too many requests. Wait a moment and try again.",
    500: "Something broke on our side.",
}


def prefers_json() -> bool:
    """Return whether the answer to this request should be JSON rather than a page."""
    accepts = request.accept_mimetypes
    if request.is_json and not accepts.accept_html:
        return True
    return accepts["application/json"] > accepts["text/html"]


def answer(status: int, message: str = "") -> tuple[str | Response, int]:
    """Return the page, or the JSON `{"error": …}`, for `status`. `message` is shown: it must hold no secret."""
    if prefers_json():
        return jsonify(error=message or SENTENCES.get(status, SENTENCES[400])), status
    try:
        page = render_template(
            f"errors/{status}.html", status=status, message=message, request_id=g.get("request_id", "")
        )
        return page, status
    except TemplateNotFound:
        return render_template("errors/400.html", status=status, message=message or SENTENCES.get(status, "")), status


def _on_greenroom_error(error: GreenroomError) -> ResponseReturnValue:
    db.session.rollback()  # whatever the service had begun; rendering reads the account again
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    return answer(status, str(error))


def _on_http_exception(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400 or error.response is not None:
        return error  # a redirect, or an answer that is already made
    db.session.rollback()
    body, status = answer(error.code)
    headers = [(name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"}]
    return body, status, headers


def _on_csrf_error(_error: CSRFError) -> ResponseReturnValue:
    return answer(400, "This form is too old, or did not come from this site. Reload the page and send it again.")


def _on_unexpected(_error: InternalServerError) -> ResponseReturnValue:
    if prefers_json():
        return jsonify(error=SENTENCES[500]), 500
    # Not render_template: its context processors ask for the account, and the database may be what broke.
    page = current_app.jinja_env.get_template("errors/500.html")
    return page.render(request_id=g.get("request_id", "")), 500


def init_app(app: Flask) -> None:
    """Answer every error with a friendly page, or JSON for scripts, that tells nothing of the inside."""
    app.log_exception = lambda exc_info: log.error("request.failed", exc_info=exc_info)  # type: ignore[method-assign] # ours
    app.register_error_handler(GreenroomError, _on_greenroom_error)
    app.register_error_handler(CSRFError, _on_csrf_error)
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(InternalServerError, _on_unexpected)
