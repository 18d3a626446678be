"""Judges `double(n)`; no case but accepted may pass."""


def test_double(solution):
    assert solution.double(21) == 42
