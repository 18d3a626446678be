import pytest

from sandbox.judge import SolutionError


def loaded(solution, settings, values, now=0):
    """A cache with `values` stored at `now`, and the number of its next lease."""
    cache = solution.new("LeaseCache", *settings)
    for lease, (key, value) in enumerate(values.items(), 1):
        assert cache.many([("look", key, now), ("store", key, value, lease, now)]) == [["load", None, lease], True]
    return cache, len(values) + 1


def test_edges_of_the_two_windows(solution):
    cache, lease = loaded(solution, (4, 70, 30, 25), {"a": "x", "b": "y"}, now=1000)
    assert cache.look("a", 1069) == ["fresh", "x", None]
    assert cache.look("a", 1070) == ["refresh", "x", lease]
    assert cache.store("a", "z", lease, 1071) is True
    assert cache.look("b", 1099) == ["refresh", "y", lease + 1]
    assert cache.look("b", 1100) == ["wait", None, None]

    cache, lease = loaded(solution, (4, 70, 0, 25), {"a": "x"})
    assert cache.many([("look", "a", 69), ("look", "a", 70)]) == [["fresh", "x", None], ["load", None, lease]]


def test_one_caller_loads(solution):
    cache = solution.new("LeaseCache", 8, 50, 50, 40)
    answers = cache.many([("look", key, 3) for key in "ababcaabc"])
    wait = ["wait", None, None]
    load = [["load", None, lease] for lease in (1, 2, 3)]
    assert answers == [load[0], load[1], wait, wait, load[2], wait, wait, wait, wait]


def test_one_caller_refreshes(solution):
    cache, lease = loaded(solution, (8, 50, 500, 40), {"a": 7, "b": 8})
    answers = cache.many([("look", key, 60) for key in "aaabba"])
    stale = [["stale", 7, None], ["stale", 8, None]]
    assert answers == [["refresh", 7, lease], stale[0], stale[0], ["refresh", 8, lease + 1], stale[1], stale[0]]


def test_a_dead_loader_is_replaced(solution):
    cache, lease = loaded(solution, (8, 50, 500, 40), {"a": 7})
    asked = [("look", "a", 60), ("look", "a", 95), ("look", "a", 105), ("look", "a", 110)]
    assert cache.many(asked) == [
        ["refresh", 7, lease],
        ["stale", 7, None],
        ["refresh", 7, lease + 1],
        ["stale", 7, None],
    ]
    asked = [("look", "n", 200), ("look", "n", 239), ("look", "n", 240)]
    assert cache.many(asked) == [["load", None, lease + 2], ["wait", None, None], ["load", None, lease + 3]]
    assert cache.many([("store", "n", 1, lease + 3, 250), ("look", "n", 251)]) == [True, ["fresh", 1, None]]


def test_late_store_is_refused(solution):
    cache = solution.new("LeaseCache", 8, 50, 500, 40)
    assert cache.many([("look", "a", 0), ("look", "a", 45)]) == [["load", None, 1], ["load", None, 2]]
    assert cache.many([("store", "a", "new", 2, 50), ("store", "a", "old", 1, 55)]) == [True, False]
    assert cache.many([("store", "a", "twice", 2, 56), ("look", "a", 57)]) == [False, ["fresh", "new", None]]
    # Nobody took over, but the lease is over all the same; and another key's lease is no lease.
    assert cache.many([("look", "b", 60), ("store", "b", "late", 3, 101)]) == [["load", None, 3], False]
    assert cache.many([("look", "b", 110), ("store", "c", "x", 4, 111)]) == [["load", None, 4], False]
    assert cache.many([("look", "c", 112), ("store", "b", "y", 4, 113)]) == [["load", None, 5], True]


def test_load_begun_before_drop(solution):
    cache, lease = loaded(solution, (8, 50, 500, 40), {"a": "old"})
    assert cache.many([("drop", "a", 10), ("look", "a", 11), ("drop", "a", 12)]) == [None, ["load", None, lease], None]
    assert cache.many([("store", "a", "old", lease, 13), ("look", "a", 14)]) == [False, ["load", None, lease + 1]]
    assert cache.many([("store", "a", "old", lease, 15), ("store", "a", "new", lease + 1, 16)]) == [False, True]
    asked = [("look", "a", 80), ("drop", "a", 81), ("store", "a", "old", lease + 2, 82), ("look", "a", 83)]
    assert cache.many(asked) == [["refresh", "new", lease + 2], None, False, ["load", None, lease + 3]]
    assert cache.drop("never seen", 84) is None


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_falsy_values(solution, value):
    cache, lease = loaded(solution, (3, 50, 50, 40), {"a": value})
    asked = [("look", "a", 5), ("look", "a", 60)]
    assert cache.many(asked) == [["fresh", value, None], ["refresh", value, lease]]


