"""One-time codes for the avalanche desk: RFC 6238, each code once, and a limit on guessing.

A secret carries the last step whose code was good, so "used up" is one comparison. Codes and recovery codes share one
way in (`SecondFactor._attempt`), and with it the count of failures.
"""

import base64
import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field

STEP_SECONDS = 30
CODE = re.compile(r"[0-9]{6}")
LETTERS = string.ascii_lowercase + string.digits


def code_of_step(secret, step):
    text = secret.replace(" ", "").rstrip("=").upper()
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    mac = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def code_at(secret, now):
    """The code of a Base32 secret at a time, in seconds."""
    return code_of_step(secret, now // STEP_SECONDS)


@dataclass
class Secret:
    """What a forecaster's phone holds, too."""

    text: str
    last_step: int = -1  # of the last code that was good

    def accept(self, code, now, drift):
        """Whether the code is good now; if so it is used up, with all before it."""
        typed = code.replace(" ", "") if isinstance(code, str) else ""
        if not CODE.fullmatch(typed):
            return False
        current = now // STEP_SECONDS
        for step in range(max(current - drift, self.last_step + 1), current + drift + 1):
            if hmac.compare_digest(code_of_step(self.text, step), typed):
                self.last_step = step
                return True
        return False


@dataclass
class Forecaster:
    """An active forecaster: the confirmed secret, and digests of the recovery codes that are left."""

    secret: Secret
    recovery: set = field(default_factory=set)

    def new_recovery_codes(self):
        codes = set()
        while len(codes) < 8:
            half = ("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(2))
            codes.add("-".join(half))
        self.recovery = {digest_of(code) for code in codes}
        return list(codes)

    def accept_recovery(self, code):
        digest = digest_of(code) if isinstance(code, str) else None
        if digest not in self.recovery:
            return False
        self.recovery.remove(digest)
        return True


@dataclass
class Failures:
    """Answers "wrong" in a row for one name."""

    count: int = 0
    last: int = 0


def digest_of(code):
    """What is kept of a recovery code; spellings do not matter."""
    return hashlib.sha256(re.sub(r"[ -]", "", code).lower().encode(errors="replace")).digest()


class SecondFactor:
    """Who has a second factor, and whether a code is good."""

    def __init__(self, drift, max_failures, lock_seconds):
        self.drift = drift
        self.max_failures = max_failures
        self.lock_seconds = lock_seconds
        self.pending = {}  # name -> Secret
        self.active = {}  # name -> Forecaster
        self.failures = {}  # (name, of a forecaster or not; way) -> Failures

    def enrol(self, name, now):
        self.pending[name] = Secret(base64.b32encode(secrets.token_bytes(20)).decode())
        return self.pending[name].text

    def confirm(self, name, code, now):
        secret = self.pending.get(name)
        if secret is None or not secret.accept(code, now, self.drift):
            return None
        del self.pending[name]
        self.active[name] = Forecaster(secret)
        return self.active[name].new_recovery_codes()

    def is_active(self, name):
        return name in self.active

    def check(self, name, code, now):
        return self._attempt(name, now, lambda forecaster: forecaster.secret.accept(code, now, self.drift))

    def recover(self, name, code, now):
        return self._attempt(name, now, lambda forecaster: forecaster.accept_recovery(code), "recovery")

    def renew(self, name, now):
        return self.active[name].new_recovery_codes() if name in self.active else None

    def _attempt(self, name, now, accept, way="code"):
        """The answer to one attempt; `accept` says whether it is right."""
        failures = self.failures.setdefault((name, way), Failures())
        if failures.count >= self.max_failures:
            if now < failures.last + self.lock_seconds:
                return "wait"
            failures.count = 0
        if name in self.active and accept(self.active[name]):
            del self.failures[name, way]
            return "ok"
        failures.count += 1
        failures.last = now
        return "wrong"
