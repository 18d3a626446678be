import base64
import hashlib
import hmac
import re

import pytest

STANDARD = b"12345678901234567890"
START = 1_800_000_000  # the first second of a step


def code_of(secret, now):
    """The code of RFC 6238; the secret is Base32 or bytes."""
    key = secret if isinstance(secret, bytes) else base64.b32decode(secret)
    mac = hmac.new(key, (now // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    start = mac[-1] & 15
    return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


class Desk:
    """A SecondFactor, and one forecaster of it."""

    def __init__(self, solution, drift=1, max_failures=3, lock_seconds=60, name="ueli"):
        self.made = solution.new("SecondFactor", drift, max_failures, lock_seconds)
        self.name = name
        self.secret = None

    def join(self, now=START):
        """Enrols and confirms; returns the recovery codes."""
        self.secret = self.made.enrol(self.name, now)
        codes = self.made.confirm(self.name, self.code(now), now)
        assert codes is not None
        return codes

    def code(self, now):
        return code_of(self.secret, now)

    def wrong_code(self, now):
        """Six digits that are no code of this time or of any near it."""
        near = {self.code(max(0, now + 30 * steps)) for steps in range(-8, 9)} if self.secret else set()
        return next(code for code in ("314159", "271828", *(f"{n:06}" for n in range(20))) if code not in near)

    def check(self, code, now, name=None):
        return self.made.check(self.name if name is None else name, code, now)

    def recover(self, code, now):
        return self.made.recover(self.name, code, now)


def test_more_codes_of_the_standard(solution, rng):
    secret = base64.b32encode(STANDARD).decode()
    for now, code in ((1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")):
        assert solution.code_at(secret, now) == code
    for now in (0, 29, 30, START - 1, START):
        assert solution.code_at(secret, now) == code_of(STANDARD, now)
    for length in (5, 10, 16, 20, 32, 33):
        key = rng.randbytes(length)
        text = base64.b32encode(key).decode()
        bare = text.rstrip("=")
        grouped = " ".join(bare[i : i + 4] for i in range(0, len(bare), 4)).lower()
        times = [rng.randrange(0, 4 * 10**9) for _ in range(20)]
        asked = [("code_at", spelt, now) for spelt in (text, bare, grouped) for now in times]
        assert solution.many(asked) == [code_of(key, now) for now in times] * 3


def test_secrets_are_fresh_and_long(solution):
    desks = [Desk(solution) for _ in range(3)]
    secrets = [desk.made.enrol("ueli", START) for desk in desks for _ in range(3)]
    assert all(re.fullmatch(r"[A-Z2-7]{32}", secret) for secret in secrets)
    assert len(set(secrets)) == 9
    lists = [desk.join() for desk in desks] + [desks[0].made.renew("ueli", START)]
    codes = [code for each in lists for code in each]
    assert all(re.fullmatch(r"[a-z0-9]{5}-[a-z0-9]{5}", code) for code in codes)
    assert [len(each) for each in lists] == [8] * 4
    assert len(set(codes)) == 32


def test_an_unconfirmed_secret_opens_nothing(solution):
    desk = Desk(solution, max_failures=9)
    assert desk.made.confirm("ueli", "123123", START) is None
    first = desk.made.enrol("ueli", START)
    desk.secret = desk.made.enrol("ueli", START)
    assert desk.made.is_active("ueli") is False
    assert desk.check(desk.code(START), START) == "wrong"
    assert desk.made.renew("ueli", START) is None
    assert desk.made.confirm("ueli", desk.wrong_code(START), START) is None
    if code_of(first, START) != desk.code(START):
        assert desk.made.confirm("ueli", code_of(first, START), START) is None
    assert desk.made.confirm("reto", desk.code(START), START) is None
    assert desk.made.is_active("ueli") is False
    assert desk.made.confirm("ueli", desk.code(START), START) is not None
    assert desk.made.confirm("ueli", desk.code(START + 30), START + 30) is None
    assert desk.made.is_active("ueli") is True
    assert desk.made.is_active("reto") is False
    assert desk.check(desk.code(START + 30), START + 30) == "ok"


def test_the_old_phone_works_until_the_new_one_is_confirmed(solution):
    desk = Desk(solution, max_failures=9)
    old_codes = desk.join()
    old = desk.secret
    new = desk.made.enrol("ueli", START + 60)
    assert desk.made.is_active("ueli") is True
    assert desk.check(code_of(old, START + 60), START + 60) == "ok"
    assert desk.recover(old_codes[0], START + 60) == "ok"
    assert desk.check(code_of(new, START + 90), START + 90) == "wrong"
    assert desk.made.confirm("ueli", desk.wrong_code(START + 90), START + 90) is None
    assert desk.check(code_of(old, START + 90), START + 90) == "ok"
    new_codes = desk.made.confirm("ueli", code_of(new, START + 120), START + 120)
    assert len(new_codes) == 8
    assert desk.check(code_of(old, START + 150), START + 150) == "wrong"
    assert desk.recover(old_codes[1], START + 150) == "wrong"
    assert desk.check(code_of(new, START + 150), START + 150) == "ok"
    assert desk.recover(new_codes[1], START + 150) == "ok"


@pytest.mark.parametrize("drift", [0, 1, 2])
def test_clocks_may_be_off_both_ways(solution, drift):
    desk = Desk(solution, drift, max_failures=99)
    desk.join()
    for round_, steps in enumerate((*range(-drift, drift + 1), -drift - 1, drift + 1), 1):
        for second in (0, 29):
            now = START + round_ * 3000 + second * 31
            shown = now + 30 * steps
            assert desk.check(desk.code(shown), now) == ("ok" if abs(steps) <= drift else "wrong")
    # A phone may also be off while it is enrolled.
    far = desk.made.enrol("reto", START)
    assert (desk.made.confirm("reto", code_of(far, START + 30 * drift), START) is None) is False
    near = desk.made.enrol("urs", START)
    assert desk.made.confirm("urs", code_of(near, START - 30 * (drift + 1)), START) is None
    early = Desk(solution, drift)
    early.join(now=5)
    assert early.check(early.code(35), 35) == "ok"


def test_older_codes_are_used_up_too(solution):
    desk = Desk(solution, drift=2, max_failures=99)
    desk.join()
    now = START + 600
    asked = [0, 0, -30, -60, 30, 0, 30, 60, 30, 60]
    answers = [desk.check(desk.code(now + shift), now + 3) for shift in asked]
    assert answers == ["ok", "wrong", "wrong", "wrong", "ok", "wrong", "wrong", "ok", "wrong", "wrong"]
    assert desk.check(desk.code(now + 60), now + 60) == "wrong"
    assert desk.check(desk.code(now + 90), now + 60) == "ok"
    other = Desk(solution, drift=2, max_failures=99)
    other.secret = other.made.enrol("ueli", START)
    assert other.made.confirm("ueli", other.code(START), START) is not None
    assert [other.check(other.code(START + shift), START) for shift in (0, -30, 30)] == ["wrong", "wrong", "ok"]


def test_what_is_no_code_is_wrong(solution):
    desk = Desk(solution, max_failures=999)
    desk.join()
    now = START + 300
    code = desk.code(now)
    other_script = "".join(chr(0xFF10 + int(digit)) for digit in code)
    arabic = "".join(chr(0x0660 + int(digit)) for digit in code)
    strange = [other_script, arabic, code[:5] + arabic[5], f"+{code}", f"{code}.0", f"{code}0", f"0{code}", code[:5]]
    strange += [f"-{code}", f"{code}\n", f"\t{code}", f"{code[:3]}_{code[3:]}"]
    strange += ["", " ", "123é56", "éééééé", "abcdef"]
    strange += [int(code), None, True, [], {}, [code], {"code": code}, 0.5]
    assert desk.made.many([("check", "ueli", typed, now) for typed in strange]) == ["wrong"] * len(strange)
    assert desk.made.many([("recover", "ueli", typed, now) for typed in strange]) == ["wrong"] * len(strange)
    desk.made.enrol("reto", now)
    assert desk.made.many([("confirm", "reto", typed, now) for typed in strange]) == [None] * len(strange)
    assert desk.check(f" {code[:3]} {code[3:]} ", now) == "ok"


def test_recovery_codes_are_good_once(solution):
    desk = Desk(solution, max_failures=99)
    codes = desk.join()
    desk.name = "reto"
    others = desk.join()
    assert desk.recover(codes[0], START) == "wrong"
    desk.name = "ueli"
    assert desk.recover(others[0], START) == "wrong"
    spelt = [codes[0], codes[1].upper(), codes[2].replace("-", ""), f" {codes[3].replace('-', ' - ')} "]
    assert [desk.recover(code, START + 1) for code in spelt] == ["ok"] * 4
    assert [desk.recover(code, START + 2) for code in spelt + codes[:4]] == ["wrong"] * 8
    assert desk.check(codes[4], START + 3) == "wrong"
    almost = ["", "-", codes[4][:5], codes[4] + "a", codes[4][1:]]
    assert [desk.recover(code, START + 3) for code in almost] == ["wrong"] * 5
    renewed = desk.made.renew("ueli", START + 4)
    assert [desk.recover(code, START + 4) for code in codes[4:]] == ["wrong"] * 4
    assert [desk.recover(code, START + 5) for code in renewed] == ["ok"] * 8
    assert desk.recover(renewed[7], START + 6) == "wrong"
    assert desk.made.recover("reto", others[0], START + 6) == "ok"


def test_guessing_is_stopped_on_both_ways(solution):
    desk = Desk(solution, max_failures=4)
    codes = desk.join()
    now = START + 300
    wrong = desk.wrong_code(now)
    tries = [("check", "ueli", wrong, now), ("recover", "ueli", "aaaaa-00000", now)] * 2
    right = [("check", "ueli", desk.code(now), now), ("recover", "ueli", codes[0], now)]
    assert desk.made.many(tries + right + tries[:2]) == ["wrong"] * 4 + ["wait"] * 4
    # Another forecaster is not held up, and every "ok" starts the count again.
    desk.name = "reto"
    spare = desk.join(now)
    for later in range(now + 60, now + 300, 60):
        wrong = desk.wrong_code(later)
        assert [desk.check(wrong, later), desk.recover(wrong, later), desk.check("", later)] == ["wrong"] * 3
        right = desk.check(desk.code(later), later) if later % 120 else desk.recover(spare.pop(), later)
        assert right == "ok"


def test_the_wait_ends_by_itself(solution):
    desk = Desk(solution, max_failures=2, lock_seconds=70)
    codes = desk.join()
    now = START + 600
    assert [desk.check("", now), desk.check("", now + 10)] == ["wrong", "wrong"]
    assert [desk.check(desk.code(later), later) for later in (now + 11, now + 45, now + 79)] == ["wait"] * 3
    assert desk.recover(codes[0], now + 79) == "wait"
    # The last code that had to wait is not used up, and the count is at zero.
    assert desk.check("", now + 80) == "wrong"
    assert desk.check(desk.code(now + 79), now + 80) == "ok"
    assert desk.recover(codes[0], now + 81) == "ok"
    for later in ((200, 200, 269), (270, 271, 272)):
        assert [desk.check("", now + seconds) for seconds in later] == ["wrong", "wrong", "wait"]
    assert desk.check(desk.code(now + 340), now + 340) == "wait"
    assert desk.check(desk.code(now + 341), now + 341) == "ok"


def test_names_without_a_secret_look_the_same(solution):
    desk = Desk(solution, max_failures=3, lock_seconds=60)
    desk.join()
    desk.made.enrol("pending", START)
    wrong = desk.wrong_code(START + 90)
    for name in ("ueli", "pending", "nobody"):
        asked = [("check", name, wrong, START + 90), ("recover", name, "zzzzz-zzzzz", START + 91)]
        asked += [("check", name, None, START + 92), ("check", name, wrong, START + 93)]
        asked += [("recover", name, wrong, START + 151), ("check", name, wrong, START + 152)]
        assert desk.made.many(asked) == ["wrong", "wrong", "wrong", "wait", "wait", "wrong"]
