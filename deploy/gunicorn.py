"""How gunicorn serves the site: one process, many threads, since open pages hold a stream each."""

from __future__ import annotations

import sys
from typing import Any

from config import Config

_config = Config.from_environ()

bind = _config.bind
workers = 1
worker_class = "gthread"
threads = _config.threads
timeout = 60
# Open pages hold streams that end by no signal; a worker thread may finish its job for 10 s (submissions/worker.py).
graceful_timeout = 12
keepalive = 20
limit_request_line = 8190
loglevel = "warning"
worker_tmp_dir = "/dev/shm" if sys.platform == "linux" else None  # noqa: S108 - a heartbeat file must not wait for a disk


def post_worker_init(worker: Any) -> None:
    """Start the judging threads beside the web threads, unless `flask worker` runs apart; say the address."""
    if _config.workers > 0:
        from app.submissions.worker import start_in_process

        worker.crew = start_in_process(worker.app.callable)
    sys.stdout.write(f"Greenroom is at http://{bind} (Ctrl-C stops it)\n")
    sys.stdout.flush()


def worker_exit(_server: Any, worker: Any) -> None:
    """Let the judging threads finish, and leave nothing that they held ready."""
    crew = getattr(worker, "crew", None)
    if crew is not None:
        crew.finish()
