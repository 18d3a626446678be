def test_the_last_four_stay(solution):
    assert solution.mask("gr_test_5501") == "********5501"
