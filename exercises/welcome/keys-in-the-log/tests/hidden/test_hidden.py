import string

import pytest

LETTERS = string.ascii_lowercase + string.digits


def key_of(rng, length, alphabet=LETTERS):
    return "".join(rng.choices(alphabet, k=length))


def test_any_length(solution, rng):
    keys = [key_of(rng, length) for length in [5, 6, *rng.sample(range(7, 200), 12)]]
    masked = solution.many([("mask", key) for key in keys])
    assert masked == ["*" * (len(key) - 4) + key[-4:] for key in keys]


def test_any_character(solution, rng):
    keys = [key_of(rng, 24, string.ascii_uppercase + "-._/ +=äß") for _ in range(20)]
    masked = solution.many([("mask", key) for key in keys])
    assert masked == ["*" * 20 + key[-4:] for key in keys]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_keys(solution, rng, length):
    assert solution.mask(key_of(rng, length)) == "*" * length


def test_exactly_four(solution, rng):
    assert solution.mask(key_of(rng, 4)) == "*" * 4


def test_empty(solution):
    assert solution.mask("") == ""
