import pytest

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", the secret of RFC 6238's examples
START = 1_767_225_600


@pytest.mark.parametrize(("now", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")])
def test_codes_of_the_standard(solution, now, code):
    assert solution.code_at(RFC_SECRET, now) == code


def test_enrol_confirm_and_check(solution):
    desk = solution.new("SecondFactor", 1, 3, 60)
    secret = desk.enrol("toni", START)
    assert len(secret) == 32
    assert desk.is_active("toni") is False
    assert desk.check("toni", solution.code_at(secret, START), START) == "wrong"
    recovery_codes = desk.confirm("toni", solution.code_at(secret, START), START)
    assert len(recovery_codes) == 8
    assert desk.is_active("toni") is True
    later = START + 90
    assert desk.check("toni", solution.code_at(secret, later), later) == "ok"
    assert desk.recover("toni", recovery_codes[3], later) == "ok"


def test_a_code_is_good_once(solution):
    desk = solution.new("SecondFactor", 1, 3, 60)
    secret = desk.enrol("toni", START)
    code = solution.code_at(secret, START)
    assert desk.confirm("toni", code, START) is not None
    assert desk.check("toni", code, START + 5) == "wrong"
    later = START + 60
    code = solution.code_at(secret, later)
    assert desk.check("toni", code, later) == "ok"
    assert desk.check("toni", code, later + 1) == "wrong"
