import pytest

MISS = [False, None]


def filled(solution, capacity, lifetime, *puts):
    """A cache after `puts`, each a (key, value, now)."""
    cache = solution.new("SkyCache", capacity, lifetime)
    cache.many([("put", *put) for put in puts])
    return cache


def test_the_last_millisecond(solution):
    cache = filled(solution, 5, 300, ("a", 1, 1000), ("b", 2, 1001))
    assert cache.many([("get", "a", 1299), ("get", "a", 1300), ("keys", 1300)]) == [[True, 1], MISS, ["b"]]
    assert cache.many([("get", "b", 1300), ("keys", 1301), ("get", "b", 1301)]) == [[True, 2], [], MISS]
    assert filled(solution, 5, 1, ("a", 1, 7)).many([("get", "a", 7), ("get", "a", 8)]) == [[True, 1], MISS]


def test_reading_does_not_prolong(solution):
    cache = filled(solution, 5, 100, ("a", 1, 0), ("b", 2, 10))
    assert cache.many([("get", "a", now) for now in (30, 60, 90, 100, 101)]) == [[True, 1]] * 3 + [MISS] * 2
    assert cache.many([("get", "b", 105), ("get", "b", 110), ("keys", 110)]) == [[True, 2], MISS, []]
    # Gone means gone: what comes under the same key is new.
    assert cache.many([("put", "a", 3, 120), ("get", "a", 219), ("get", "a", 220)]) == [None, [True, 3], MISS]


def test_what_counts_as_a_use(solution):
    cache = filled(solution, 3, 1000, ("a", 1, 0), ("b", 2, 1), ("c", 3, 2))
    assert cache.many([("get", "a", 3), ("get", "zz", 4), ("keys", 5)]) == [[True, 1], MISS, ["a", "c", "b"]]
    assert cache.many([("keys", 6), ("put", "d", 4, 7), ("keys", 8)]) == [["a", "c", "b"], None, ["d", "a", "c"]]
    assert cache.many([("get", "b", 9), ("get", "c", 10), ("put", "e", 5, 11)]) == [MISS, [True, 3], None]
    assert cache.many([("get", "a", 12), ("keys", 13)]) == [MISS, ["e", "c", "d"]]


def test_putting_again(solution):
    cache = filled(solution, 3, 100, ("a", 1, 0), ("b", 2, 10), ("c", 3, 20), ("a", 4, 30))
    assert cache.keys(31) == ["a", "c", "b"]
    assert cache.many([("get", "c", 32), ("put", "b", 5, 33), ("put", "d", 6, 34)]) == [[True, 3], None, None]
    assert cache.keys(35) == ["d", "b", "c"]
    assert cache.many([("get", "b", 132), ("keys", 132)]) == [[True, 5], ["b", "d"]]
    assert cache.many([("get", "b", 133), ("get", "d", 133)]) == [MISS, [True, 6]]


def test_the_dead_take_no_place(solution):
    # b was put first and used last: it is dead while a, used before it, lives.
    cache = filled(solution, 3, 100, ("b", 1, 0), ("a", 2, 50), ("c", 3, 60))
    assert cache.many([("get", "b", 70), ("put", "d", 4, 110), ("keys", 110)]) == [[True, 1], None, ["d", "c", "a"]]
    cache = filled(solution, 2, 100, ("a", 1, 0), ("b", 2, 0), ("c", 3, 100))
    assert cache.many([("put", "d", 4, 100), ("keys", 100)]) == [None, ["d", "c"]]


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_falsy_values(solution, value):
    cache = filled(solution, 2, 100, ("a", value, 0), ("b", 1, 1))
    assert cache.get("a", 2) == [True, value]
    assert cache.many([("put", "c", 2, 3), ("keys", 4), ("get", "a", 5)]) == [None, ["c", "a"], [True, value]]
    cache.put("c", value, 6)
    assert cache.get("c", 7) == [True, value]


def test_any_string_is_a_key(solution):
    names = ["constructor", "__proto__", "toString", "hasOwnProperty", "", " ", "Ä", "entries"]
    cache = solution.new("SkyCache", 20, 100)
    assert cache.many([("get", name, 0) for name in names]) == [MISS] * len(names)
    cache.many([("put", name, number, 1) for number, name in enumerate(names)])
    assert cache.keys(2) == names[::-1]
    assert cache.many([("get", name, 3) for name in names]) == [[True, number] for number in range(len(names))]
    cache = filled(solution, 3, 100, ("30", "x", 0), ("4", "y", 1), ("11", "z", 2), ("1", "w", 3))
    assert cache.keys(4) == ["1", "11", "4"]


class Model:
    """The rules, word by word: slow and plain."""

    def __init__(self, capacity, lifetime):
        self.capacity, self.lifetime, self.rows = capacity, lifetime, []  # rows: [key, value, ends], last used last

    def live(self, now):
        self.rows = [row for row in self.rows if now < row[2]]
        return self.rows

    def put(self, key, value, now):
        others = [row for row in self.live(now) if row[0] != key]
        self.rows = [*others[max(0, len(others) + 1 - self.capacity) :], [key, value, now + self.lifetime]]

    def get(self, key, now):
        found = [row for row in self.live(now) if row[0] == key]
        self.rows = [row for row in self.rows if row[0] != key] + found
        return [True, found[0][1]] if found else [False, None]

    def keys(self, now):
        return [row[0] for row in reversed(self.live(now))]


@pytest.mark.parametrize("capacity", [1, 3, 7])
def test_random_traffic(solution, rng, capacity):
    lifetime, now = rng.randrange(25, 90), 0
    cache, model = solution.new("SkyCache", capacity, lifetime), Model(capacity, lifetime)
    calls, expected = [], []
    for number in range(1500):
        now += rng.choice([0, 0, 1, 2, 5, 12])
        key = f"k{rng.randrange(capacity + 3)}"
        deed = rng.choices(["put", "get", "keys"], [4, 6, 1])[0]
        call = {"put": ("put", key, rng.choice([number, None]), now), "get": ("get", key, now), "keys": ("keys", now)}
        calls.append(call[deed])
        expected.append(getattr(model, deed)(*call[deed][1:]))
    assert cache.many(calls) == expected
