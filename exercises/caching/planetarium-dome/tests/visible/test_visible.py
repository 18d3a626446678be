import pytest

from sandbox.judge import SolutionError


def test_put_and_get(solution):
    cache = solution.new("SkyCache", 10, 60_000)
    assert cache.get("Vega", 0) == [False, None]
    cache.put("Vega", {"kind": "star", "distance": 25}, 0)
    assert cache.get("Vega", 10) == [True, {"kind": "star", "distance": 25}]
    cache.put("Vega", "a star", 20)
    assert cache.get("Vega", 30) == [True, "a star"]
    assert cache.get("vega", 30) == [False, None]


def test_the_least_recently_used_goes(solution):
    cache = solution.new("SkyCache", 2, 60_000)
    cache.put("Vega", "a star", 0)
    cache.put("Mir", "a space station", 100)
    assert cache.get("Vega", 200) == [True, "a star"]
    cache.put("Saturn", "a planet", 300)
    assert cache.keys(400) == ["Saturn", "Vega"]
    assert cache.get("Mir", 500) == [False, None]


def test_values_end(solution):
    cache = solution.new("SkyCache", 10, 5000)
    cache.put("Mir", "a space station", 1000)
    assert cache.get("Mir", 3000) == [True, "a space station"]
    assert cache.get("Mir", 7000) == [False, None]
    assert cache.keys(7000) == []


@pytest.mark.parametrize("settings", [(0, 100), (-2, 100), (3, 0), (3, -5)])
def test_bad_settings(solution, settings):
    with pytest.raises(SolutionError) as error:
        solution.new("SkyCache", *settings)
    assert error.value.type in ("ValueError", "RangeError")
    cache = solution.new("SkyCache", 1, 1)
    cache.put("Vega", "a star", 0)
    cache.put("Mir", "a space station", 0)
    assert cache.keys(0) == ["Mir"]
    assert cache.keys(1) == []
