"""The only reader of the environment: `Config.from_environ()` is for the site, `TestConfig` for tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent
MIB = 1024 * 1024
POOL_SHARE = 8  # one part in so many of this machine's memory
DEFAULT_SECRET = "greenroom-development-secret-not-for-production"  # noqa: S105 - refused in production mode


class ConfigError(Exception):
    """A setting is wrong; the message names the variable and what was expected."""


def _flag(environ: Mapping[str, str], name: str, default: bool) -> bool:
    raw = environ.get(name, "").strip().lower()
    if raw in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if raw == "" else raw in {"1", "true", "yes", "on"}
    raise ConfigError(f"{name} must be 1 or 0, got {raw!r}")


def _count(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = environ.get(name, "").strip() or str(default)
    if not raw.isdigit() or not low <= int(raw) <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, got {raw!r}")
    return int(raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of the site and its worker; every field has an environment variable of its own."""

    secret_key: str = DEFAULT_SECRET  # GREENROOM_SECRET_KEY
    production: bool = False  # GREENROOM_PRODUCTION
    debug: bool = False  # GREENROOM_DEBUG
    secure_cookies: bool = False  # GREENROOM_SECURE_COOKIES
    database_url: str = ""  # DATABASE_URL; empty: SQLite in var_dir
    var_dir: Path = ROOT / "var"  # GREENROOM_VAR
    exercises_dir: Path = ROOT / "exercises"  # GREENROOM_EXERCISES
    workers: int = 2  # GREENROOM_WORKERS: worker threads inside the site; 0 where `flask worker` runs apart
    verdict_ms: int = 300  # GREENROOM_VERDICT_MS: how long the answer to a submission waits for its verdict
    trusted_proxies: int = 0  # GREENROOM_TRUSTED_PROXIES: X-Forwarded-* hops to believe
    container_runtime: str = ""  # GREENROOM_CONTAINER_RUNTIME: e.g. runsc
    pool_mb: int | None = None  # GREENROOM_POOL_MB: memory for boxes and judges made ahead; empty: a share of RAM
    metrics_token: str = ""  # GREENROOM_METRICS_TOKEN: who sends it may read /metrics; empty: nobody
    rate_limits: bool = True  # GREENROOM_RATE_LIMITS
    bind: str = "127.0.0.1:8000"  # GREENROOM_BIND: where `make run` serves
    threads: int = 64  # GREENROOM_THREADS: an open page holds one
    testing: bool = False
    worker_name: str = field(default_factory=lambda: f"worker-{os.getpid()}-{secrets.token_hex(3)}")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Return the settings the environment asks for. Raises ConfigError, also for an unsafe production mode."""
        env = os.environ if environ is None else environ
        production = _flag(env, "GREENROOM_PRODUCTION", False)
        config = cls(
            secret_key=env.get("GREENROOM_SECRET_KEY") or DEFAULT_SECRET,
            production=production,
            debug=_flag(env, "GREENROOM_DEBUG", False),
            secure_cookies=_flag(env, "GREENROOM_SECURE_COOKIES", production),
            database_url=_database_url(env.get("DATABASE_URL", "")),
            var_dir=Path(env.get("GREENROOM_VAR") or ROOT / "var"),
            exercises_dir=Path(env.get("GREENROOM_EXERCISES") or ROOT / "exercises"),
            workers=_count(env, "GREENROOM_WORKERS", 2, 0, 64),
            metrics_token=env.get("GREENROOM_METRICS_TOKEN", ""),
            verdict_ms=_count(env, "GREENROOM_VERDICT_MS", 300, 0, 5000),
            trusted_proxies=_count(env, "GREENROOM_TRUSTED_PROXIES", 0, 0, 5),
            container_runtime=env.get("GREENROOM_CONTAINER_RUNTIME", ""),
            pool_mb=_count(env, "GREENROOM_POOL_MB", 0, 0, 1_000_000) if env.get("GREENROOM_POOL_MB") else None,
            rate_limits=_flag(env, "GREENROOM_RATE_LIMITS", True),
            bind=env.get("GREENROOM_BIND") or "127.0.0.1:8000",
            threads=_count(env, "GREENROOM_THREADS", 64, 4, 1024),
        )
        config.refuse_unsafe_production()
        return config

    def refuse_unsafe_production(self) -> None:
        """Raise ConfigError when production mode runs with a default secret, debug, or without HTTPS cookies."""
        if not self.production:
            return
        if self.secret_key == DEFAULT_SECRET or len(self.secret_key) < 32:
            raise ConfigError("GREENROOM_SECRET_KEY must be set to at least 32 random characters in production mode")
        if self.debug:
            raise ConfigError("GREENROOM_DEBUG must be 0 in production mode")
        if not self.secure_cookies:
            raise ConfigError("GREENROOM_SECURE_COOKIES must be 1 in production mode: cookies travel over HTTPS only")

    @property
    def pool_bytes(self) -> int:
        """What boxes and judges made ahead may hold, in bytes; 0: none is made ahead."""
        if self.pool_mb is not None:
            return self.pool_mb * MIB
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // POOL_SHARE

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL: the one configured, or SQLite in `var_dir`."""
        return self.database_url or f"sqlite:///{self.var_dir.resolve() / 'greenroom.sqlite3'}"


def _database_url(raw: str) -> str:
    """Return `raw` with the psycopg 3 driver named; empty stays empty. Raises ConfigError for other databases."""
    if raw.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + raw.split("://", 1)[1]
    if raw == "" or raw.startswith(("postgresql+psycopg://", "sqlite:///")):
        return raw
    raise ConfigError(f"DATABASE_URL must start with postgresql:// or sqlite:///, got {raw.split(':', 1)[0]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestConfig(Config):
    """Settings for tests: no rate limits, no worker threads; `var_dir` is the test's own."""

    __test__ = False  # pytest: not a test class

    secret_key: str = "test-secret-0123456789-0123456789"  # noqa: S105 - signs nothing outside tests
    workers: int = 0
    verdict_ms: int = 0
    rate_limits: bool = False
    testing: bool = True
