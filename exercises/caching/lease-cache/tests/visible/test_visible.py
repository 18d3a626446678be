def test_a_miss_is_loaded_once(solution):
    cache = solution.new("LeaseCache", 10, 1000, 500, 200)
    assert cache.look("rye", 0) == ["load", None, 1]
    assert cache.look("rye", 5) == ["wait", None, None]
    assert cache.store("rye", 340, 1, 50) is True
    assert cache.look("rye", 60) == ["fresh", 340, None]
    assert cache.look("rye", 1049) == ["fresh", 340, None]


def test_old_value_while_refreshing(solution):
    cache = solution.new("LeaseCache", 10, 1000, 500, 200)
    assert cache.look("rye", 0) == ["load", None, 1]
    assert cache.store("rye", 340, 1, 0) is True
    assert cache.look("rye", 1100) == ["refresh", 340, 2]
    assert cache.store("rye", 355, 2, 1150) is True
    assert cache.look("rye", 1160) == ["fresh", 355, None]