def test_capacity(solution):
    cache, lease = loaded(solution, (3, 90, 90, 40), {"a": 1, "b": 2, "c": 3})
    assert [answer[0] for answer in cache.many([("look", key, 5) for key in "abca"])] == ["fresh"] * 4
    assert cache.many([("look", "d", 6), ("store", "d", 4, lease, 7)]) == [["load", None, lease], True]
    assert cache.many([("look", key, 8) for key in "abcd"]) == [
        ["load", None, lease + 1],
        ["fresh", 2, None],
        ["fresh", 3, None],
        ["fresh", 4, None],
    ]
    # b is refreshed, so it is no longer the oldest; then a comes back and c has to go.
    assert cache.many([("look", "b", 91), ("store", "b", 22, lease + 2, 92)]) == [["refresh", 2, lease + 2], True]
    asked = [("look", "a", 93), ("store", "a", 11, lease + 3, 94), ("look", "c", 95), ("look", "b", 96)]
    assert cache.many(asked) == [["load", None, lease + 3], True, ["load", None, lease + 4], ["fresh", 22, None]]


@pytest.mark.parametrize("settings", [(0, 5, 5, 5), (-3, 5, 5, 5), (5, 0, 5, 5), (5, 5, -1, 5), (5, 5, 5, 0)])
def test_bad_settings(solution, settings):
    with pytest.raises(SolutionError) as error:
        solution.new("LeaseCache", *settings)
    assert error.value.type in ("ValueError", "RangeError")
    assert solution.new("LeaseCache", 1, 1, 0, 1).look("a", 0) == ["load", None, 1]


class Model:
    """The rules, word by word: slow and plain."""

    def __init__(self, capacity, fresh, stale, lease):
        self.capacity, self.fresh, self.stale, self.lease = capacity, fresh, stale, lease
        self.given, self.values, self.out = 0, [], {}

    def value_of(self, key, now):
        return next((v for v in self.values if v[0] == key and now < v[2] + self.fresh + self.stale), None)

    def is_out(self, key, now):
        return key in self.out and now < self.out[key][1]

    def look(self, key, now):
        entry, out = self.value_of(key, now), self.is_out(key, now)
        if entry and now < entry[2] + self.fresh:
            return ["fresh", entry[1], None]
        if out:
            return ["stale", entry[1], None] if entry else ["wait", None, None]
        self.given += 1
        self.out[key] = self.given, now + self.lease
        return ["refresh", entry[1], self.given] if entry else ["load", None, self.given]

    def store(self, key, value, lease, now):
        if not self.is_out(key, now) or self.out[key][0] != lease:
            return False
        del self.out[key]
        self.values = [v for v in self.values if v[0] != key] + [(key, value, now)]
        self.values = self.values[-self.capacity :]
        return True

    def drop(self, key, now):
        self.values = [v for v in self.values if v[0] != key]
        self.out.pop(key, None)


@pytest.mark.parametrize("capacity", [1, 3, 8])
def test_random_traffic(solution, rng, capacity):
    settings = (capacity, rng.randrange(20, 60), rng.randrange(10, 60), rng.randrange(8, 40))
    cache, model, now = solution.new("LeaseCache", *settings), Model(*settings), 0
    calls, expected, begun = [], [], []
    for n in range(1500):
        now += rng.choice([0, 0, 1, 2, 5, 12])
        key = f"k{rng.randrange(capacity + 3)}"
        deed = rng.choices(["look", "store", "drop"], [8, 5, 1])[0]
        if deed == "store" and begun:
            loading, lease = begun.pop(rng.randrange(len(begun)) if rng.random() < 0.5 else -1)
            call = ("store", loading, rng.choice([n, None]), lease, now)
            if rng.random() < 0.2:
                begun.append((loading, lease))  # comes again
        else:
            call = ("drop" if deed == "drop" else "look", key, now)
        answer = getattr(model, call[0])(*call[1:])
        if call[0] == "look" and answer[2]:
            begun.append((key, answer[2]))
        calls.append(call)
        expected.append(answer)
    assert cache.many(calls) == expected
