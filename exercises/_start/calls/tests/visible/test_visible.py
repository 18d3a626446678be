def test_an_even_split(solution):
    # `solution` is what the learner wrote; arguments and results are JSON values.
    assert solution.shares(900, 3) == [300, 300, 300]
