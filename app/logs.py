"""One log line per event, ids as fields: readable here, JSON in production."""

from __future__ import annotations

import logging
import secrets
import sys
import time

import structlog
from flask import Flask, Response, g, request, session

from config import Config

log = structlog.get_logger("greenroom")


def configure(config: Config) -> None:
    """Send the site's log lines to standard error."""
    renderer: structlog.typing.Processor = structlog.processors.LogfmtRenderer(
        key_order=["timestamp", "level", "event"], bool_as_flag=False
    )
    tracebacks: structlog.typing.Processor = structlog.processors.format_exc_info
    if config.production:
        renderer = structlog.processors.JSONRenderer()
        # Without local variables: they hold passwords, learners' code and hidden tests.
        tracebacks = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            tracebacks,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logger = logging.getLogger("greenroom")
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stderr))


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers["X-Request-ID"] = g.request_id
    if request.endpoint != "static":
        # The path without its query: a search or a token in it is nobody's business.
        log.info(
            "request.answered",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - g.started) * 1000, 1),
            user=str(session.get("_user_id", "")).partition(".")[0] or None,
        )
    return response


def init_app(app: Flask) -> None:
    """Give every request an id and log how it was answered."""
    configure(app.extensions["greenroom.config"])
    app.before_request(_begin)
    app.after_request(_end)
