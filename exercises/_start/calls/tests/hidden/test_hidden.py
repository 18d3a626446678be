import pytest

from sandbox.judge import SolutionError


@pytest.mark.parametrize(("total", "expected"), [(11, [3, 3, 3, 2]), (2, [1, 1, 0, 0]), (7, [2, 2, 2, 1])])
def test_the_first_pay_the_rest(solution, total, expected):
    # A parametrised function is one check: it passes when all its cases pass.
    assert solution.shares(total, 4) == expected


def test_any_bill(solution, rng):
    # `rng` is drawn anew for every submission, so that nobody can guess the values.
    bills = [(people * rng.randrange(50) + rng.randrange(2, people), people) for people in range(3, 40)]
    answers = solution.many([("shares", total, people) for total, people in bills])  # one round trip for all
    for (total, people), found in zip(bills, answers, strict=True):
        assert len(found) == people
        assert sum(found) == total
        assert found == sorted(found, reverse=True)
        assert found[0] - found[-1] <= 1


@pytest.mark.parametrize("people", [0, -1])
def test_nobody_to_pay(solution, people):
    with pytest.raises(SolutionError) as refused:
        solution.shares(100, people)
    assert refused.value.type == "ValueError"
