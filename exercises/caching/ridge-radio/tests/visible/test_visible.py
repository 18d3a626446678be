import pytest

from sandbox.judge import SolutionError


def test_writes_of_one_key_become_one(solution):
    buffer = solution.new("WriteBehind", 100, 10, 1000, 500)
    assert buffer.put("summit", -11, 0) is True
    assert buffer.put("saddle", -4, 200) is True
    assert buffer.put("summit", -12, 900) is True
    assert buffer.waiting() == ["summit", "saddle"]
    assert buffer.flush(999) is None
    assert buffer.flush(1200) == [1, [["put", "summit", -12], ["put", "saddle", -4]]]


def test_a_batch_gets_through(solution):
    buffer = solution.new("WriteBehind", 100, 10, 1000, 500)
    buffer.put("summit", -11, 0)
    assert buffer.flush(1000) == [1, [["put", "summit", -11]]]
    assert buffer.waiting() == ["summit"]
    assert buffer.done(1, 1100) is True
    assert buffer.waiting() == []
    assert buffer.flush(5000) is None
    buffer.delete("summit", 5000)
    assert buffer.flush(6000) == [2, [["delete", "summit", None]]]


def test_readers_see_their_writes(solution):
    buffer = solution.new("WriteBehind", 100, 10, 1000, 500)
    assert buffer.read("summit") == ["ask", None]
    buffer.put("summit", -11, 0)
    assert buffer.read("summit") == ["put", -11]
    assert buffer.flush(1000) == [1, [["put", "summit", -11]]]
    assert buffer.read("summit") == ["put", -11]
    buffer.delete("summit", 1050)
    assert buffer.read("summit") == ["delete", None]
    assert buffer.done(1, 1100) is True
    assert buffer.read("summit") == ["delete", None]


@pytest.mark.parametrize("settings", [(0, 5, 5, 5), (5, 0, 5, 5), (5, 5, -1, 5), (5, 5, 5, 0)])
def test_bad_settings(solution, settings):
    with pytest.raises(SolutionError) as error:
        solution.new("WriteBehind", *settings)
    assert error.value.type in ("ValueError", "RangeError")
    smallest = solution.new("WriteBehind", 1, 1, 0, 1)
    assert smallest.put("summit", -11, 0) is True
    assert smallest.put("saddle", -4, 0) is False
    assert smallest.flush(0) == [1, [["put", "summit", -11]]]
